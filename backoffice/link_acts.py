"""What an officer may do with a link to a department: pause it, wake it, have messages delivered again, give one up. Each on record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from handlers.actors import SYSTEM, Actor
from handlers.errors import Refused
from handlers.office import Office
from storage import audit, deliveries, journal, links, outbox
from storage.database import Queries, Row
from storage.outbox import BELL

JOURNALS = frozenset({"pull", "webhook", "files"})
"""The links that have a journal, so can be paused, and replayed by position; a queue is paused at its Redis, a desk has none."""


async def pause(office: Office, department: str, reason: str, by: Actor = SYSTEM) -> bool:
    """Stop sending until somebody wakes the link; False if it was paused already. Refused("not_found") where there is no such link."""
    _known(office, department)
    async with office.database.transaction() as tx:
        is_news = await links.pause(tx, department, reason, office.clock.now())
        await _on_record(office, tx, by, "exchange.paused", department, {"reason": reason, "is_news": is_news})
    return is_news


async def wake(office: Office, department: str, by: Actor = SYSTEM) -> int:
    """Go on at once, also with what was refused, did not open or waits for another try; how many such messages there were.

    A queue has nothing to wake but what did not open.
    """
    if _way(office, department) == "desk":
        raise Refused("not_found")
    async with office.database.transaction() as tx:
        is_news = await links.wake(tx, department, office.clock.now())
        released = await deliveries.release(tx, department)
        await _on_record(office, tx, by, "exchange.woken", department, {"is_news": is_news, "released": released})
        tx.ring(BELL)
    return released


async def replay(office: Office, department: str, position: int, by: Actor = SYSTEM) -> int:
    """Deliver everything from a position on again, as far as it is kept; how many. The department skips what it knows."""
    _known(office, department)
    # On record first: a crash in between leaves a note without an act, never an act without a note.
    await _on_record(office, office.database, by, "exchange.replayed", department, {"from": position})
    again = await journal.replay(office.database, department, position, office.clock.now())
    office.bell.ring(BELL)
    return again


async def replay_since(office: Office, department: str, since: dt.datetime, by: Actor = SYSTEM) -> int:
    """Send again what a department confirmed since a moment, for one that was restored from a backup; by a queue as well. How many."""
    way = _way(office, department)
    if way == "desk":
        raise Refused("not_found")
    if way in JOURNALS:
        first = await journal.confirmed_since(office.database, department, since)
        return await replay(office, department, first, by) if first else 0
    await _on_record(office, office.database, by, "exchange.replayed", department, {"since": since.isoformat()})
    again = await outbox.send_again(office.database, department, since)
    office.bell.ring(BELL)
    return again


async def held(office: Office, department: str) -> list[Row]:
    """What a department refused, never took, or does not open here: `id`, the case's `number`, `sequence`, and why (`detail`)."""
    return await deliveries.held(office.database, department)


async def pass_over(office: Office, message_id: str, by: Actor = SYSTEM) -> str:
    """Give up one message that is held, so that its line goes on; whose it was. Refused("not_found") if none such waits.

    The department will see a gap in the numbers of the line: only to be done when its people say so.
    """
    async with office.database.transaction() as tx:
        row = await deliveries.pass_over(tx, message_id, f"已放弃投递（{by.id}）", office.clock.now())
        if row is None:
            raise Refused("not_found")
        facts = {"message": message_id, "case": row["case_id"], "sequence": row["sequence"]}
        await _on_record(office, tx, by, "exchange.passed_over", row["department"], facts)
        tx.ring(BELL)
    return str(row["department"])


def _known(office: Office, department: str) -> None:
    if _way(office, department) not in JOURNALS:
        raise Refused("not_found")


def _way(office: Office, department: str) -> str:
    known = office.catalogue.departments.get(department)
    return known.link if known else "desk"


async def _on_record(office: Office, db: Queries, by: Actor, action: str, department: str, data: Mapping[str, Any]) -> None:
    await audit.record(
        db, at=office.clock.now(), actor_kind=by.kind, actor_id=by.id, action=action, object_kind="exchange_link",
        object_id=department, outcome="done", data=data,
    )  # fmt: skip
