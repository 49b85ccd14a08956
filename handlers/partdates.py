"""By when each department has done its part of the review; a special procedure on the part, or on the whole case, moves it.

Kept in the task's row for lists and departments; counted here, so that the row, supervision and silence have one answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

from handlers import guards
from handlers.cards import Card
from handlers.catalogue import Part, ServiceItem
from handlers.clocks import Days, Suspension, due_date
from handlers.limits import DAY
from handlers.workdays import WorkCalendar
from storage.database import Row

if TYPE_CHECKING:
    from handlers.casefile import CaseFile

FIRST_REVIEW_DAYS = 20
"""Working days: the lower level has reviewed within twenty days of acceptance (行政许可法 art. 43)."""


MOVED = "办理期限已变更，以本次告知的日期为准"
"""What a department reads when the date of its task has moved."""


def pauses(card: Card, task_id: str) -> tuple[Suspension, ...]:
    """The times that do not count for one part: its own special procedures, and those of the whole case (行政许可法 art. 45)."""
    return tuple(Suspension(one.start, one.end, one.name) for one in card.pauses if one.task in {task_id, ""})


def part_of(item: ServiceItem, task: Row) -> Part | None:
    """The item's part that a task of the review is; None for the town's own first review of a 上报件."""
    return item.parts[task["position"]] if task["position"] < len(item.parts) else None


def due_on(file: CaseFile, task: Row) -> dt.date | None:
    """The last day of a part that has begun; None while its clock stands still."""
    part, calendar = part_of(file.item, task), file.office.calendar
    if part is not None:
        return due_date(task["requested_at"], Days(part.days), pauses(file.card, task["id"]), calendar).due_on
    return first_review_due(file.row["accepted_at"], file.row["promised_on"], file.card, calendar)


def first_review_due(accepted: dt.datetime, promised_on: dt.date, card: Card, calendar: WorkCalendar) -> dt.date | None:
    """By when the town has sent a case up: within twenty working days, and never past the promise; None while the case stands still."""
    stops = [Suspension(one.start, one.end, one.name) for one in card.pauses]
    first = due_date(accepted, Days(FIRST_REVIEW_DAYS), stops, calendar).due_on
    return None if first is None else min(first, promised_on)


def deemed_on(part: Part | None, due: dt.date | None) -> dt.date | None:
    """From which day on silence counts as agreement; never while the clock stands still, and only where the item says so."""
    return due + DAY if due is not None and part is not None and part.silent == "agreed" else None


def follow(file: CaseFile, settled: Callable[[dt.date, dt.date], dt.date] = lambda _, counted: counted) -> None:
    """Count every part again that is under way, as after a special procedure, an extension, or a holiday that became known.

    While a part stands still its date stays as it was, and nobody is silent. `settled` says which of a former and a counted date holds.
    """
    for task in file.tasks:
        if task["step"] != "review" or task["state"] not in guards.LIVE or task["requested_at"] is None:
            continue
        due = due_on(file, task)
        if due is not None:
            due = settled(task["due_on"], due)
            move(file, task, due)
        silent = deemed_on(part_of(file.item, task), due)
        if silent != task["deemed_on"]:
            file.change_task(task, deemed_on=silent)


def move(file: CaseFile, task: Row, due: dt.date) -> None:
    """Give a task that a department was asked to do another date, and tell the department."""
    if due == task["due_on"]:
        return
    file.change_task(task, due_on=due)
    file.send(task["department"], "task.urged", {"task": task["id"], "due_on": due, "text": MOVED})
