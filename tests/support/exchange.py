"""What the exchange's tests share: the smallest real rows, and a department's side of the streams."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from storage import outbox, trace
from storage.database import Database, Transaction
from storage.envelopes import Answer, Outgoing
from storage.ids import uuid7

NOW = dt.datetime(2026, 11, 24, 1, 30, tzinfo=dt.UTC)
DIVISION = "130208108"

_CASE = """
INSERT INTO cases (id, number, resident_id, item_code, item_version, department, area, state, form_sealed, card, created_at, updated_at)
VALUES ($1, $2, $3, 'MZ-01', 1, 'MZ', '130208108', 'submitted', $4, '{}', $5, $5)
"""


async def add_resident(database: Database) -> str:
    """A resident; the id."""
    resident = uuid7()
    await database.execute(
        "INSERT INTO resident (id, openid, preferences, created_at) VALUES ($1, $2, '{}', $3)", resident, f"openid-{resident}", NOW
    )
    return resident


async def add_case(database: Database, resident: str, number: str) -> str:
    """A submitted case with this number; the id."""
    case_id = uuid7()
    await database.execute(_CASE, case_id, number, resident, b"form", NOW)
    return case_id


async def add_line(database: Database, case_id: str, department: str = "MZ") -> None:
    """A case line, as the first message to a department makes it."""
    await database.execute("INSERT INTO case_line (case_id, department, partition) VALUES ($1, $2, 0)", case_id, department)


def command(case_id: str, number: str, department: str = "MZ", *, partitions: int = 1, **data: Any) -> Outgoing:
    """A message to a department."""
    facts = {"case": number, "case_id": case_id, "task": "task-1", "reason": "", **data}
    return Outgoing(case_id, department, "task.withdrawn", number, DIVISION, facts, partitions=partitions, traceparent=trace.onward())


async def send(database: Database, *messages: Outgoing) -> list[str]:
    """Append messages in a transaction of their own."""
    async with database.transaction() as tx:
        return await outbox.append(tx, *messages, now=NOW)


def answer(case_id: str, number: str, sequence: object, *, department: str = "MZ", **attributes: Any) -> bytes:
    """The envelope bytes of an answer, as a department's programmer would write them."""
    envelope = {
        "specversion": "1.0",
        "id": f"{department}-{case_id[-8:]}-{sequence}",
        "source": f"/departments/{department}",
        "type": "cn.gov.town.task.progressed.v1",
        "subject": f"case/{number}",
        "time": "2026-11-24T09:30:00+08:00",
        "datacontenttype": "application/json",
        "partitionkey": case_id,
        "sequence": sequence,
        "data": {"case": number, "task": "task-1", "text": f"第 {sequence} 步"},
    }
    return json.dumps({**envelope, **attributes}, ensure_ascii=False).encode()


async def until(condition: Callable[[], Awaitable[object]], seconds: float = 10) -> object:
    """Wait until the condition holds; its value. Fails the test when it does not within the limit."""
    async with asyncio.timeout(seconds):
        while not (value := await condition()):
            await asyncio.sleep(0.01)
        return value


@asynccontextmanager
async def running(*parts: Any) -> AsyncIterator[None]:
    """Start parts with start() and stop(), and stop them again."""
    for part in parts:
        await part.start()
    try:
        yield
    finally:
        for part in parts:
            await part.stop()


class Ledger:
    """An effect that writes a line of the case's history in the inbox's transaction, so that it is undone with it."""

    def __init__(self) -> None:
        self.failing: dict[tuple[str, int], list[Exception]] = {}

    async def record(self, tx: Transaction, answer: Answer) -> None:
        """Note the answer with a number that rises with every effect; fails as often as `failing` says for (case, sequence)."""
        row = await tx.one(_NEXT, "effects")
        assert row
        key = (uuid7(), answer.case_id, row["value"], answer.kind, answer.department, NOW, json.dumps({"sequence": answer.sequence}))
        await tx.execute(_EVENT, *key)
        if left := self.failing.get((answer.case_id, answer.sequence)):
            raise left.pop() if len(left) > 1 else left[0]

    @staticmethod
    async def effects(database: Database) -> dict[str, list[int]]:
        """What took effect, in the order in which it did: case -> sequences."""
        found: dict[str, list[int]] = {}
        for row in await database.rows("SELECT case_id, data FROM case_event ORDER BY seq"):
            found.setdefault(row["case_id"], []).append(json.loads(row["data"])["sequence"])
        return found


_NEXT = """
INSERT INTO counter AS c (name, value) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET value = c.value + 1 RETURNING value
"""
_EVENT = """
INSERT INTO case_event (id, case_id, seq, type, actor_kind, actor_id, occurred_at, data, digest)
VALUES ($1, $2, $3, $4, 'department', $5, $6, $7, '')
"""
