from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import pytest

from config.settings import HERE
from mobile_api.commands import calendar

NOTICE = HERE / "calendar" / "2026.toml"


def run(folder: Path, *words: str) -> int:
    settings = folder / "settings.toml"
    settings.write_text(f'[town]\ntables = "{folder}"\n', encoding="utf-8")
    parser = argparse.ArgumentParser()
    parser.set_defaults(config=str(settings))
    calendar.add_arguments(parser)
    return calendar.run(parser.parse_args(words))


def test_a_new_year_is_checked_copied_and_known_from_then_on(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert run(tmp_path, "import", str(NOTICE)) == 0
    said = capsys.readouterr().out
    assert "248 working days" in said
    assert "was not known before" in said
    assert (tmp_path / "calendar" / "2026.toml").read_bytes() == NOTICE.read_bytes()
    assert [path.name for path in (tmp_path / "calendar").iterdir()] == ["2026.toml"]
    assert run(tmp_path, "show") == 0
    assert capsys.readouterr().out.startswith("2026  33 days off")


def test_an_amended_notice_says_which_days_change(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    run(tmp_path, "import", str(NOTICE))
    amended = tmp_path / "amended.toml"
    text = NOTICE.read_text(encoding="utf-8").replace('  { date = 2026-01-02, name = "元旦" },\n', "")
    amended.write_text(text, encoding="utf-8")
    capsys.readouterr()

    assert run(tmp_path, "import", str(amended), "--dry-run") == 0
    assert "2026-01-02 Fri: worked (was off)" in capsys.readouterr().out
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
