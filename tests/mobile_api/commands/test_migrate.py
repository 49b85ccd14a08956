from __future__ import annotations

from pathlib import Path

import pytest

from mobile_api.__main__ import main
from storage.migrate import migrations


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database file that the settings name; it does not exist yet."""
    path = tmp_path / "data" / "town.db"
    monkeypatch.setenv("MOBILE_API_DATABASE__URL", f"sqlite://{path}")
    return path


def test_a_first_run_applies_everything_and_a_second_nothing(file: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"applied: {migration.name}" for migration in migrations()]
    assert main(["migrate"]) == 0
    assert "up to date" in capsys.readouterr().out


def test_a_dry_run_says_what_it_would_do_and_does_nothing(file: Path, capsys: pytest.CaptureFixture[str]):
    for _ in range(2):
        assert main(["migrate", "--dry-run"]) == 0
        assert capsys.readouterr().out.splitlines() == [f"to apply: {migration.name}" for migration in migrations()]


def test_a_database_that_cannot_be_used_is_an_error_with_the_settings_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MOBILE_API_DATABASE__URL", "postgres://postgres@127.0.0.1:1/none")
    assert main(["migrate"]) == 1
    assert "MOBILE_API_DATABASE__URL" in capsys.readouterr().err
