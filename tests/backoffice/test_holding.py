from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from backoffice.counts import Counts
from backoffice.holding import Holding
from storage import leases
from storage.clock import SettableClock, SystemClock
from storage.database import Database
from storage.tasks import end
from tests.support.exchange import NOW, until

NAMES = [f"relay:MZ.{n}" for n in range(5)]
MakeHolding = Callable[..., Holding]


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOW)


@pytest.fixture
def make_holding(database: Database, clock: SettableClock) -> MakeHolding:
    def make(holder: str, **more: Any) -> Holding:
        parts = {"seconds": 10, "names": NAMES, "counts": Counts(), **more}
        return Holding(database, parts.pop("clock", clock), holder, **parts)

    return make


def held(holding: Holding) -> list[int | None]:
    return [holding.fence(name) for name in NAMES]


async def test_the_first_takes_all_and_the_second_nothing_until_they_run_out(make_holding: MakeHolding, clock: SettableClock) -> None:
    first, second = make_holding("first"), make_holding("second")
    await first.renew()
    await second.renew()
    assert (held(first), held(second)) == ([1] * 5, [None] * 5)
    clock.advance(seconds=10)
    await second.renew()
    assert (held(first), held(second)) == ([None] * 5, [2] * 5)


async def test_a_holder_stops_before_the_lease_ends_for_clocks_differ(make_holding: MakeHolding, clock: SettableClock) -> None:
    holding = make_holding("first")
    await holding.renew()
    clock.advance(seconds=8.9)
    assert holding.lease(NAMES[0]) == (NAMES[0], "first", 1)
    clock.advance(seconds=0.2)
    assert holding.lease(NAMES[0]) is None
    await holding.renew()
    assert held(holding) == [1] * 5


async def test_what_is_given_back_is_free_at_once(make_holding: MakeHolding) -> None:
    first, second = make_holding("first"), make_holding("second")
    await first.renew()
    await first.release()
    await second.renew()
    assert (held(first), held(second)) == ([None] * 5, [2] * 5)


async def test_what_another_took_over_is_not_given_back_for_it(make_holding: MakeHolding, clock: SettableClock) -> None:
    first, second, third = (make_holding(name) for name in ("first", "second", "third"))
    await first.renew()
    clock.advance(seconds=10)
    await second.renew()
    await first.release()
    await third.renew()
    assert (held(second), held(third)) == ([2] * 5, [None] * 5)


async def test_whoever_waits_is_woken_when_the_lease_comes(make_holding: MakeHolding) -> None:
    holding = make_holding("first")
    waiting = asyncio.create_task(holding.wait(NAMES[0]))
    await asyncio.sleep(0)
    assert not waiting.done()
    await holding.renew()
    async with asyncio.timeout(5):
        await waiting


async def test_what_a_dead_process_held_is_taken_over_within_a_second_of_its_end(make_holding: MakeHolding) -> None:
    seconds, loop = 3.6, asyncio.get_running_loop()  # a third of it is more than the second allows
    dead, heir = (make_holding(name, seconds=seconds, clock=SystemClock()) for name in ("dead", "heir"))
    await dead.renew()
    inheriting = asyncio.create_task(heir.run())
    await asyncio.sleep(0.05)
    await dead.renew()  # just after the heir has looked: the longest wait
    died = loop.time()
    try:
        await until(inherited(heir))
    finally:
        await end([inheriting])
    assert seconds - 0.1 <= loop.time() - died <= seconds + 1


async def test_what_a_process_with_a_clock_a_day_ahead_held_is_taken_over_when_it_has_died(make_holding: MakeHolding) -> None:
    seconds, loop = 0.6, asyncio.get_running_loop()
    ahead = SettableClock(SystemClock().now())
    ahead.advance(days=1)
    wrong, heir = make_holding("wrong", seconds=seconds, clock=ahead), make_holding("heir", seconds=seconds, clock=SystemClock())
    await wrong.renew()
    inheriting = asyncio.create_task(heir.run())
    try:
        lived = loop.time()
        while loop.time() - lived < 3 * seconds:  # as long as it lives it keeps them
            ahead.advance(seconds=0.1)
            await wrong.renew()
            assert held(heir) == [None] * 5
            await asyncio.sleep(0.1)
        await until(inherited(heir))
        assert held(heir) == [2] * 5
        await wrong.renew()  # and if it was not dead, only asleep, the fence tells
        assert await leases.renew(heir._database, NAMES[0], "heir", 2, SystemClock().now(), seconds) is False
    finally:
        await end([inheriting])


def inherited(heir: Holding) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return None not in held(heir)

    return look
