from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.settings import HERE, load
from handlers import desk, reviews
from handlers.handovers import Wish
from handlers.office import Office
from mobile_api.commands import calendar
from mobile_api.composition import open_office
from mobile_api.tables import TablesError, load_calendar
from storage import cases
from storage.clock import SettableClock
from storage.envelopes import Answer
from storage.ids import uuid7
from tests.support.lives import approver
from tests.support.office import CLERK, submitted_case
from tests.support.town import settle_in

NOTICE = HERE / "calendar" / "2026.toml"
# Far ahead of any machine's clock: no date of these years is over when the command runs.
FAR = dt.datetime(2096, 12, 27, 2, 0, tzinfo=dt.UTC)  # a Thursday


def settings_file(folder: Path) -> Path:
    """A town with its own tables, database and keys under one folder."""
    settings = folder / "settings.toml"
    settings.write_text(
        f'[town]\ntables = "{folder}"\n[database]\nurl = "sqlite://{folder}/town.db"\n[secrets]\ndir = "{folder}/secrets"\n'
        f'[files]\nurl = "file://{folder}/files"\n',
        encoding="utf-8",
    )
    return settings


def run(folder: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    parser.set_defaults(config=str(settings_file(folder)))
    calendar.add_arguments(parser)
    return calendar.run(parser.parse_args(words))


def notice(folder: Path, year: int, first: str = "01-01") -> Path:
    """A year with exactly the 13 statutory days off, ten of them around `first`, and no make-up day."""
    day, days = dt.date.fromisoformat(f"{year}-{first}"), []
    while len(days) < 13:
        days += [day] if day.weekday() < 5 else []
        day += dt.timedelta(days=1)
    path = folder / f"notice-{year}.toml"
    lines = "".join(f'  {{ date = {one}, name = "春节" }},\n' for one in days)
    path.write_text(f"year = {year}\ndays_off = [\n{lines}]\n", encoding="utf-8")
    return path


def test_a_new_year_is_checked_copied_and_known_from_then_on(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert run(tmp_path, "import", str(NOTICE)) == 0
    said = capsys.readouterr().out
    assert "13 by law" in said
    assert "248 working days" in said
    assert "was not known before" in said
    assert "no database yet" in said
    assert (tmp_path / "calendar" / "2026.toml").read_bytes() == NOTICE.read_bytes()
    assert [path.name for path in (tmp_path / "calendar").iterdir()] == ["2026.toml"]
    assert run(tmp_path, "show") == 0
    assert capsys.readouterr().out.startswith("2026  33 days off")


def test_an_amended_notice_says_which_days_change(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    run(tmp_path, "import", str(NOTICE))
    amended = tmp_path / "amended.toml"
    text = NOTICE.read_text(encoding="utf-8").replace('  { date = 2026-01-02, name = "元旦" },\n', "")
    text = text.replace('  { date = 2026-01-04, name = "元旦" },\n', "")
    amended.write_text(text, encoding="utf-8")
    capsys.readouterr()

    assert run(tmp_path, "import", str(amended), "--dry-run") == 0
    said = capsys.readouterr().out
    assert "2026-01-02 Fri: worked (was off)" in said
    assert "2026-01-04 Sun: off (was worked)" in said
    assert (tmp_path / "calendar" / "2026.toml").read_bytes() == NOTICE.read_bytes()
    assert run(tmp_path, "import", str(amended)) == 0
    assert (tmp_path / "calendar" / "2026.toml").read_text(encoding="utf-8") == text


def test_importing_the_same_table_again_changes_no_day(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    run(tmp_path, "import", str(NOTICE))
    assert run(tmp_path, "import", str(tmp_path / "calendar" / "2026.toml")) == 0
    assert "No working day changes." in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", ["", "year = 2026", "year = 2026\ndays_off = 3", "\x00", 'year = 2026\ndays_off = [{ date = 2026-01-01, name = "元旦" }]']
)
def test_a_bad_table_is_refused_with_2_and_leaves_the_known_one(capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str):
    (tmp_path / "calendar").mkdir()
    shutil.copyfile(NOTICE, tmp_path / "calendar" / "2026.toml")
    bad = tmp_path / "bad.toml"
    bad.write_text(content, encoding="utf-8")
    assert run(tmp_path, "import", str(bad)) == 2
    assert "bad.toml" in capsys.readouterr().err
    assert (tmp_path / "calendar" / "2026.toml").read_bytes() == NOTICE.read_bytes()


@pytest.mark.parametrize(
    ("was", "becomes", "line", "rule", "remedy"),
    [
        ("date = 2026-02-14", "date = 2026-02-16", 46, "makeup-on-weekday", "check the date"),
        ("date = 2026-02-14", "date = 2026-02-15", 46, "off-and-worked", "keep one of the two"),
        ("date = 2026-02-16", "date = 2026-02-15", 13, "listed-twice", "delete one"),
        ("date = 2026-02-16", "date = 2025-02-16", 13, "wrong-year", "check the year"),
        ('  { date = 2026-02-14, name = "春节" },\n', "", 44, "statutory-days", "Compare with the notice"),
        ("year = 2026", "year = 2027", 9, "wrong-year", "check the year"),
        ("days_off = [", "holidays = [", 8, "unknown-entry", "known are"),
    ],
)
def test_a_mistake_is_shown_with_file_line_rule_and_remedy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, was: str, becomes: str, line: int, rule: str, remedy: str
):
    text = NOTICE.read_text(encoding="utf-8")
    assert text.count(was) == 1
    bad = tmp_path / "bad.toml"
    bad.write_text(text.replace(was, becomes), encoding="utf-8")
    assert run(tmp_path, "import", str(bad)) == 2
    said = capsys.readouterr().err
    assert f"{bad}:{line}: [{rule}] " in said
    assert remedy in said
    assert not (tmp_path / "calendar").exists()


@pytest.mark.parametrize(("other", "said"), [("2026-again.toml", "another file holds 2026 already"), ("2025.toml", "both a day off and")])
def test_files_that_contradict_each_other_are_found_by_check_and_at_the_start(tmp_path: Path, other: str, said: str):
    """A server must not start on a calendar of which nobody can say which half is right."""
    folder = tmp_path / "calendar"
    folder.mkdir()
    text = NOTICE.read_text(encoding="utf-8")
    (folder / "2026.toml").write_text(text, encoding="utf-8")
    if other == "2025.toml":  # the notice of 2025 makes a working day of one that 2026 gives off
        text = (HERE / "calendar" / "2025.toml").read_text(encoding="utf-8")
        text = text.replace("makeup_workdays = [", 'irregular = "试"\nmakeup_workdays = [\n  { date = 2026-01-03, name = "元旦" },')
    (folder / other).write_text(text, encoding="utf-8")
    with pytest.raises(TablesError, match=said):
        load_calendar(tmp_path)


def test_a_year_out_of_the_ordinary_is_taken_when_the_table_says_why(tmp_path: Path):
    extended = tmp_path / "extended.toml"
    text = NOTICE.read_text(encoding="utf-8").replace('  { date = 2026-02-28, name = "春节" },\n', "")
    extended.write_text(f'irregular = "延长春节假期的通知"\n{text}', encoding="utf-8")
    assert run(tmp_path, "import", str(extended)) == 0


def cases_across_new_year(folder: Path, count: int = 1) -> list[str]:
    """Cases accepted at the end of 2096 in the town of this folder; their ids."""
    for name in ("services", "departments", "certificates", "bundles", "events", "supervision"):
        shutil.copytree(HERE / name, folder / name, dirs_exist_ok=True)

    async def make() -> list[str]:
        async with open_office(load(settings_file(folder), {})) as opened:
            return [await accepted(replace(opened, clock=SettableClock(FAR))) for _ in range(count)]

    return asyncio.run(make())


async def accepted(office: Office) -> str:
    case = await submitted_case(office, await settle_in(office.database, uuid7()), "SJ-03")
    row = await cases.by_id(office.database, case.id)
    assert row is not None
    task = (await cases.tasks(office.database, case.id))[0]
    answer = Answer(uuid7(), "task.accepted", "SJ", case.id, row["number"], 1, None, {"case": row["number"], "task": task["id"]})
    async with office.database.transaction() as tx:
        await reviews.record(office, tx, answer)
    return case.id


def row_of(folder: Path, case_id: str) -> dict[str, Any]:
    async def look() -> dict[str, Any]:
        async with open_office(load(settings_file(folder), {})) as office:
            row = await cases.by_id(office.database, case_id)
            assert row is not None
            return row

    return asyncio.run(look())


def test_an_import_lists_and_moves_the_cases_that_were_counted_without_the_year(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    run(tmp_path, "import", str(notice(tmp_path, 2096)))
    [case] = cases_across_new_year(tmp_path)
    before = row_of(tmp_path, case)
    assert (str(before["promised_on"]), before["is_provisional"]) == ("2097-01-03", True)
    later = notice(tmp_path, 2097)
    capsys.readouterr()

    assert run(tmp_path, "import", str(later), "--dry-run") == 0
    said = capsys.readouterr().out
    assert f"{before['number']}  promised  2097-01-03 -> 2097-01-22  19 days later" in said
    assert "Cases that would be moved: 1;" in said
    assert row_of(tmp_path, case) == before

    assert run(tmp_path, "import", str(later)) == 0
    assert "Cases that were moved: 1;" in capsys.readouterr().out
    after = row_of(tmp_path, case)
    assert (str(after["promised_on"]), after["is_provisional"]) == ("2097-01-22", False)

    assert run(tmp_path, "import", str(later)) == 0
    assert "Cases that were moved: 0;" in capsys.readouterr().out
    assert row_of(tmp_path, case) == after


def test_an_amended_notice_moves_dates_that_were_certain_and_says_what_gets_shorter(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    for year in (2096, 2097):
        run(tmp_path, "import", str(notice(tmp_path, year)))
    [case] = cases_across_new_year(tmp_path)
    capsys.readouterr()

    assert run(tmp_path, "import", str(notice(tmp_path, 2097, "05-01"))) == 0

    assert "promised  2097-01-22 -> 2097-01-03  19 days earlier" in capsys.readouterr().out
    assert str(row_of(tmp_path, case)["promised_on"]) == "2097-01-03"


def test_an_import_moves_deliveries_too(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    run(tmp_path, "import", str(notice(tmp_path, 2096)))
    number = asyncio.run(granted_across_new_year(tmp_path))
    capsys.readouterr()

    for words, verb, moved in ((("--dry-run",), "would be", 1), ((), "were", 1), ((), "were", 0)):
        assert run(tmp_path, "import", str(notice(tmp_path, 2097)), *words) == 0
        said = capsys.readouterr().out
        assert (f"{number}  delivery  2097-01-10 -> 2097-01-29  19 days later" in said) == bool(moved)
        assert f"Deliveries and papers that {verb} moved: {moved}." in said


async def granted_across_new_year(folder: Path) -> str:
    """A case granted at the end of 2096, whose result waits at the counter; its number."""
    for name in ("services", "departments", "certificates", "bundles", "events", "supervision"):
        shutil.copytree(HERE / name, folder / name, dirs_exist_ok=True)
    async with open_office(load(settings_file(folder), {})) as opened:
        office = replace(opened, clock=SettableClock(FAR))
        case = await submitted_case(office, await settle_in(office.database, uuid7()), "SJ-03", Wish("counter"))
        case = await desk.accept(office, replace(CLERK, area=office.division), case.id, case.version)
        await desk.decide(office, replace(approver("SJ"), area=office.division), case.id, case.version, "granted", "符合条件")
        return str(case.number)


def test_an_import_that_is_killed_in_the_middle_goes_on_when_it_is_said_again(tmp_path: Path):
    run(tmp_path, "import", str(notice(tmp_path, 2096)))
    found = cases_across_new_year(tmp_path, 40)
    words = [
        sys.executable,
        "-m",
        "mobile_api",
        "calendar",
        "--config",
        str(settings_file(tmp_path)),
        "import",
        str(notice(tmp_path, 2097)),
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as child:
        assert child.stdout is not None
        assert any("promised" in line for line in child.stdout)
        child.kill()

    assert run(tmp_path, "import", str(tmp_path / "notice-2097.toml")) == 0

    rows = asyncio.run(histories(tmp_path, found))
    assert {(str(row["promised_on"]), row["is_provisional"]) for row, _ in rows} == {("2097-01-22", False)}
    assert {kinds.count("recounted") for _, kinds in rows} == {1}


async def histories(folder: Path, case_ids: list[str]) -> list[tuple[dict[str, Any], list[str]]]:
    """Each case's row and the kinds of its events."""
    async with open_office(load(settings_file(folder), {})) as office:
        return [
            (await cases.by_id(office.database, one) or {}, [event["type"] for event in await cases.events(office.database, one)])
            for one in case_ids
        ]


def test_a_database_that_cannot_be_reached_leaves_the_table_out_too(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    settings = settings_file(tmp_path)
    settings.write_text(
        settings.read_text().replace(f"sqlite://{tmp_path}/town.db", "postgres://nobody:x@127.0.0.1:1/town"), encoding="utf-8"
    )
    parser = argparse.ArgumentParser()
    parser.set_defaults(config=str(settings))
    calendar.add_arguments(parser)
    assert calendar.run(parser.parse_args(["import", str(NOTICE)])) == 2
    assert capsys.readouterr().err
    assert not (tmp_path / "calendar").exists()
