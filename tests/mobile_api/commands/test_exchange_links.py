"""`mobile-api exchange` pauses and wakes a link, replays its journal, and keeps on record who did."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pytest

from mobile_api.__main__ import main
from storage import audit, deliveries, journal, outbox
from storage.bell import Bell
from storage.database import Database
from tests.support import exchange
from tests.support.apart import run_apart

TABLES = Path(__file__).resolve().parents[3] / "config"
NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A town whose civil affairs office (MZ) is called by webhook."""
    tables = tmp_path / "tables"
    shutil.copytree(TABLES, tables, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    office = tables / "departments" / "MZ.toml"
    changed = office.read_text(encoding="utf-8").replace('\nlink = "queue"', '\nlink = "webhook"\naddress = "https://mz.example.gov.cn/in"')
    office.write_text(changed, encoding="utf-8")
    url = f"sqlite://{tmp_path}/town.db"
    monkeypatch.setenv("MOBILE_API_TOWN__TABLES", str(tables))
    monkeypatch.setenv("MOBILE_API_DATABASE__URL", url)
    monkeypatch.setenv("MOBILE_API_SECRETS__DIR", str(tmp_path / "secrets"))
    monkeypatch.setenv("MOBILE_API_FILES__URL", f"file://{tmp_path}/files")
    assert main(["migrate"]) == 0
    return url


async def with_database(url: str, act: Any) -> Any:
    """What the act gives back, on a connection of its own."""
    database = await Database.open(url, Bell(), pool=1)
    try:
        return await act(database)
    finally:
        await database.close()


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["exchange", "--by", "李主任", *words]) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


async def _refused_message(database: Database) -> str:
    case_id = await exchange.add_case(database, await exchange.add_resident(database), "2611240001")
    [letter_id, _] = await exchange.send(database, *(exchange.command(case_id, "2611240001") for _ in range(2)))
    await journal.post(database, [("MZ", 0)], 10, NOW)
    [posted, _] = await journal.page(database, "MZ", 0, 10)
    await deliveries.hold(database, posted, "HTTP 422：格式不对")
    return letter_id


def test_a_link_is_paused_shown_with_its_reason_and_woken(url: str, capsys: pytest.CaptureFixture[str]):
    assert "MZ       webhook  working  heard never" in said(capsys, "links")
    assert "paused" in said(capsys, "pause", "MZ", "--reason", "系统升级")
    assert "already" in said(capsys, "pause", "MZ")
    assert "paused   heard never  failures 0  系统升级" in said(capsys, "links")
    assert "awake" in said(capsys, "wake", "MZ")
    assert "working" in said(capsys, "links")
    acts = run_apart(with_database(url, lambda database: audit.of_object(database, "exchange_link", "MZ")))
    assert [(row["action"], row["actor_id"]) for row in acts] == [
        ("exchange.woken", "李主任"), ("exchange.paused", "李主任"), ("exchange.paused", "李主任"),
    ]  # fmt: skip


def test_a_refused_message_is_listed_tried_again_or_given_up(url: str, capsys: pytest.CaptureFixture[str]):
    letter_id = run_apart(with_database(url, _refused_message))
    assert f"  {letter_id}  case" in said(capsys, "links")
    assert "HTTP 422：格式不对" in said(capsys, "links")
    assert "the line of MZ goes on" in said(capsys, "pass-over", letter_id)
    assert letter_id not in said(capsys, "links")
    assert "No such link or message" in said(capsys, "pass-over", letter_id, code=1)


async def _unopened_message(database: Database) -> str:
    case_id = await exchange.add_case(database, await exchange.add_resident(database), "2611240001")
    [letter_id] = await exchange.send(database, exchange.command(case_id, "2611240001", "GA"))
    [letter] = await outbox.unsent(database, ("GA", 0), 10)
    await outbox.hold(database, letter, "消息在本系统中无法解封")
    return letter_id


def test_a_message_to_a_queue_that_does_not_open_is_listed_and_tried_again(url: str, capsys: pytest.CaptureFixture[str]):
    assert "GA " not in said(capsys, "links")
    letter_id = run_apart(with_database(url, _unopened_message))
    assert f"  {letter_id}  case" in said(capsys, "links")
    assert "position -  消息在本系统中无法解封" in said(capsys, "links")
    assert "1 messages are tried again" in said(capsys, "wake", "GA")
    assert letter_id not in said(capsys, "links")


def test_a_journal_is_replayed_from_a_position(url: str, capsys: pytest.CaptureFixture[str]):
    run_apart(with_database(url, _refused_message))
    assert "1 messages are tried again" in said(capsys, "wake", "MZ")
    assert "1 messages are delivered again" in said(capsys, "replay", "MZ", "--from", "2")
    assert "2 messages are delivered again" in said(capsys, "replay", "MZ", "--from", "1")


async def _confirmed(database: Database) -> None:
    """One message to MZ through its journal and two to GA by queue, each confirmed an hour after the one before."""
    case_id = await exchange.add_case(database, await exchange.add_resident(database), "2611240001")
    departments = ("MZ", "GA", "GA")
    letters = await exchange.send(database, *(exchange.command(case_id, "2611240001", department) for department in departments))
    await journal.post(database, [("MZ", 0)], 10, NOW)
    for hours, letter in enumerate(letters):
        at = NOW + dt.timedelta(hours=hours)
        await database.execute("UPDATE outbox SET sent_at = $1, confirmed_at = $2, stream_id = '1-1' WHERE id = $3", NOW, at, letter)


@pytest.mark.parametrize(
    ("code", "since", "many"), [("MZ", "2026-11-24", 1), ("GA", "2026-11-24T10:00", 1), ("GA", "2026-11-23", 2), ("GA", "2026-11-25", 0)]
)
def test_what_was_confirmed_since_a_backup_is_sent_again_by_any_link(
    url: str, capsys: pytest.CaptureFixture[str], code: str, since: str, many: int
):
    run_apart(with_database(url, _confirmed))
    assert f"{many} messages are delivered again" in said(capsys, "replay", code, "--since", since)
    open_rows = run_apart(
        with_database(url, lambda database: database.rows("SELECT department, sent_at FROM outbox WHERE confirmed_at IS NULL"))
    )
    assert [row["department"] for row in open_rows] == [code] * many
    assert all(row["sent_at"] is None for row in open_rows if code == "GA")  # for the relay to send, as if it had never been
    acts = run_apart(with_database(url, lambda database: audit.of_object(database, "exchange_link", code)))
    assert [row["action"] for row in acts] == ["exchange.replayed"]


@pytest.mark.parametrize("code", ["GA", "XX"])
def test_what_has_no_journal_is_said(url: str, capsys: pytest.CaptureFixture[str], code: str):
    for words in (("pause", code), ("replay", code, "--from", "1")):
        assert "No such link" in said(capsys, *words, code=1)


def test_there_is_nothing_to_wake_of_a_department_that_does_not_exist(url: str, capsys: pytest.CaptureFixture[str]):
    assert "No such link" in said(capsys, "wake", "XX", code=1)
