"""`mobile-api exchange` shows what was set aside and settles it; what cannot be done is said on stderr."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from mobile_api.__main__ import main
from storage import inbox
from storage.bell import Bell
from storage.database import Database
from tests.support.apart import run_apart

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database that the settings name, migrated by the first command."""
    url = f"sqlite://{tmp_path}/town.db"
    monkeypatch.setenv("MOBILE_API_DATABASE__URL", url)
    monkeypatch.setenv("MOBILE_API_SECRETS__DIR", str(tmp_path / "secrets"))
    monkeypatch.setenv("MOBILE_API_FILES__URL", f"file://{tmp_path}/files")
    return url


async def set_one_aside(url: str) -> None:
    """A message of MZ that nobody could read."""
    database = await Database.open(url, Bell(), pool=1)
    try:
        await inbox.set_aside(database, department="MZ", kind="poison", message_id="m", reason="不是 JSON", body=b"<xml/>", now=NOW)
    finally:
        await database.close()


def test_a_message_is_listed_with_its_reason_and_gone_once_skipped(url: str, capsys: pytest.CaptureFixture[str]):
    assert main(["exchange", "list"]) == 0
    assert "Nothing is set aside." in capsys.readouterr().out
    run_apart(set_one_aside(url))
    assert main(["exchange", "list"]) == 0
    line = capsys.readouterr().out.strip()
    assert line.endswith("不是 JSON")
    assert main(["exchange", "retry", line.split()[0]]) == 1
    assert line.split()[0] in capsys.readouterr().err
    assert main(["exchange", "--by", "admin", "skip", line.split()[0]]) == 0
    assert main(["exchange", "skip", line.split()[0]]) == 1
    assert "No open message" in capsys.readouterr().err
    assert main(["exchange", "retry", "no-such-message"]) == 1
    assert "No open message" in capsys.readouterr().err
    assert main(["exchange", "list"]) == 0
    assert "Nothing is set aside." in capsys.readouterr().out


def test_what_could_not_be_read_is_settled_for_a_department_at_once(url: str, capsys: pytest.CaptureFixture[str]):
    assert main(["migrate"]) == 0
    run_apart(set_one_aside(url))
    assert main(["exchange", "skip-unread", "XX"]) == 1
    assert "There is no department XX" in capsys.readouterr().err
    assert main(["exchange", "--by", "李主任", "skip-unread", "MZ", "--reason", "程序出错"]) == 0
    assert "1 messages skipped" in capsys.readouterr().out
    assert main(["exchange", "list"]) == 0
    assert "Nothing is set aside." in capsys.readouterr().out
