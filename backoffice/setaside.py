"""What an officer decides about messages that were set aside: a parked line is tried again, or one message is skipped."""

from __future__ import annotations

from backoffice.envelope import decode
from backoffice.inbox import Effect, reason_of
from backoffice.registry import answer
from handlers.errors import Refused
from storage import inbox
from storage.clock import Clock
from storage.database import Database, Row, Transaction


class StillFails(Exception):
    """A message cannot take effect yet: nothing of its line was changed. The text names the message and why."""


async def retry(database: Database, clock: Clock, effect: Effect, department: str, case_id: str, *, by: str) -> int:
    """Let the messages of a parked line take effect, in order and all or none, and the line go on; how many. Raises StillFails."""
    async with database.transaction() as tx:
        await inbox.lock_cases(tx, [case_id])
        parked = await inbox.parked_of(tx, department, case_id)
        for row in parked:
            await _act(tx, effect, department, row)
        await inbox.settle(tx, [row["id"] for row in parked], "replayed", by, clock.now())
        await inbox.unpark(tx, department, case_id)
    return len(parked)


async def skip(database: Database, clock: Clock, set_aside_id: str, *, by: str) -> bool:
    """Settle one message without effect; its line goes on if nothing else of it waits. False if there is no such open message."""
    async with database.transaction() as tx:
        row = await inbox.open_one(tx, set_aside_id)
        if row is None:
            return False
        case_id = row["case_id"] or ""  # what could not be read names no case, and has no line
        await inbox.lock_cases(tx, [case_id])
        await inbox.settle(tx, [row["id"]], "skipped", by, clock.now())
        await inbox.unpark(tx, row["department"], case_id)
    return True


async def _act(tx: Transaction, effect: Effect, department: str, row: Row) -> None:
    try:
        await effect(tx, answer(decode(bytes(row["body"]), f"/departments/{department}"), department))
    except Refused as refused:
        raise StillFails(f"{row['id']}: {reason_of(refused)}") from refused
    except Exception as error:
        raise StillFails(f"{row['id']}: {type(error).__name__}") from error
