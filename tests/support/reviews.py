"""Departments that answer below HTTP: one message each, taken in as the inbox does."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec

from handlers import reviews
from handlers.catalogue import Catalogue
from handlers.items import publish
from handlers.office import Office
from storage import cases
from storage.database import Row
from storage.envelopes import Answer
from storage.ids import uuid7


async def say(office: Office, case_id: str, kind: str, department: str, step: str, **data: Any) -> None:
    """A department's system says something about its task of this step."""
    row = await row_of(office, case_id)
    task = await task_of(office, case_id, department, step)
    facts = {"case": row["number"], "task": task["id"], **data}
    async with office.database.transaction() as tx:
        await reviews.record(office, tx, Answer(uuid7(), kind, department, case_id, row["number"], 1, None, facts))


async def accept(office: Office, case_id: str) -> None:
    """The lead department accepts."""
    await say(office, case_id, "task.accepted", (await row_of(office, case_id))["department"], "accept")


async def decide(office: Office, case_id: str, result: str, opinion: str = "") -> None:
    """The lead department decides."""
    lead = (await row_of(office, case_id))["department"]
    await say(office, case_id, "task.decided", lead, "decide", result=result, opinion=opinion)


async def row_of(office: Office, case_id: str) -> Row:
    """The case's row."""
    row = await cases.by_id(office.database, case_id)
    assert row is not None
    return row


async def task_of(office: Office, case_id: str, department: str, step: str = "review") -> Row:
    """A department's task."""
    return next(one for one in await cases.tasks(office.database, case_id) if (one["department"], one["step"]) == (department, step))


async def events_of(office: Office, case_id: str) -> list[str]:
    """The kinds of the case's events, in order."""
    return [str(event["type"]) for event in await cases.events(office.database, case_id)]


async def with_item(office: Office, code: str, **changes: Any) -> Office:
    """The same office, after the town has published another version of an item."""
    old = office.catalogue
    items = [msgspec.structs.replace(item, **changes) if item.code == code else item for item in old.items.values()]
    new = Catalogue(
        items=items,
        departments=old.departments.values(),
        certificates=old.certificates.values(),
        bundles=old.bundles.values(),
        events=old.events.values(),
    )
    return dataclasses.replace(office, catalogue=await publish(office.database, office.clock, new))
