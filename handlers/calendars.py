"""A year's holidays come in November: the due dates that were counted without them are counted again, each case in its own transaction."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from handlers import duedates, partdates, tasks
from handlers.actors import SYSTEM
from handlers.cards import read_card
from handlers.casefile import CaseFile, opened
from handlers.catalogue import ServiceItem
from handlers.clocks import earliest, local_date
from handlers.errors import Refused
from handlers.office import Office
from handlers.workdays import WorkCalendar
from storage import recount as rows
from storage.database import Row
from storage.errors import Conflict

log = logging.getLogger(__name__)

BATCH = 500
"""Cases read at once."""

Kept = Literal["", "passed", "would_have_passed"]


@dataclass(frozen=True, slots=True)
class Recounted:
    """One date of a case: as it stands, as it will be, and why it stays if the calendar would move it.

    "passed": it lay before today already, and what was late stays late. "would_have_passed": the new date lies before today,
    and nobody can keep a date that is only now known to be over.
    """

    former: dt.date
    on: dt.date
    kept: Kept = ""

    @property
    def moves(self) -> bool:
        """Whether the date changes."""
        return self.on != self.former


@dataclass(frozen=True, slots=True)
class Recount:
    """What the calendar makes of one case."""

    case_id: str
    number: str
    promised: Recounted
    legal: Recounted
    was_provisional: bool
    provisional: bool

    @property
    def moves(self) -> bool:
        """Whether one of the dates changes."""
        return self.promised.moves or self.legal.moves

    @property
    def is_due(self) -> bool:
        """Whether there is anything to write."""
        return self.moves or self.was_provisional != self.provisional


def recounted(row: Row, item: ServiceItem, office: Office) -> Recount | None:
    """What the office's calendar makes of a case; None while its clock stands still: it is counted when it goes on."""
    promised, legal = duedates.due_dates(row, read_card(row), item, office)
    if promised.due_on is None or legal.due_on is None:
        return None
    first, today = earliest(promised, legal), local_date(office.clock.now())
    by_promise, by_law = settle_both((row["promised_on"], first.due_on or legal.due_on), (row["legal_on"], legal.due_on), today)
    return Recount(row["id"], row["number"], by_promise, by_law, row["is_provisional"], first.provisional or legal.provisional)


def settle_both(promised: tuple[dt.date, dt.date], legal: tuple[dt.date, dt.date], today: dt.date) -> tuple[Recounted, Recounted]:
    """Both dates, each given as it stands and as counted anew; a promise never outlasts the law, also where its own date was kept."""
    by_promise, by_law = settle(*promised, today), settle(*legal, today)
    if by_promise.on > by_law.on:
        by_promise = Recounted(by_promise.former, by_law.on, by_promise.kept)
    return by_promise, by_law


def settle(former: dt.date, counted: dt.date, today: dt.date) -> Recounted:
    """The date that holds from now on: as counted anew, unless that would touch what lies behind."""
    if former == counted:
        return Recounted(former, former)
    if former < today:
        return Recounted(former, former, "passed")
    if counted < today:
        return Recounted(former, former, "would_have_passed")
    return Recounted(former, counted)


async def plan(office: Office, since: dt.date) -> AsyncIterator[Recount]:
    """Every case whose clock may run past `since` and for which the calendar changes something, or would if that were not over."""
    after = ""
    while batch := await rows.counted(office.database, since, after, BATCH):
        for row in batch:
            item = await office.catalogue.version(office.database, row["item_code"], row["item_version"])
            found = recounted(row, item, office)
            if found is not None and (found.is_due or found.promised.kept or found.legal.kept):
                yield found
        after = batch[-1]["id"]


async def recount(office: Office, case_id: str) -> Recount | None:
    """Count one case again, tell the resident if the promised date moves; what was done, or None if there was nothing to do."""
    try:
        async with opened(office, case_id) as file:
            return _write(file, _wanted(file))
    except _NothingToDo:
        return None


async def catch_up(office: Office) -> int:
    """Count again what is provisional although its years are known by now, as after an import that was cut short; how many."""
    today = local_date(office.clock.now())
    known = known_to(office.calendar, today.year)
    if known is None:
        return 0
    done, after = 0, ""
    while batch := await rows.provisional(office.database, dt.date.min, known, after, BATCH):
        for row in batch:
            done += await _recounted_alone(office, row["id"])
        after = batch[-1]["id"]
    return done


async def _recounted_alone(office: Office, case_id: str) -> bool:
    """One case that cannot be written holds up no other."""
    try:
        return await recount(office, case_id) is not None
    except (Refused, Conflict) as error:
        log.warning("a provisional due date was not counted again: %s", error)
        return False


def known_to(calendar: WorkCalendar, year: int) -> dt.date | None:
    """The last day of the years known without a gap from `year` on; None if not even that one is known."""
    last = year
    while calendar.covers(last):
        last += 1
    return dt.date(last - 1, 12, 31) if last > year else None


class _NothingToDo(Exception):
    """The case has been counted, or has ended, since it was looked at: its row stays untouched."""


def _wanted(file: CaseFile) -> Recount:
    found = recounted(file.row, file.item, file.office) if file.row["state"] in rows.RUNNING else None
    if found is None or not found.is_due:
        raise _NothingToDo
    return found


def _write(file: CaseFile, found: Recount) -> Recount:
    file.row.update(promised_on=found.promised.on, legal_on=found.legal.on, is_provisional=found.provisional)
    for task in file.tasks:
        if task["step"] == "decide" and task["state"] in tasks.LIVE:
            partdates.move(file, task, found.promised.on)
    today = local_date(file.now)
    partdates.follow(file, lambda former, counted: settle(former, counted, today).on)
    if found.moves:
        file.note(
            "recounted", SYSTEM, tell=found.promised.moves,
            former_on=found.promised.former, promised_on=found.promised.on,
            former_legal_on=found.legal.former, legal_on=found.legal.on,
        )  # fmt: skip
    return found
