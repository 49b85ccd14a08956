"""Tables to take along: CSV that Excel reads as UTF-8, and XLSX (ECMA-376 part 1), both without a way for a text to become a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

Cell = str | int | float | None

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

# OWASP, CSV injection: what a spreadsheet would take for the beginning of a formula, in full width too.
_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2


def csv_file(titles: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Lines with CRLF (RFC 4180) behind a byte order mark; a text that begins like a formula stands behind an apostrophe."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(titles)
    writer.writerows([[_harmless(cell) for cell in row] for row in rows])
    return out.getvalue().encode("utf-8-sig")


def xlsx_file(name: str, titles: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A workbook of one sheet with a bold first line that stays in sight; `name` of the sheet has at most 31 characters."""
    from xlsxwriter import Workbook  # noqa: PLC0415 - a third of a second at the start of every process, for a report now and then

    out = io.BytesIO()
    with Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}) as book:
        sheet = book.add_worksheet(_plain(name))
        sheet.write_row(0, 0, titles, book.add_format({"bold": True}))
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows, 1):
            sheet.write_row(number, 0, [_plain(cell) if isinstance(cell, str) else cell for cell in row])
        sheet.autofit()
    return out.getvalue()


def _harmless(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def _plain(text: str) -> str:
    return _NOT_XML.sub("", text)
