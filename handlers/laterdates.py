"""A year's holidays come: what follows a decision is counted again too, the delivery of its result and the papers that are still owed.

The same rules as for the dates of cases (handlers/calendars.py): what is over stays, and no date moves to before today. A promise that is
checked after 60 natural days (告知承诺) hangs on no calendar.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import msgspec

from handlers import debts, handovers
from handlers.actors import SYSTEM
from handlers.calendars import BATCH, Recounted, settle
from handlers.cards import Card, CardDebt, read_card
from handlers.casefile import CaseFile, opened
from handlers.catalogue import ServiceItem
from handlers.errors import Refused
from handlers.limits import local_date
from handlers.office import Office
from handlers.workdays import WorkCalendar
from storage import recount as rows
from storage.database import Row
from storage.errors import Conflict

log = logging.getLogger(__name__)

DELIVERY = "delivery"
"""What stands in the place of a material's code for the delivery of the result."""


@dataclass(frozen=True, slots=True)
class Later:
    """One later date of a case: that of a paper, by the code of its material, or of the delivery; what the calendar makes of it."""

    case_id: str
    number: str
    what: str
    date: Recounted


async def plan(office: Office, since: dt.date) -> AsyncIterator[Later]:
    """Every date from `since` on that the calendar moves, or would move if that were not over."""
    after = ""
    while batch := await rows.later(office.database, since, after, BATCH):
        for row in batch:
            item = await office.catalogue.version(office.database, row["item_code"], row["item_version"])
            for found in _counted(row, read_card(row), item, office):
                yield found
        after = batch[-1]["id"]


async def recount(office: Office, case_id: str) -> list[Later]:
    """Count the later dates of one case again; the applicant is told of his papers. What moved."""
    try:
        async with opened(office, case_id) as file:
            return _write(file, _wanted(file))
    except _NothingToDo:
        return []


async def catch_up(office: Office) -> int:
    """Count again once after each change of the calendar, as after an import that was cut short; how many dates moved."""
    wanted = _fingerprint(office.calendar)
    if await rows.counted_with(office.database) == wanted:
        return 0
    cases = {found.case_id async for found in plan(office, local_date(office.clock.now())) if found.date.moves}
    done = [await _alone(office, case_id) for case_id in sorted(cases)]
    if None not in done:
        await rows.count_with(office.database, wanted)
    return sum(moved or 0 for moved in done)


async def _alone(office: Office, case_id: str) -> int | None:
    """One case that cannot be written holds up no other, and is tried again: None."""
    try:
        return len(await recount(office, case_id))
    except (Refused, Conflict) as error:
        log.warning("the later dates of a case were not counted again: %s", error)
        return None


class _NothingToDo(Exception):
    """The dates have been counted, or are over, since they were looked at: the row stays untouched."""


def _wanted(file: CaseFile) -> list[Later]:
    moved = [one for one in _counted(file.row, file.card, file.item, file.office) if one.date.moves]
    if not moved:
        raise _NothingToDo
    return moved


def _counted(row: Row, card: Card, item: ServiceItem, office: Office) -> Iterator[Later]:
    today = local_date(office.clock.now())
    for what, former, counted in (*_delivery(row, card, office), *_papers(row, card, item, office)):
        if former != counted:
            yield Later(row["id"], row["number"], what, settle(former, counted, today))


def _delivery(row: Row, card: Card, office: Office) -> Iterator[tuple[str, dt.date, dt.date]]:
    one = card.delivery
    if one is None or one.due_on is None or one.delivered_at is not None or row["state"] not in {"decided", "delivering"}:
        return
    yield DELIVERY, one.due_on, office.calendar.add_workdays(local_date(row["decided_at"]), handovers.DELIVERY_DAYS).day


def _papers(row: Row, card: Card, item: ServiceItem, office: Office) -> Iterator[tuple[str, dt.date, dt.date]]:
    for one in card.debts:
        if one.due_on is not None and one.counted_from is not None and debts.is_open(one) and one.lapsed_at is None:
            yield one.material, one.due_on, debts.counted(one, row, item, office.calendar)


def _write(file: CaseFile, found: list[Later]) -> list[Later]:
    moved = {one.what: one.date for one in found}
    delivery = moved.pop(DELIVERY, None)
    if delivery is not None:
        handovers.move(file, delivery.on)
        file.note("recounted", SYSTEM, tell=False, former_delivery_on=delivery.former, delivery_on=delivery.on)
    if moved:
        changed = [_moved(one, moved[one.material].on) for one in file.card.debts if one.material in moved]
        debts.change(file, changed)
        debts.tell_dates(file, set(moved))
    return found


def _moved(debt: CardDebt, on: dt.date) -> CardDebt:
    """A reminder was of the former date: there is one of the new date too."""
    return msgspec.structs.replace(debt, due_on=on, reminded_at=None)


def _fingerprint(calendar: WorkCalendar) -> int:
    """A number that changes with the calendar."""
    return int.from_bytes(hashlib.sha256(msgspec.json.encode(calendar.years)).digest()[:7])
