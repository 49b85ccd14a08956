"""People and departments in the life of one case, below HTTP: what they do, and what the rows then say."""

from __future__ import annotations

import datetime as dt
from typing import Any

from handlers import desk, reviews, timeline
from handlers.access import Officer
from handlers.caseviews import CaseView, view_case
from handlers.errors import Refused
from handlers.handovers import Wish
from handlers.office import Office
from storage import cases as rows
from storage.clock import SettableClock
from storage.database import Database, Row, Transaction
from storage.envelopes import Answer
from storage.ids import uuid7
from tests.support.office import DIVISION, submitted_case
from tests.support.town import settle_in


def officer(department: str, name: str = "officer") -> Officer:
    """An officer who prepares."""
    return Officer(f"{name}-{department}", "officer", department, "", DIVISION)


def approver(department: str, name: str = "approver") -> Officer:
    """Somebody who decides."""
    return Officer(f"{name}-{department}", "approver", department, "", DIVISION)


async def no_answer(_tx: Transaction, _view: CaseView) -> None:
    """Nobody waits for an answer to be kept."""


def clock_of(office: Office) -> SettableClock:
    """The clock of a test's office."""
    assert isinstance(office.clock, SettableClock)
    return office.clock


async def new_case(office: Office, item: str, delivery: Wish | None = None) -> CaseView:
    """A case just handed in."""
    return await submitted_case(office, await settle_in(office.database, uuid7()), item, delivery)


async def accepted_case(office: Office, item: str, by: Officer) -> CaseView:
    """A case just accepted at the desk."""
    return await desk.accept(office, by, (await new_case(office, item)).id, 1)


async def decided_case(office: Office, item: str, result: str = "granted", reason: str = "符合条件") -> CaseView:
    """A case of an item that its department decides alone, decided."""
    case = await accepted_case(office, item, officer(item[:2]))
    return await desk.decide(office, approver(item[:2]), case.id, case.version, result, reason)


async def say(office: Office, case: CaseView, kind: str, department: str, step: str, **data: Any) -> None:
    """A department's system says something about its task."""
    found = [t for t in await rows.tasks(office.database, case.id) if t["department"] == department and t["step"] == step]
    if not found:
        raise Refused("task_not_found")
    answer = Answer(uuid7(), kind, department, case.id, str(case.number), 1, None, {"case": case.number, "task": found[-1]["id"], **data})
    async with office.database.transaction() as tx:
        await reviews.record(office, tx, answer)


async def row_of(office: Office, case: CaseView) -> Row:
    """The row of a case."""
    row = await rows.by_id(office.database, case.id)
    assert row is not None
    return row


async def now(office: Office, case: CaseView) -> CaseView:
    """The case as it stands."""
    row = await row_of(office, case)
    return view_case(office, row, await office.catalogue.version(office.database, row["item_code"], row["item_version"]))


async def history(office: Office, case: CaseView) -> list[timeline.CaseEvent]:
    """The lines of a case's history."""
    return await timeline.history(office, case.id, 0, 1000)


async def told(office: Office, case: CaseView, event: str) -> dict[str, Any]:
    """What the last line of a kind says."""
    return [one for one in await history(office, case) if one.type == event][-1].data


async def pushed(database: Database, case: CaseView) -> set[str]:
    """The events of a case that went to the phone."""
    return {str(row["event"]) for row in await database.rows("SELECT event FROM notification WHERE case_id = $1", case.id)}


def workdays_later(office: Office, day: dt.date, days: int) -> dt.date:
    """The day by which so many working days have passed."""
    return office.calendar.add_workdays(day, days).day
