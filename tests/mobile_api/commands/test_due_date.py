from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from mobile_api.commands import due_date

OVERLAPPING = ("--suspended", "2026-02-24..2026-02-25", "--suspended", "2026-02-25..2026-02-26")


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    parser.set_defaults(config=None)
    due_date.add_arguments(parser)
    return due_date.run(parser.parse_args(words))


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert run(*words, "--json") == 0
    values: dict[str, object] = json.loads(capsys.readouterr().out)
    return values


@pytest.mark.parametrize(
    ("words", "due"),
    [
        (["--accepted", "2026-02-13", "--days", "5"], "2026-02-27"),
        (["--accepted", "2026-02-27", "--days", "1"], "2026-02-28"),
        (["--accepted", "2026-02-27T17:59", "--days", "1"], "2026-02-28"),
        (["--accepted", "2026-02-12T16:30:00Z", "--days", "5"], "2026-02-27"),
        (["--accepted", "2026-02-13", "--days", "7", "--unit", "natural"], "2026-02-20"),
        (["--accepted", "2026-02-13", "--days", "5", "--suspended", "2026-02-24..2026-02-25"], "2026-03-02"),
        (["--accepted", "2026-02-13", "--days", "5", *OVERLAPPING], "2026-03-03"),
        (["--accepted", "2026-02-13T10:00", "--days", "5", "--counting", "instant"], "2026-02-27"),
        (["--accepted", "2026-02-13", "--days", "0"], "2026-02-13"),
    ],
)  # fmt: skip
def test_the_date_by_json(capsys: pytest.CaptureFixture[str], words: list[str], due: str):
    assert answer(capsys, *words)["due_on"] == due


def test_the_first_line_is_the_date_and_the_others_say_why(capsys: pytest.CaptureFixture[str]):
    assert run("--accepted", "2026-02-13", "--days", "5") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2026-02-27"
    assert any("春节放假 9 天" in line for line in lines)
    assert run("--accepted", "2026-02-13", "--days", "5", "--lang", "en") == 0
    assert "Spring Festival, 9 days off" in capsys.readouterr().out


def test_the_earlier_of_two_limits_is_printed_with_both_explanations(capsys: pytest.CaptureFixture[str]):
    words = ("--accepted", "2026-02-13", "--days", "10", "--legal", "15", "--legal-unit", "natural")
    assert run(*words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2026-02-28"
    assert any("第 10 个工作日为2026年3月5日" in line for line in lines)
    assert "以法定到期日2026年2月28日" in lines[-1]
    assert answer(capsys, "--accepted", "2026-03-02", "--days", "5", "--legal", "10")["due_on"] == "2026-03-09"


def test_a_date_beyond_the_known_years_is_called_provisional(capsys: pytest.CaptureFixture[str]):
    assert answer(capsys, "--accepted", "2099-12-25", "--days", "10")["provisional"] is True
    assert run("--accepted", "2099-12-25", "--days", "10") == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("（暂定）")


def test_a_clock_that_stands_still_has_no_date(capsys: pytest.CaptureFixture[str]):
    values = answer(capsys, "--accepted", "2026-03-02", "--days", "5", "--suspended", "2026-03-04..")
    assert (values["due_on"], values["days_left"]) == (None, 4)


@pytest.mark.parametrize(
    "words",
    [
        ["--accepted", "2026-02-30", "--days", "5"],
        ["--accepted", "tomorrow", "--days", "5"],
        ["--accepted", "1000-01-01", "--days", "5"],
        ["--accepted", "9999-12-31T23:59:59-12:00", "--days", "5"],
        ["--accepted", "2026-02-13", "--days", "-1"],
        ["--accepted", "2026-02-13", "--days", "five"],
        ["--accepted", "2026-02-13", "--days", "99999999999"],
        ["--accepted", "2026-02-13", "--days", "5", "--suspended", "2026-02-14"],
        ["--accepted", "2026-02-13", "--days", "5", "--suspended", "2026-02-20..2026-02-14"],
        ["--accepted", "2026-02-13"],
    ],
)
def test_what_cannot_be_used_ends_with_2_and_a_reason(capsys: pytest.CaptureFixture[str], words: list[str]):
    with pytest.raises(SystemExit) as ended:
        run(*words)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_another_calendar_can_be_tried_out(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    table = tmp_path / "2027.toml"
    table.write_text('year = 2027\ndays_off = [{ date = 2027-01-01, name = "元旦" }]\n', encoding="utf-8")
    assert run("--accepted", "2026-12-31", "--days", "1", "--calendar", str(table), "--json") == 2
    assert f"{table}:2: [statutory-days]" in capsys.readouterr().err
    days = ", ".join(f'{{ date = 2027-02-{day:02d}, name = "春节" }}' for day in range(1, 17))  # twelve of them Mondays to Fridays
    table.write_text(f'year = 2027\ndays_off = [{{ date = 2027-01-01, name = "元旦" }}, {days}]\n', encoding="utf-8")
    values = answer(capsys, "--accepted", "2027-01-29", "--days", "1", "--calendar", str(table))
    assert (values["due_on"], values["provisional"]) == ("2027-02-17", False)


def test_a_calendar_that_is_not_there_or_no_toml_ends_with_2(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    broken = tmp_path / "2027.toml"
    broken.write_text("year = = 2027", encoding="utf-8")
    for file in (tmp_path / "none.toml", broken):
        assert run("--accepted", "2026-12-31", "--days", "1", "--calendar", str(file)) == 2
        assert file.name in capsys.readouterr().err
