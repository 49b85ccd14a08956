"""kill -9 while residents are at it, in small: the whole measure is `python -m tests.chaos.kill` by hand."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.chaos.check import Kept, broken
from tests.chaos.kill import Plan, chaos
from tests.chaos.ledger import Ledger

SEED = 20261124

DAMAGES = {
    "histories": "DELETE FROM case_event WHERE type = 'accepted'",
    "promised_cases": "UPDATE cases SET state = 'in_review', decision = NULL",
    "lines": "UPDATE outbox SET confirmed_at = NULL WHERE sequence = 1",
    "answers": "DELETE FROM inbox",
    "accounts": "DELETE FROM account_event WHERE n = 3",
    "files": "UPDATE upload SET id = 'somewhere-else' WHERE id = (SELECT min(upload_id) FROM case_material)",
    "cards": "UPDATE task SET result = 'refused' WHERE step = 'decide'",
    "messages": "DELETE FROM notification WHERE event = 'case.decided'",
}
"""What the comparison must notice, by the check that does."""


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_nothing_acknowledged_is_lost_or_doubled_when_the_server_is_killed(database_url: str, tmp_path: Path):
    plan = Plan(journeys=16, kills=5, seed=SEED, database=database_url, patience=90)

    report = await chaos(plan, tmp_path)

    assert report.held, report.text(plan)
    assert report.deaths["server"] == plan.kills
    assert len(report.ledger.cases) == plan.journeys + 2  # two from the rehearsal


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_nor_when_departments_wechat_and_valkey_are_killed_too(sqlite_url: str, tmp_path: Path):
    plan = Plan(journeys=8, kills=4, seed=SEED, database=sqlite_url, also=("departments", "wechat", "valkey"), patience=90)

    report = await chaos(plan, tmp_path)

    assert report.held, report.text(plan)
    assert sum(report.deaths.values()) == 6


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_the_comparison_notices_every_kind_of_damage(sqlite_url: str, tmp_path: Path):
    report = await chaos(Plan(journeys=1, kills=0, seed=SEED, database=sqlite_url), tmp_path)
    assert report.held, report.text(Plan(1, 0, SEED, sqlite_url))

    for check, damage in DAMAGES.items():
        noticed = await _after(damage, sqlite_url, tmp_path, report.ledger)
        assert any(line.startswith(check) for line in noticed), f"{check} did not notice: {damage}"
    forgotten = Ledger(cases={**report.ledger.cases, "no-such-case": {"number": "1"}}, events=report.ledger.events)
    assert "promised_cases: case no-such-case was acknowledged and is lost" in broken(await Kept.of(sqlite_url, tmp_path), forgotten)
    doubled = Ledger(events=report.ledger.events)
    assert any("took effect twice" in line for line in broken(await Kept.of(sqlite_url, tmp_path), doubled))


async def _after(damage: str, url: str, folder: Path, ledger: Ledger) -> list[str]:
    """What is broken in a copy of the town that was damaged."""
    damaged = folder / "damaged.db"
    damaged.unlink(missing_ok=True)
    with sqlite3.connect(url.removeprefix("sqlite://")) as whole, sqlite3.connect(damaged) as copy:
        whole.backup(copy)
        assert copy.execute(damage).rowcount > 0, f"nothing to damage: {damage}"
        copy.commit()
    whole.close()
    copy.close()
    return broken(await Kept.of(f"sqlite://{damaged}", folder), ledger)
