from __future__ import annotations

import asyncio
import datetime as dt

import msgspec
import pytest

from storage import leases, outbox
from storage.bell import Bell
from storage.database import Database
from tests.support import exchange
from tests.support.exchange import NOW, command, send

LANE = ("MZ", 0)


@pytest.fixture
async def case(database: Database) -> tuple[str, str]:
    """A case: id and number."""
    return await exchange.add_case(database, await exchange.add_resident(database), "2611240001"), "2611240001"


async def sequences(database: Database, lane: outbox.Lane = LANE, limit: int = 100) -> list[int]:
    return [letter.sequence for letter in await outbox.unsent(database, lane, limit)]


async def test_messages_are_numbered_from_one_in_each_line(database: Database, case: tuple[str, str]) -> None:
    ids = await send(database, command(*case), command(*case, "GA"), command(*case))
    await send(database, command(*case))
    letters = await outbox.unsent(database, LANE, 10)
    assert [letter.sequence for letter in letters] == [1, 2, 3]
    assert await sequences(database, ("GA", 0)) == [1]
    first = msgspec.json.decode(letters[0].body)
    assert (first["id"], first["sequence"], first["partitionkey"], first["subject"]) == (ids[0], 1, case[0], "case/2611240001")


async def test_a_transaction_that_fails_sends_nothing_and_takes_no_number(database: Database, case: tuple[str, str]) -> None:
    async def fail() -> None:
        async with database.transaction() as tx:
            await outbox.append(tx, command(*case), now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await sequences(database) == []
    await send(database, command(*case))
    assert await sequences(database) == [1]


async def test_the_bell_rings_after_the_commit(database: Database, case: tuple[str, str], bell: Bell) -> None:
    with bell.listen(outbox.BELL) as ticket:
        async with database.transaction() as tx:
            await outbox.append(tx, command(*case), now=NOW)
            assert not await ticket.wait(0.01)
        assert await ticket.wait(1)


async def test_many_writers_leave_no_gap_and_no_double(database: Database, case: tuple[str, str]) -> None:
    await asyncio.gather(*(send(database, command(*case), command(*case)) for _ in range(10)))
    assert await sequences(database) == list(range(1, 21))


async def test_a_case_keeps_its_partition_when_the_department_gets_more(database: Database, case: tuple[str, str]) -> None:
    await send(database, command(*case, partitions=1))
    await send(database, command(*case, partitions=64))
    assert await sequences(database) == [1, 2]
    assert len({outbox.partition_of(f"case-{n}", 8) for n in range(100)}) == 8


async def test_a_line_stays_in_order_whatever_the_writers_clocks_said(database: Database, case: tuple[str, str]) -> None:
    ids = await send(database, *(command(*case) for _ in range(6)))
    shuffled = [3, 1, 5, 0, 4, 2]
    for n, outbox_id in enumerate(ids):  # ids as processes with clocks apart would have made them
        await database.execute("UPDATE outbox SET id = $1 WHERE id = $2", f"{shuffled[n]}-{outbox_id}"[:36], outbox_id)
    for limit in range(1, 7):
        found = await sequences(database, limit=limit)
        assert found == list(range(1, len(found) + 1))
        assert len(found) >= limit


async def test_waiting_tells_which_lanes_have_something(database: Database, case: tuple[str, str]) -> None:
    await send(database, command(*case, "GA"))
    assert await outbox.waiting(database, [("MZ", 0), ("GA", 0), ("GA", 1)]) == [("GA", 0)]
    assert await outbox.waiting(database, []) == []


async def test_only_the_holder_of_the_lease_may_note_what_was_sent(database: Database, case: tuple[str, str]) -> None:
    await send(database, command(*case))
    (letter,) = await outbox.unsent(database, LANE, 10)
    fence = await leases.acquire(database, "relay:MZ.0", "one", NOW, 5)
    assert fence
    assert await outbox.mark_sent(database, [(letter.id, "1-1")], ("relay:MZ.0", "two", fence), NOW) == 0
    assert await outbox.mark_sent(database, [(letter.id, "1-1")], ("relay:MZ.0", "one", fence), NOW + dt.timedelta(seconds=6)) == 0
    assert await sequences(database) == [1]
    assert await outbox.mark_sent(database, [(letter.id, "1-1")], ("relay:MZ.0", "one", fence), NOW) == 1
    assert await sequences(database) == []


async def sent(database: Database, case: tuple[str, str], count: int) -> None:
    await send(database, *(command(*case) for _ in range(count)))
    fence = await leases.acquire(database, "relay:MZ.0", "one", NOW, 5)
    letters = await outbox.unsent(database, LANE, count)
    await outbox.mark_sent(database, [(letter.id, f"1-{letter.sequence}") for letter in letters], ("relay:MZ.0", "one", fence or 0), NOW)


async def test_a_confirmation_settles_everything_up_to_its_number(database: Database, case: tuple[str, str]) -> None:
    await sent(database, case, 5)
    later = NOW + dt.timedelta(seconds=60)
    await outbox.confirm(database, "MZ", {case[0]: 3}, NOW)
    await outbox.confirm(database, "GA", {case[0]: 5}, NOW)  # another department's word counts for its own line only
    assert [letter.sequence for letter in await outbox.unconfirmed(database, LANE, later, None, 10)] == [4, 5]
    assert await outbox.unconfirmed(database, LANE, NOW, None, 10) == []


async def test_what_is_unconfirmed_comes_in_pages_without_a_gap(database: Database, case: tuple[str, str]) -> None:
    await sent(database, case, 7)
    found, last = [], None
    while page := await outbox.unconfirmed(database, LANE, NOW + dt.timedelta(seconds=1), last, 3):
        found += [letter.sequence for letter in page]
        last = page[-1]
    assert found == list(range(1, 8))


async def test_the_figures_for_watching_say_what_waits_and_since_when(database: Database, case: tuple[str, str]) -> None:
    await sent(database, case, 2)
    await send(database, command(*case), command(*case, "GA"))
    nothing = {"unsent": 0, "oldest_unsent_at": None, "unconfirmed": 0, "oldest_unconfirmed_at": None}
    assert await outbox.stats(database) == {
        "GA": {**nothing, "unsent": 1, "oldest_unsent_at": NOW},
        "MZ": {"unsent": 1, "oldest_unsent_at": NOW, "unconfirmed": 2, "oldest_unconfirmed_at": NOW},
    }


async def test_confirmed_rows_are_forgotten_after_their_time_and_the_numbers_go_on(database: Database, case: tuple[str, str]) -> None:
    await sent(database, case, 2)
    await outbox.confirm(database, "MZ", {case[0]: 1}, NOW)
    await database.execute("UPDATE outbox SET evidence_n = sequence")
    assert await outbox.forget(database, NOW) == 0
    assert await outbox.forget(database, NOW + dt.timedelta(seconds=1)) == 1
    await send(database, command(*case))
    assert await sequences(database) == [3]
