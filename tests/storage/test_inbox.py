from __future__ import annotations

import datetime as dt

import pytest

from storage import inbox
from storage.database import Database
from tests.support import exchange
from tests.support.exchange import NOW

FIRST, SECOND = (inbox.Arrival("/departments/MZ", f"m-{n}", "case", n, b"sealed") for n in (1, 2))


@pytest.fixture
async def case_id(database: Database) -> str:
    case_id = await exchange.add_case(database, await exchange.add_resident(database), "2611240001")
    await exchange.add_line(database, case_id)
    return case_id


async def test_a_line_knows_its_case_number_and_how_far_it_is(database: Database, case_id: str) -> None:
    assert await inbox.lines(database, "MZ", [case_id, "unknown"]) == {case_id: inbox.Line("2611240001", 0, is_parked=False)}
    assert await inbox.lines(database, "GA", [case_id]) == {}
    assert await inbox.lines(database, "MZ", []) == {}


async def test_a_line_moves_on_only_from_where_it_was_read(database: Database, case_id: str) -> None:
    async with database.transaction() as tx:
        await inbox.advance(tx, "MZ", {case_id: (0, 3)})
    with pytest.raises(inbox.Overtaken):
        async with database.transaction() as tx:
            await inbox.advance(tx, "MZ", {case_id: (0, 4)})
    assert (await inbox.lines(database, "MZ", [case_id]))[case_id].received == 3


async def test_a_message_is_new_once(database: Database, case_id: str) -> None:
    async with database.transaction() as tx:
        assert await inbox.remember(tx, "MZ", [FIRST], NOW) == {FIRST.key}
        assert await inbox.remember(tx, "MZ", [FIRST, SECOND, SECOND], NOW) == {SECOND.key}
    assert await inbox.known(database, [FIRST.key, ("/departments/GA", "m-1")]) == {FIRST.key: ("case", 1)}
    assert await inbox.known(database, []) == {}


async def test_a_line_that_is_put_off_knows_until_when_and_forgets_it_when_it_moves_on(database: Database, case_id: str) -> None:
    until = NOW + dt.timedelta(minutes=1)
    line = (await inbox.lines(database, "MZ", [case_id]))[case_id]
    await inbox.put_off(database, "MZ", case_id, line, until)
    assert (await inbox.lines(database, "MZ", [case_id]))[case_id] == inbox.Line("2611240001", 0, is_parked=False, tries=1, retry_at=until)
    async with database.transaction() as tx:
        await inbox.advance(tx, "MZ", {case_id: (0, 1)})
    await inbox.put_off(database, "MZ", case_id, line, until)  # too late: the line has moved on
    assert (await inbox.lines(database, "MZ", [case_id]))[case_id] == inbox.Line("2611240001", 1, is_parked=False)


async def test_a_parked_line_says_so_and_what_was_set_aside_stays_in_order(database: Database, case_id: str) -> None:
    async with database.transaction() as tx:
        for n in (1, 2, 1):
            fresh = await inbox.set_aside(
                tx,
                department="MZ",
                kind="parked",
                message_id=f"m-{n}",
                reason="不能办理" * 200,
                body=b"\xff\x00",
                now=NOW,
                case_id=case_id,
                sequence=n,
            )
        assert not fresh
        await inbox.park(tx, "MZ", case_id, NOW)
    assert (await inbox.lines(database, "MZ", [case_id]))[case_id].is_parked
    rows = await inbox.set_aside_of(database, "MZ")
    assert [(row["sequence"], bytes(row["body"]), len(row["reason"])) for row in rows] == [(1, b"\xff\x00", 500), (2, b"\xff\x00", 500)]
    assert await inbox.set_aside_of(database, "MZ", after=rows[-1]) == []
    (figures,) = await inbox.stats(database)
    assert (figures["department"], figures["poison"], figures["parked"], figures["oldest_at"]) == ("MZ", 0, 2, NOW)


async def test_ids_are_forgotten_after_their_time_and_the_line_still_knows_its_number(database: Database, case_id: str) -> None:
    async with database.transaction() as tx:
        await inbox.advance(tx, "MZ", {case_id: (0, 1)})
        await inbox.remember(tx, "MZ", [FIRST], NOW)
    await database.execute("UPDATE inbox SET body = NULL, evidence_n = 1")
    assert await inbox.forget(database, NOW) == 0
    assert await inbox.forget(database, NOW + dt.timedelta(seconds=1)) == 1
    assert (await inbox.lines(database, "MZ", [case_id]))[case_id].received == 1
