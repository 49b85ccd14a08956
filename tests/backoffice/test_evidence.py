"""What passed can be proved: every line bound to the one before, and whatever is changed afterwards is found."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from backoffice import evidence
from backoffice.inbox import Inbox
from storage import evidence as log
from storage import inbox as rows
from storage import outbox
from storage.errors import Conflict
from storage.streams import Entry
from tests.support.exchange import NOW, command

MakeInbox = Callable[..., Inbox]


@pytest.fixture
async def kept(town: Any, make_inbox: MakeInbox) -> list[bytes]:
    """Two messages out, three in and one that nobody could read, all in the log; their exact bytes in order."""
    async with town.database.transaction() as tx:
        out = [command(case_id, number) for number, case_id in town.cases.items()]
        await outbox.append(tx, *out, now=NOW, sealer=town.sealer)
    letters = await outbox.unsent(town.database, ("MZ", 0), 10)
    await town.database.execute("UPDATE outbox SET sent_at = $1", NOW - dt.timedelta(minutes=2))
    answers = [town.answer(town.first, 1), town.answer(town.first, 2), town.answer(town.second, 1)]
    await make_inbox().take([Entry(f"1-{n}", body) for n, body in enumerate([*answers, b"<xml/>"])])
    assert await chain(town) == 6
    return sorted([*(outbox.opened(letter, town.sealer) for letter in letters), *answers, b"<xml/>"])


async def chain(town: Any, limit: int = 100) -> int:
    return await log.chain(town.database, town.sealer, limit, town.clock.now())


async def verify(town: Any, known: evidence.Checkpoint | None = None) -> str:
    return (await evidence.verify(town.database, town.sealer, known)).broken


async def test_the_exact_bytes_of_every_message_are_kept_and_the_chain_holds(town: Any, kept: list[bytes]) -> None:
    lines = [line async for line in log.lines(town.database)]
    assert [line.n for line in lines] == [1, 2, 3, 4, 5, 6]
    assert sorted(log.opened(line, town.sealer) for line in lines) == kept
    assert {line.direction for line in lines} == {"out", "in", "bad"}
    verdict = await evidence.verify(town.database, town.sealer)
    assert (verdict.broken, verdict.lines, verdict.erased) == ("", 6, 0)
    assert await chain(town) == 0


async def test_a_message_is_in_the_log_once_however_often_it_comes(town: Any, kept: list[bytes], make_inbox: MakeInbox) -> None:
    await make_inbox().take([Entry("2-1", town.answer(town.first, 1)), Entry("2-2", b"<xml/>")])
    assert await chain(town) == 0


CHANGES = [
    "UPDATE evidence SET direction = 'in' WHERE direction = 'out'",
    "UPDATE evidence SET department = 'GA' WHERE n = 3",
    "UPDATE evidence SET message_id = 'other' WHERE n = 2",
    "UPDATE evidence SET case_id = NULL WHERE n = 2",
    "UPDATE evidence SET sequence = 7 WHERE n = 4",
    "UPDATE evidence SET happened_at = '2026-11-24 01:00:00+00:00' WHERE n = 4",
    "UPDATE evidence SET body_digest = 'a' WHERE n = 5",
    "UPDATE evidence SET hash = 'a' WHERE n = 6",
    "UPDATE evidence SET body = (SELECT body FROM evidence WHERE n = 1) WHERE n = 2",
    "DELETE FROM evidence WHERE n = 1",
    "DELETE FROM evidence WHERE n = 4",
    "UPDATE evidence SET n = 7 WHERE n = 6",
]


@pytest.mark.parametrize("change", CHANGES)
async def test_whatever_is_changed_is_found(town: Any, kept: list[bytes], change: str) -> None:
    await town.database.execute(change)
    assert await verify(town)


async def test_a_log_that_was_rewritten_whole_is_found_by_a_checkpoint_kept_elsewhere(town: Any, kept: list[bytes]) -> None:
    known = await evidence.checkpoint(town.database, NOW)
    assert await verify(town, known) == ""
    await town.database.execute("DELETE FROM evidence")
    await town.database.execute("UPDATE outbox SET evidence_n = NULL WHERE case_id = $1", town.first)
    await chain(town)
    assert await verify(town) == ""
    assert "checkpoint" in await verify(town, known)


async def test_the_newest_lines_cut_off_are_found_by_a_checkpoint(town: Any, kept: list[bytes]) -> None:
    known = await evidence.checkpoint(town.database, NOW)
    await town.database.execute("DELETE FROM evidence WHERE n = 6")
    assert await verify(town) == ""
    assert "line 6 is missing" in await verify(town, known)


async def test_an_erased_body_leaves_the_chain_whole(town: Any, kept: list[bytes]) -> None:
    assert await log.erase(town.database, town.first) == 3
    verdict = await evidence.verify(town.database, town.sealer)
    assert (verdict.broken, verdict.erased) == ("", 3)


async def test_two_keepers_at_once_never_fork_the_chain(town: Any) -> None:
    for _ in range(10):
        async with town.database.transaction() as tx:
            await outbox.append(tx, *(command(case_id, number) for number, case_id in town.cases.items()), now=NOW, sealer=town.sealer)
    await town.database.execute("UPDATE outbox SET sent_at = $1, confirmed_at = $1", NOW)

    async def keep() -> None:
        for _ in range(20):
            try:
                await chain(town, limit=1)
            except Conflict:
                await asyncio.sleep(0)

    await asyncio.gather(keep(), keep())
    while await chain(town, limit=7):
        pass
    assert await verify(town) == ""
    last = await log.head(town.database)
    assert last
    assert last.n == 20


async def test_nothing_is_forgotten_before_it_is_in_the_log(town: Any, make_inbox: MakeInbox) -> None:
    async with town.database.transaction() as tx:
        await outbox.append(tx, command(town.first, "2611240001"), now=NOW, sealer=town.sealer)
    await town.database.execute("UPDATE outbox SET sent_at = $1, confirmed_at = $1", NOW)
    await make_inbox().take([Entry("1-1", town.answer(town.first, 1))])
    later = NOW + dt.timedelta(days=365)
    assert (await outbox.forget(town.database, later), await rows.forget(town.database, later)) == (0, 0)
    await chain(town)
    assert (await outbox.forget(town.database, later), await rows.forget(town.database, later)) == (1, 1)


async def test_a_body_that_was_changed_before_it_came_into_the_log_stops_nothing_and_is_named(town: Any, make_inbox: MakeInbox) -> None:
    await make_inbox().take([Entry("1-1", town.answer(town.first, 1)), Entry("1-2", town.answer(town.second, 1))])
    await town.database.execute("UPDATE inbox SET body = $1 WHERE case_id = $2", b"forged", town.first)
    assert await chain(town) == 2
    assert "MZ-" in await verify(town)
