"""Tables to take along: what a spreadsheet will read in them, and what it must not take for a formula."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import pytest

from mobile_api.web.sheets import csv_file, xlsx_file

TITLES = ["名称", "收件", "办结率%"]
ROWS: list[list[str | int | float | None]] = [["民政", 3, 66.66], ["公安", 0, None]]


def parts(body: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_a_csv_is_read_as_utf_8_by_excel_and_as_a_table_by_everybody() -> None:
    body = csv_file(TITLES, ROWS)
    assert body.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""))) == [TITLES, ["民政", "3", "66.66"], ["公安", "0", ""]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "＝1+1", "＋1", "－1", "＠SUM(A1)"])
def test_no_text_becomes_a_formula(text: str) -> None:
    lines = list(csv.reader(io.StringIO(csv_file(["a"], [[text]]).decode("utf-8-sig"), newline="")))
    assert lines[1] == [f"'{text}"]
    assert "<f>" not in parts(xlsx_file("s", ["a"], [[text], [f"{{{text}}}"]]))["xl/worksheets/sheet1.xml"]


def test_a_workbook_has_numbers_as_numbers_and_a_head_that_stays() -> None:
    found = parts(xlsx_file("2026-01 2026-03", TITLES, ROWS))
    sheet, texts = found["xl/worksheets/sheet1.xml"], re.findall(r"<t[^>]*>([^<]*)</t>", found["xl/sharedStrings.xml"])
    assert texts == [*TITLES, "民政", "公安"]
    assert "<v>66.66</v>" in sheet
    assert 'state="frozen"' in sheet
    assert 'name="2026-01 2026-03"' in found["xl/workbook.xml"]


def test_signs_that_xml_cannot_hold_are_left_out() -> None:
    assert "ab" in parts(xlsx_file("s", ["x"], [["a\x00\x0bb"]]))["xl/sharedStrings.xml"]
