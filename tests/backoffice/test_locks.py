"""The inbox among people who act on the same cases at the same time: it waits its turn, and a deadlock it loses costs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from backoffice.inbox import Effect, Inbox
from storage import cases, outbox
from storage.database import Transaction
from storage.envelopes import Answer
from storage.streams import Entry
from tests.support.exchange import NOW, command, until

MakeInbox = Callable[..., Inbox]

_WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@asynccontextmanager
async def second_case_taken(town: Any, inbox: Inbox, *bodies: bytes) -> AsyncIterator[Transaction]:
    """A person acts on the second case while the inbox is at work; all is taken in once the act is committed.

    The block begins when the inbox waits for the lock (on SQLite it has not begun: there is one writer at a time).
    """
    taken = asyncio.Event()

    async def take() -> list[str]:
        await taken.wait()
        return await inbox.take([Entry(f"1-{n}", body) for n, body in enumerate(bodies, start=1)])

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        work = group.create_task(take())
        async with town.database.transaction() as tx:
            await cases.take(tx, town.second)
            taken.set()
            if tx.dialect == "postgres":
                await tx.execute("SET LOCAL deadlock_timeout = '15s'")  # if there is a deadlock, the inbox is the one that notices it
                await until(lambda: town.database.one(_WAITING))
            yield tx
        assert sorted(await work) == [f"1-{n}" for n in range(1, len(bodies) + 1)]


def taking(town: Any, *case_ids: str, tries: list[str]) -> Effect:
    """An effect that takes its case, as every real one does, or others; it notes its tries."""

    async def effect(tx: Transaction, answer: Answer) -> None:
        tries.append(answer.case_id)
        for case_id in case_ids or (answer.case_id,):
            await cases.take(tx, case_id)
        await town.ledger.record(tx, answer)

    return effect


async def test_an_act_at_the_desk_and_an_answer_on_the_same_case_do_not_lock_each_other_out(town: Any, make_inbox: MakeInbox) -> None:
    tries: list[str] = []
    inbox = make_inbox(taking(town, tries=tries))
    async with second_case_taken(town, inbox, town.answer(town.second, 1), town.answer(town.first, 1)) as tx:
        await outbox.append(tx, command(town.second, "2611240002"), now=NOW)  # an act takes the case first, its line afterwards
    assert tries == [town.second, town.first]
    assert await town.effects() == {town.first: [1], town.second: [1]}


async def test_a_deadlock_that_is_lost_is_tried_again_and_parks_nobody(town: Any, make_inbox: MakeInbox) -> None:
    tries: list[str] = []
    inbox = make_inbox(taking(town, town.second, tries=tries))
    async with second_case_taken(town, inbox, town.answer(town.first, 1)) as tx:
        await cases.take(tx, town.first)
    assert await town.effects() == {town.first: [1]}
    assert await town.set_aside() == []
    assert len(tries) == (2 if town.database.dialect == "postgres" else 1)
