"""What an officer decides about messages that were set aside: tried again or skipped, each an act in the record.

A parked message is tried again with everything parked in its line, in order and all or none; the line then goes on. A message that
was refused alone takes effect alone. One that could not be read at all may be readable now, and takes its place in the line.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from backoffice.envelope import BadEnvelope, decode
from backoffice.inbox import Effect, reason_of
from backoffice.registry import answer
from handlers.access import Officer
from handlers.errors import Refused
from handlers.policy import scope_of
from storage import audit, inbox
from storage.clock import Clock
from storage.database import Database, Queries, Row, Transaction
from storage.envelopes import Answer
from storage.inbox import Arrival
from storage.sealing import Sealer

ACTION = "settle_message"


class StillFails(Exception):
    """A message cannot take effect yet: nothing of its line was changed. The text names the message and why."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides, and why (for the record; at most 500 characters)."""

    by: str
    reason: str = ""
    kind: str = "staff"


def departments_of(officer: Officer, departments: list[str]) -> list[str]:
    """Those of the departments whose messages this officer may settle; raises Refused when he may none at all."""
    scope = scope_of(officer.role, ACTION)
    if scope == "none":
        raise Refused("forbidden")
    return departments if scope == "area" else [code for code in departments if code == officer.department]


async def waiting(db: Queries, departments: list[str], after: str | None, limit: int) -> list[Row]:
    """Open messages of these departments, oldest first, without their bytes; `after` is the id of the last one seen."""
    return await inbox.waiting(db, departments, after, limit)


async def show(
    database: Database, clock: Clock, departments: list[str], set_aside_id: str, *, by: str, sealer: Sealer | None = None
) -> Row:
    """One open message with its bytes in the clear, for one of these departments; the look is in the record."""
    row = await _open(database, set_aside_id)
    if row["department"] not in departments:
        raise Refused("not_found")
    await _record(database, clock.now(), Decision(by), "message.seen", row)
    return {**row, "body": _bytes(row, sealer)}


def _bytes(row: Row, sealer: Sealer | None) -> bytes:
    return inbox.unsealed(bytes(row["body"]), sealer, row["department"], row["message_id"])


async def replay(
    database: Database, clock: Clock, effect: Effect, set_aside_id: str, decision: Decision, *, sealer: Sealer | None = None
) -> int:
    """Let a message take effect after all, with all that is parked in its line; how many did. Raises StillFails or Refused("not_found")."""
    async with database.transaction() as tx:
        row = await _locked(tx, set_aside_id)
        rows = await inbox.parked_of(tx, row["department"], row["case_id"]) if row["kind"] == "parked" else [row]
        for one in rows:
            await _act(tx, effect, one, _bytes(one, sealer), clock.now())
        await inbox.settle(tx, [one["id"] for one in rows], "replayed", decision.by, clock.now())
        await inbox.unpark(tx, row["department"], row["case_id"] or "")
        await _record(tx, clock.now(), decision, "message.replayed", row)
    return len(rows)


async def skip(database: Database, clock: Clock, set_aside_id: str, decision: Decision) -> None:
    """Settle one message without effect; its line goes on if nothing else of it waits. Raises Refused("not_found")."""
    async with database.transaction() as tx:
        row = await _locked(tx, set_aside_id)
        await inbox.settle(tx, [row["id"]], "skipped", decision.by, clock.now())
        await inbox.unpark(tx, row["department"], row["case_id"] or "")
        await _record(tx, clock.now(), decision, "message.skipped", row)


async def skip_unread(database: Database, clock: Clock, department: str, decision: Decision) -> int:
    """Settle everything of a department that could not be read, in one act: its sender was never told that it was taken. How many."""
    async with database.transaction() as tx:
        settled = await inbox.settle_unread(tx, department, decision.by, clock.now())
        await audit.record(
            tx, at=clock.now(), actor_kind=decision.kind, actor_id=decision.by, action="message.skipped_unread", object_kind="department",
            object_id=department, outcome="done", data={"messages": settled, "reason": decision.reason[:500]},
        )  # fmt: skip
    return settled


async def _open(db: Queries, set_aside_id: str) -> Row:
    row = await inbox.open_one(db, set_aside_id)
    if row is None:
        raise Refused("not_found")
    return row


async def _locked(tx: Transaction, set_aside_id: str) -> Row:
    """The message, read again once its case is locked: of two officers at the same moment the second finds nothing."""
    found = await _open(tx, set_aside_id)
    await inbox.lock_cases(tx, [found["case_id"] or ""])  # what could not be read names no case, and has no line
    return await _open(tx, set_aside_id)


async def _act(tx: Transaction, effect: Effect, row: Row, body: bytes, now: dt.datetime) -> None:
    department = row["department"]
    try:
        message = answer(decode(body, f"/departments/{department}"), department)
        if row["sequence"] is None:
            await _take_place(tx, department, message, now)
        await effect(tx, message)
    except BadEnvelope as bad:
        raise StillFails(f"{row['id']}: {bad.reason}") from bad
    except Refused as refused:
        raise StillFails(f"{row['id']}: {reason_of(refused)}") from refused
    except StillFails:
        raise
    except Exception as error:
        raise StillFails(f"{row['id']}: {type(error).__name__}") from error


async def _take_place(tx: Transaction, department: str, message: Answer, now: dt.datetime) -> None:
    """A message that could not be read never had its place in the line: it takes it now, if it is its turn."""
    await inbox.lock_cases(tx, [message.case_id])
    line = (await inbox.lines(tx, department, [message.case_id])).get(message.case_id)
    if line is None or line.is_parked or line.received + 1 != message.sequence:
        raise StillFails(f"{message.id}: 还没轮到第 {message.sequence} 号，或该办件没有这个部门")
    await inbox.advance(tx, department, {message.case_id: (line.received, message.sequence)})
    arrival = Arrival(f"/departments/{department}", message.id, message.case_id, message.sequence, None)  # its bytes were kept when it came
    await inbox.remember(tx, department, [arrival], now)


async def _record(db: Queries, at: dt.datetime, decision: Decision, action: str, row: Row) -> None:
    facts = {"department": row["department"], "case_id": row["case_id"], "kind": row["kind"], "reason": decision.reason[:500]}
    await audit.record(
        db, at=at, actor_kind=decision.kind, actor_id=decision.by, action=action,
        object_kind="message", object_id=row["id"], outcome="done", data=facts,
    )  # fmt: skip
