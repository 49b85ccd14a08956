"""The state of a link is one row that any process may read, and that no late word of success or failure un-pauses."""

from __future__ import annotations

import asyncio
import datetime as dt

from storage import journal, links
from storage.bell import Bell
from storage.database import Database
from storage.links import Link
from tests.support.exchange import NOW

LATER = NOW + dt.timedelta(minutes=5)


async def pause(database: Database, reason: str = "维护") -> bool:
    async with database.transaction() as tx:
        return await links.pause(tx, "MZ", reason, NOW)


async def wake(database: Database) -> bool:
    async with database.transaction() as tx:
        return await links.wake(tx, "MZ", LATER)


async def test_a_link_nobody_used_is_working(database: Database):
    assert await links.read(database, "MZ") == Link("MZ")
    assert await links.read_all(database) == {}
    assert await wake(database) is False


async def test_failures_are_counted_from_the_first_and_forgotten_with_a_success(database: Database):
    assert (await links.failed(database, "MZ", "一", NOW)).failures == 1
    link = await links.failed(database, "MZ", "二" * 400, LATER)
    assert (link.failures, link.failing_since_at, link.reason, link.state) == (2, NOW, "二" * 300, "working")
    await links.rest(database, "MZ", LATER, NOW)
    assert (await links.read(database, "MZ")).state == "resting"
    await links.succeeded(database, "MZ", LATER)
    assert await links.read(database, "MZ") == Link("MZ", heard_at=LATER, changed_at=LATER)


async def test_failures_counted_at_the_same_moment_are_all_counted(database: Database):
    await asyncio.gather(*(links.failed(database, "MZ", "断线", NOW) for _ in range(10)))
    assert (await links.read(database, "MZ")).failures == 10


async def test_a_paused_link_stays_paused_with_its_reason_whatever_comes_in_late(database: Database):
    assert await pause(database)
    assert not await pause(database, "别的原因")
    await links.failed(database, "MZ", "断线", LATER)
    await links.rest(database, "MZ", LATER, LATER)
    await links.succeeded(database, "MZ", LATER)
    link = await links.read(database, "MZ")
    assert (link.state, link.reason, link.rests_until_at) == ("paused", "维护", None)
    assert await wake(database)
    assert (await links.read(database, "MZ")).state == "working"


async def test_pausing_and_waking_ring_for_whoever_carries(database: Database, bell: Bell):
    with bell.listen(links.BELL) as ticket:
        await pause(database)
        assert await ticket.wait(1)
        await wake(database)
        assert await ticket.wait(1)


async def test_the_state_of_a_link_leaves_the_journals_positions_alone(database: Database):
    async with database.transaction() as tx:
        await journal.link(tx, "MZ", NOW)
    await database.execute("UPDATE exchange_link SET position = 7, taken = 5 WHERE department = 'MZ'")
    await links.failed(database, "MZ", "断线", NOW)
    await pause(database)
    await wake(database)
    await links.succeeded(database, "MZ", LATER)
    row = await database.one("SELECT position, taken FROM exchange_link WHERE department = 'MZ'")
    assert row == {"position": 7, "taken": 5}
