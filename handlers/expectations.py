"""What to expect honestly: how long like cases took, as percentiles and never as an average, and what of that is left of a case."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import msgspec

from handlers.cards import read_card
from handlers.caseviews import DepartmentRef, department_ref
from handlers.catalogue import ServiceItem
from handlers.clocks import Limit, Suspension, local_date
from handlers.limits import DAY
from handlers.office import Office
from handlers.outcomes import net_time, waits
from storage import outcomes
from storage.database import Row

FEWEST = 20
"""With fewer like cases a percentile says nothing."""
WINDOW = 180 * DAY
_AT_WORK = frozenset({"submitted", "correction_requested", "accepted", "in_review", "forwarded"})

Basis = Literal["item", "department", "promise"]


@dataclass(frozen=True, slots=True)
class Waits:
    """Net time of like cases: half of `cases` were decided within `half`, four in five within `most`."""

    basis: Basis
    cases: int
    half: dt.timedelta
    most: dt.timedelta


class Expectation(msgspec.Struct, frozen=True):
    """What to expect, in working days: half of like cases took no more than `half_days`, four in five no more than `most_days`.

    basis: cases of the same item, else of the same department, else the promise alone (then `cases` is 0 and both are null).
    `used_days` and `left` belong to a case at the office: the days used so far and what is left until four in five were decided;
    `left` is null where there is nothing to compare with, and 0 once the case takes longer than they did.
    """

    basis: Basis
    cases: int
    half_days: int | None
    most_days: int | None
    used_days: int | None
    left_days: int | None
    text: str
    text_en: str


async def of_item(office: Office, item: ServiceItem) -> Expectation:
    """What somebody who applies today may expect."""
    return expect(await _waits(office, item), item.promised, department_ref(office, item.department))


async def of_case(office: Office, row: Row, item: ServiceItem) -> Expectation | None:
    """What is left of a case; None once it is decided, and for a draft."""
    if row["state"] not in _AT_WORK:
        return None
    steps = await outcomes.steps(office.database, row["id"])
    special = [Suspension(pause.start, pause.end, pause.name) for pause in read_card(row).pauses]
    used = net_time(row["submitted_at"], office.clock.now(), [*special, *waits(steps)], office.calendar)
    return expect(await _waits(office, item), item.promised, department_ref(office, row["department"]), used)


def expect(found: Waits | None, promised: Limit, department: DepartmentRef, used: dt.timedelta | None = None) -> Expectation:
    """The expectation in figures and in words; without like cases the promise speaks, of which days used say nothing yet."""
    used_days = None if used is None else _begun(used)
    if found is None:
        return Expectation("promise", 0, None, None, used_days, None, *_promise(promised))
    half, most = max(1, _begun(found.half)), max(1, _begun(found.most))
    left = None if used_days is None else max(0, most - used_days)
    of, of_en = _LIKE[found.basis]
    text = f"近半年{of.format(department.name)}一半在 {half} 个工作日内办结，八成在 {most} 个工作日内办结，不含等待补正和特别程序的时间。"
    text_en = (
        f"In the last half year half of {of_en.format(department.code)} were decided within {half} working days, "
        f"four in five within {most}, waits for corrections and special procedures left out."
    )
    more, more_en = _left(used_days, left)
    return Expectation(found.basis, found.cases, half, most, used_days, left, text + more, text_en + more_en)


async def _waits(office: Office, item: ServiceItem) -> Waits | None:
    """Like cases of the last 180 days: those of the item, or, where there are fewer than 20, those of its department."""
    to = local_date(office.clock.now())
    of_item = await outcomes.waits_of_item(office.database, item.code, to - WINDOW, to)
    if (of_item["cases"] or 0) >= FEWEST:
        return _read("item", of_item)
    of_department = await outcomes.waits_of_department(office.database, item.department, to - WINDOW, to)
    return _read("department", of_department) if (of_department["cases"] or 0) >= FEWEST else None


def _read(basis: Basis, row: Row) -> Waits:
    return Waits(basis, row["cases"], dt.timedelta(seconds=row["half"]), dt.timedelta(seconds=row["most"]))


def _begun(time: dt.timedelta) -> int:
    """Working days of 24 hours; a day begun counts whole."""
    return -(-time // DAY)


_LIKE: dict[Basis, tuple[str, str]] = {
    "item": ("同类办件", "like cases"),
    "department": ("{}的办件", "the cases of department {}"),
    "promise": ("", ""),
}


def _left(used: int | None, left: int | None) -> tuple[str, str]:
    if used is None or left is None:
        return "", ""
    if left == 0:
        return f"本件已用 {used} 个工作日，比多数办件时间长。", f" This one has taken {used} so far, longer than most."
    return (
        f"本件已用 {used} 个工作日，多数办件再有 {left} 个工作日就会办结。",
        f" This one has taken {used} so far; most are decided after {left} more.",
    )


def _promise(limit: Limit) -> tuple[str, str]:
    if not limit.days:
        return "即时办理的事项。", "It is done at once."
    unit, unit_en = ("个工作日", "working days") if limit.unit == "working" else ("天", "days")
    return (
        f"同类办件还不多，暂无统计。承诺在受理后 {limit.days} {unit}内办结。",
        f"There are too few like cases to count. Promised within {limit.days} {unit_en} of acceptance.",
    )
