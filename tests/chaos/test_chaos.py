"""The exchange under faults, in small: nothing lost, doubled or out of order; `./run chaos --minutes N` by hand is the long way."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.chaos.exchange.machine import Report, run
from tests.chaos.exchange.plan import Fault, Plan, draw
from tests.support.postgres import NoPostgresError

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SECONDS = 12.0
WRONG_CLOCK = 8.0

LOSS = Fault(0.0, "redis-flush-when-full", "redis", 0)
COPIES = Fault(0.0, "repeat", "streams", 0, 20)
QUIET = Plan(seed=1, seconds=1.0, database="sqlite", faults=())


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose name is short enough for a socket."""
    with TemporaryDirectory(prefix="chaos-") as name:
        yield Path(name)


async def played(plan: Plan, folder: Path) -> Report:
    """The report of a run; where there is no PostgreSQL the test is skipped, with CI=true it fails."""
    try:
        report = await run(plan, folder)
    except NoPostgresError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    print(report.text())  # noqa: T201 - the seed, for whoever wants it again
    return report


@pytest.mark.parametrize(("seed", "database"), [(11, "sqlite"), (12, "postgres"), (13, "sqlite")])
async def test_every_message_takes_effect_once_and_in_order_whatever_dies(seed: int, database: str, folder: Path) -> None:
    report = await played(draw(seed, SECONDS, database, WRONG_CLOCK), folder)
    assert report.held, report.text()
    assert report.commits
    assert sum(report.done.values()) > SECONDS


async def test_and_so_with_a_seed_that_nobody_has_tried(folder: Path) -> None:
    report = await played(draw(secrets.randbelow(2**31), SECONDS, "postgres", WRONG_CLOCK), folder)
    assert report.held, report.text()


async def test_a_loss_and_old_copies_are_borne(folder: Path) -> None:
    report = await played(replace(QUIET, faults=(LOSS, COPIES)), folder)
    assert report.held, report.text()
    assert report.done == {"redis-flush-when-full": 1, "repeat": 40}


async def test_and_without_the_inbox_the_judge_finds_the_copies_doubled(folder: Path) -> None:
    report = await played(replace(QUIET, faults=(COPIES,), control="inbox-off"), folder)
    assert report.verdict.doubled, report.text()


async def test_and_without_resending_the_judge_finds_the_loss(folder: Path) -> None:
    report = await played(replace(QUIET, faults=(LOSS,), control="resend-off", patience=4), folder)
    assert report.verdict.lost, report.text()
