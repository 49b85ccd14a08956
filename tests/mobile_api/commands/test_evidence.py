"""`mobile-api evidence` says whether the log holds, and names the first line that does not."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from pathlib import Path

import pytest

from handlers.keys import Keys
from mobile_api.__main__ import main
from storage import evidence, inbox
from storage.bell import Bell
from storage.database import Database
from tests.support.apart import run_apart

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database that the settings name, with a message in its log."""
    url = f"sqlite://{tmp_path}/town.db"
    monkeypatch.setenv("MOBILE_API_DATABASE__URL", url)
    monkeypatch.setenv("MOBILE_API_SECRETS__DIR", str(tmp_path / "secrets"))
    monkeypatch.setenv("MOBILE_API_FILES__URL", f"file://{tmp_path}/files")
    Keys.create(tmp_path / "secrets")
    assert main(["migrate"]) == 0
    run_apart(happen(url, "INSERT INTO counter (name, value) VALUES ('nothing', 1)"))
    return url


async def happen(url: str, change: str) -> None:
    """A message comes and goes into the log, then somebody changes the database."""
    database = await Database.open(url, Bell(), pool=1)
    try:
        await inbox.set_aside(database, department="MZ", kind="poison", message_id="m", reason="不是 JSON", body=b"<xml/>", now=NOW)
        await evidence.chain(database, None, 10, NOW)
        await database.execute(change)
    finally:
        await database.close()


def test_a_log_that_holds_says_so_and_agrees_with_its_checkpoint(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["evidence", "checkpoint", "--out", str(tmp_path / "point.json")]) == 0
    assert main(["evidence", "verify", "--checkpoint", str(tmp_path / "point.json")]) == 0
    assert "The log holds: 1 lines" in capsys.readouterr().out
    assert main(["evidence", "export"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert hashlib.sha256(base64.b64decode(line["body_base64"])).hexdigest() == line["body_digest"]


def test_a_changed_line_is_named_and_the_exit_code_says_it(url: str, capsys: pytest.CaptureFixture[str]):
    run_apart(happen(url, "UPDATE evidence SET department = 'GA'"))
    assert main(["evidence", "verify"]) == 1
    assert "line 1" in capsys.readouterr().out
    assert main(["evidence", "verify", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["holds"] is False


def test_what_is_not_there_is_said_with_what_to_do(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "bad.json").write_text("{}", encoding="utf-8")
    assert main(["evidence", "verify", "--checkpoint", str(tmp_path / "bad.json")]) == 1
    assert main(["evidence", "verify", "--checkpoint", str(tmp_path / "none.json")]) == 1
    assert main(["evidence", "show", "--case", "nothing"]) == 1
    said = capsys.readouterr().err
    assert "is no checkpoint" in said
    assert "does not exist" in said
    assert "There is no case nothing" in said
