"""`mobile-api export` writes the cases to standard output or a new file, as JSON lines or for Excel."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from config.settings import load
from mobile_api.__main__ import main
from mobile_api.composition import open_office
from tests.support.apart import run_apart
from tests.support.office import resident_with_session, submitted_case


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The number of the one case in the database that the settings name."""
    monkeypatch.setenv("MOBILE_API_DATABASE__URL", f"sqlite://{tmp_path}/town.db")
    monkeypatch.setenv("MOBILE_API_SECRETS__DIR", str(tmp_path / "secrets"))
    monkeypatch.setenv("MOBILE_API_FILES__URL", f"file://{tmp_path}/files")

    async def hand_in() -> str:
        async with open_office(load(None)) as office:
            zhang, _ = await resident_with_session(office, "zhang")
            return str((await submitted_case(office, zhang)).number)

    return run_apart(hand_in())


def test_a_json_object_a_line_and_how_many_on_standard_error(case: str, capsysbinary: pytest.CaptureFixture[bytes]):
    assert main(["export"]) == 0
    told = capsysbinary.readouterr()
    assert [json.loads(line)["number"] for line in told.out.splitlines()] == [case]
    assert told.err == b"1 cases\n"


def test_a_table_for_excel_in_a_new_file_and_never_over_an_old_one(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "cases.csv"
    assert main(["export", "--format", "csv", "--out", str(out)]) == 0
    with out.open(encoding="utf-8-sig", newline="") as file:
        assert [row["number"] for row in csv.DictReader(file)] == [case]
    assert main(["export", "--out", str(out)]) == 1
    assert "cases.csv" in capsys.readouterr().err


def test_days_are_the_towns_own_and_what_is_none_is_told(case: str, capsysbinary: pytest.CaptureFixture[bytes]):
    day = f"{case[9:13]}-{case[13:15]}-{case[15:17]}"
    assert main(["export", "--since", day, "--until", day]) == 0
    assert len(capsysbinary.readouterr().out.splitlines()) == 1
    assert main(["export", "--until", "2020-01-01"]) == 0
    assert capsysbinary.readouterr().out == b""
    assert main(["export", "--since", "2026-02-02", "--until", "2026-02-01"]) == 2
    with pytest.raises(SystemExit) as ended:
        main(["export", "--since", "yesterday"])
    assert ended.value.code == 2
    assert b"2026-02-13" in capsysbinary.readouterr().err
