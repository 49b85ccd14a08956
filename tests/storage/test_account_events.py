"""An account's line of events: numbers without gap, whatever happens at once, and an unread count that follows them."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from storage import account_events
from storage.account_events import Position
from storage.bell import Bell
from storage.database import Database

AT = dt.datetime(2026, 11, 24, 1, 2, 3, 456789, tzinfo=dt.UTC)


async def _append(database: Database, account: str = "a", **data: object) -> int:
    async with database.transaction() as tx:
        return await account_events.append(tx, account, "case.accepted", "c1", data, AT)


async def _append_and_fail(database: Database) -> None:
    async with database.transaction() as tx:
        await account_events.append(tx, "a", "case.accepted", None, {}, AT)
        raise RuntimeError("changed my mind")


async def _mark(database: Database, to: int) -> Position:
    async with database.transaction() as tx:
        return await account_events.mark_read(tx, "a", to)


async def test_numbers_count_up_for_each_account(database: Database) -> None:
    assert [await _append(database), await _append(database), await _append(database, "b")] == [1, 2, 1]


async def test_many_at_once_leave_no_gap_and_no_double(database: Database) -> None:
    numbers = await asyncio.gather(*(_append(database) for _ in range(20)))
    assert sorted(numbers) == list(range(1, 21))
    assert await account_events.position(database, "a") == Position(20, 0, 20)


async def test_what_was_rolled_back_takes_no_number(database: Database) -> None:
    with pytest.raises(RuntimeError, match="changed my mind"):
        await _append_and_fail(database)
    assert await _append(database) == 1


async def test_events_come_back_as_they_went_in(database: Database) -> None:
    await _append(database, item_name="建房", decision=None)
    [event] = await account_events.since(database, "a", 0, 10)
    assert (event.n, event.type, event.case_id, event.occurred_at) == (1, "case.accepted", "c1", AT)
    assert event.data == {"item_name": "建房", "decision": None}


async def test_a_reader_asks_from_its_position_and_gets_each_event_once(database: Database) -> None:
    for _ in range(7):
        await _append(database)
    seen, position = [], 0
    while page := await account_events.since(database, "a", position, 3):
        seen += [event.n for event in page]
        position = page[-1].n
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert [event.n for event in await account_events.latest(database, "a", 4, 2)] == [3, 2]
    assert await account_events.first(database, "a") == 1


async def test_reading_goes_forward_only_and_not_beyond_the_end(database: Database) -> None:
    for _ in range(5):
        await _append(database)
    assert await _mark(database, 3) == Position(5, 3, 2)
    assert await _mark(database, 1) == Position(5, 3, 2)
    assert await _mark(database, 99) == Position(5, 5, 0)
    await _append(database)
    assert await account_events.position(database, "a") == Position(6, 5, 1)


async def test_an_account_without_events_stands_at_nought(database: Database) -> None:
    assert await account_events.position(database, "nobody") == Position(0, 0, 0)
    assert await _mark(database, 4) == Position(0, 0, 0)
    assert await account_events.first(database, "nobody") is None


async def test_the_bell_rings_after_the_commit_not_before(database: Database, bell: Bell) -> None:
    with bell.listen(account_events.topic("a")) as ticket:
        async with database.transaction() as tx:
            await account_events.append(tx, "a", "case.accepted", None, {}, AT)
            assert not await ticket.wait(0)
        assert await ticket.wait(1)


async def test_events_added_together_follow_each_other_and_count_as_unread(database: Database) -> None:
    await _append(database)
    async with database.transaction() as tx:
        last = await account_events.append_all(tx, "a", "c1", [("case.decided", {"decision": "granted"}), ("case.completed", {})], AT)
    assert last == 3
    position, events = await account_events.page(database, "a", 1, 10)
    assert position == Position(3, 0, 3)
    assert [(event.n, event.type, event.data) for event in events] == [
        (2, "case.decided", {"decision": "granted"}),
        (3, "case.completed", {}),
    ]


async def test_a_page_tells_the_position_where_there_is_nothing_new_or_nothing_at_all(database: Database) -> None:
    await _append(database)
    assert await account_events.page(database, "a", 1, 10) == (Position(1, 0, 1), [])
    assert await account_events.page(database, "nobody", 0, 10) == (Position(0, 0, 0), [])
