"""A department's journal has no gap, however many write, and keeps the order of every case line."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from storage import journal
from storage.database import Database
from tests.support import exchange
from tests.support.exchange import NOW, command

LANES = [("MZ", 0), ("MZ", 1)]
LATER = NOW + dt.timedelta(hours=1)


@pytest.fixture
async def cases(database: Database) -> dict[str, str]:
    resident = await exchange.add_resident(database)
    return {number: await exchange.add_case(database, resident, number) for number in ("2611240001", "2611240002", "2611240003")}


async def write(database: Database, cases: dict[str, str], rounds: int) -> None:
    for _ in range(rounds):
        for number, case_id in cases.items():
            await exchange.send(database, command(case_id, number, partitions=2))


async def positions(database: Database) -> list[int]:
    return [posted.position for posted in await journal.page(database, "MZ", 0, 1000)]


async def test_positions_have_no_gap_and_keep_the_order_of_each_line(database: Database, cases: dict[str, str]) -> None:
    async def post() -> None:
        for _ in range(10):
            await journal.post(database, LANES, 3, NOW)

    await asyncio.gather(write(database, cases, 6), post(), post())
    while await journal.post(database, LANES, 3, NOW):
        pass
    found = await journal.page(database, "MZ", 0, 1000)
    assert [posted.position for posted in found] == list(range(1, 19))
    for case_id in cases.values():
        assert [posted.letter.sequence for posted in found if posted.letter.case_id == case_id] == [1, 2, 3, 4, 5, 6]


async def test_a_confirmation_counts_for_all_before_it_and_never_goes_back(database: Database, cases: dict[str, str]) -> None:
    await write(database, cases, 1)
    await journal.post(database, LANES, 10, NOW)
    assert await journal.confirm(database, "MZ", 2, NOW) == 2
    assert await journal.confirm(database, "MZ", 1, NOW) == 2
    assert await journal.confirm(database, "MZ", 99, NOW) == 3
    assert await journal.undelivered(database, "MZ", 0, 10) == []
    await write(database, cases, 1)
    assert await journal.post(database, LANES, 10, NOW) == 3
    assert [posted.position for posted in await journal.undelivered(database, "MZ", 0, 10)] == [4, 5, 6]


async def test_a_delivery_that_failed_keeps_its_time_and_reason(database: Database, cases: dict[str, str]) -> None:
    await write(database, cases, 1)
    await journal.post(database, LANES, 10, NOW)
    first, second, _ = await journal.undelivered(database, "MZ", 0, 10)
    await journal.put_off(database, first, "503 " * 100, LATER)
    await journal.confirm_one(database, second, NOW)
    waiting, last = await journal.undelivered(database, "MZ", 0, 10)
    assert (waiting.position, waiting.next_at, waiting.tries) == (first.position, LATER, 1)
    assert last.position == 3


async def test_a_replay_delivers_again_from_a_position_on(database: Database, cases: dict[str, str]) -> None:
    await write(database, cases, 1)
    await journal.post(database, LANES, 10, NOW)
    await journal.confirm(database, "MZ", 3, NOW)
    assert await journal.replay(database, "MZ", 2, NOW) == 2
    assert [posted.position for posted in await journal.undelivered(database, "MZ", 0, 10)] == [2, 3]
    assert await journal.confirm(database, "MZ", 3, NOW) == 3
    assert await journal.undelivered(database, "MZ", 0, 10) == []


async def test_what_was_on_its_way_by_stream_is_posted_after_a_change_of_link(database: Database, cases: dict[str, str]) -> None:
    await write(database, cases, 1)
    await database.execute("UPDATE outbox SET sent_at = $1, stream_id = '1-1' WHERE sequence = 1", NOW)
    assert await journal.post(database, LANES, 10, NOW) == 0
    await journal.adopt(database, "MZ")
    assert await journal.post(database, LANES, 10, NOW) == 3
    assert await positions(database) == [1, 2, 3]
