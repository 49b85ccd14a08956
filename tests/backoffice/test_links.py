"""A link that fails again and again rests longer and longer, and is handed to an officer after a day."""

from __future__ import annotations

import asyncio
import logging

import pytest

from backoffice.links import Breaker, Patience
from storage import links
from storage.clock import SettableClock
from storage.database import Database
from tests.support.exchange import NOW

PATIENCE = Patience(failures=3, first_rest=10.0, longest_rest=40.0, give_up_hours=24.0)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOW)


@pytest.fixture
def breaker(database: Database, clock: SettableClock) -> Breaker:
    return Breaker(database, clock, "MZ", PATIENCE)


async def test_a_few_failures_are_no_reason_to_rest(breaker: Breaker):
    for _ in range(2):
        await breaker.failed("断线")
    assert breaker.is_closed
    assert breaker.rests_for == 0
    await breaker.failed("断线")
    assert not breaker.is_closed
    assert 0 <= (breaker.rests_for or 0) <= 10


async def test_rests_grow_to_a_limit_and_end_with_a_success(breaker: Breaker, clock: SettableClock):
    longest = 0.0
    for _ in range(60):
        await breaker.failed("断线")
        assert (breaker.rests_for or 0) <= PATIENCE.longest_rest
        longest = max(longest, breaker.rests_for or 0)
        clock.advance(seconds=1)
    assert longest > PATIENCE.first_rest  # of 60 random parts of 40 s, one is over 10 s
    clock.advance(seconds=60)
    assert breaker.rests_for == 0
    assert not breaker.is_closed
    await breaker.succeeded()
    assert breaker.is_closed
    assert breaker.link.failures == 0


async def test_a_department_that_asks_for_rest_gets_what_it_asks_for(breaker: Breaker):
    await breaker.failed("HTTP 503", asked_to_wait=120.0)
    assert breaker.rests_for == 120.0


async def test_every_process_knows_what_one_has_found_out(breaker: Breaker, database: Database, clock: SettableClock):
    other = Breaker(database, clock, "MZ", PATIENCE)
    await asyncio.gather(*(one.failed("断线") for one in (breaker, other, breaker, other)))
    restarted = Breaker(database, clock, "MZ", PATIENCE)
    assert (await restarted.look()).state == "resting"
    assert restarted.link.failures == 4


async def test_after_a_day_the_link_is_paused_and_somebody_is_told(
    breaker: Breaker, clock: SettableClock, caplog: pytest.LogCaptureFixture
):
    await breaker.failed("断线")
    clock.advance(hours=23)
    await breaker.failed("断线")
    assert breaker.rests_for is not None
    clock.advance(hours=1)
    with caplog.at_level(logging.ERROR):
        await breaker.failed("断线")
        await breaker.failed("断线")
    assert breaker.rests_for is None
    assert breaker.link.reason == "连续 24 小时无法投递，已暂停：断线"
    assert caplog.text.count("mobile-api exchange wake MZ") == 1


async def test_a_success_in_between_begins_the_day_anew(breaker: Breaker, clock: SettableClock):
    await breaker.failed("断线")
    clock.advance(hours=23)
    await breaker.succeeded()
    await breaker.failed("断线")
    clock.advance(hours=23)
    await breaker.failed("断线")
    assert breaker.link.state == "working"


async def test_a_link_at_work_is_written_to_once_a_minute_at_most(breaker: Breaker, database: Database, clock: SettableClock):
    await breaker.succeeded()
    first = await links.read(database, "MZ")
    clock.advance(seconds=59)
    await breaker.succeeded()
    assert await links.read(database, "MZ") == first
    clock.advance(seconds=2)
    await breaker.succeeded()
    assert (await links.read(database, "MZ")).heard_at == clock.now()
