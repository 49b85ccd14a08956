"""What of a case is under supervision: itself, its acceptance, steps, procedures, certificate, delivery, the hours of urgent aid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from handlers import duedates, partdates
from handlers.cards import Card
from handlers.catalogue import ServiceItem
from handlers.clocks import Days, Suspension, midnight, used_days
from handlers.limits import HOUR, Hours, Limit, count_days, local_date
from handlers.supervision_clocks import Watched
from handlers.supervision_rules import Measure, OwnLimits
from handlers.workdays import WorkCalendar
from storage.database import Row

RUNNING = frozenset({"accepted", "in_review", "forwarded"})
"""The states in which the clock of a case runs, or stands still for a while."""

NOTICES = frozenset({"公示", "公告"})
"""The special procedures that are the item's public notice."""

_AT_WORK = frozenset({"requested", "in_progress", "suspended"})


@dataclass(frozen=True, slots=True)
class Facts:
    """All of a case that supervision looks at; `certified`: its electronic certificate is out."""

    row: Row
    item: ServiceItem
    card: Card
    tasks: Sequence[Row]
    certified: bool = False


def objects(facts: Facts, limits: OwnLimits, calendar: WorkCalendar) -> Iterator[Watched]:
    """Every object of a case, those that are done too (`runs` is false for them)."""
    yield from _pre_acceptance(facts, limits)
    yield from _case(facts)
    yield from _steps(facts, calendar)
    yield from _procedures(facts, calendar)
    yield from _certificate(facts, limits)
    yield from _delivery(facts, calendar)
    yield from _urgent(facts)


def _pre_acceptance(facts: Facts, limits: OwnLimits) -> Iterator[Watched]:
    """An application that nobody has looked at; the clock begins anew when a correction came back."""
    asked = next((task for task in facts.tasks if task["step"] == "accept" and task["requested_at"] is not None), None)
    start = asked["requested_at"] if asked else facts.row["submitted_at"]
    if start is not None:
        runs = facts.row["state"] == "submitted"
        own: Mapping[Measure, Limit] = {"own": limits.pre_acceptance}
        yield Watched("pre_acceptance", facts.row["id"], start, own, (), facts.row["department"], "受理审查", runs)


def _case(facts: Facts) -> Iterator[Watched]:
    row = facts.row
    if row["accepted_at"] is None:
        return
    department, step = _duty(facts)
    promised, legal = duedates.limits(facts.item, facts.card)
    both: Mapping[Measure, Limit] = {"promised": promised, "legal": legal}
    stops = tuple(duedates.pauses(facts.card))
    yield Watched("case", row["id"], row["accepted_at"], both, stops, department, step, row["state"] in RUNNING)


def _duty(facts: Facts) -> tuple[str, str]:
    """Who has the case in hand: the only department at work, or the lead department; and what it has to do."""
    at_work = [task for task in facts.tasks if task["step"] != "accept" and task["state"] in _AT_WORK]
    if len({task["department"] for task in at_work}) == 1:
        return at_work[0]["department"], at_work[0]["action"]
    return facts.row["department"], "并联审查" if at_work else "办理"


def _steps(facts: Facts, calendar: WorkCalendar) -> Iterator[Watched]:
    """Each department's part of the review inside the total; the decision has the limits of the case."""
    for task in facts.tasks:
        if task["step"] != "review" or task["requested_at"] is None or task["due_on"] is None:
            continue
        part = next((part for part in facts.item.parts if (part.department, part.action) == (task["department"], task["action"])), None)
        stops = partdates.pauses(facts.card, task["id"])
        days = part.days if part else _days_given(task, stops, calendar)
        runs = facts.row["state"] in RUNNING and task["state"] in _AT_WORK
        yield Watched("step", task["id"], task["requested_at"], {"own": Days(days)}, stops, task["department"], task["action"], runs)


def _days_given(task: Row, stops: Sequence[Suspension], calendar: WorkCalendar) -> int:
    """The days from the task's beginning to its date, without those by which procedures that are over moved that date."""
    over = [one for one in stops if one.end is not None]
    return used_days(task["requested_at"], "working", over, midnight(task["due_on"]), calendar=calendar)


def _procedures(facts: Facts, calendar: WorkCalendar) -> Iterator[Watched]:
    """Special procedures have a limit of their own, which is supervised too."""
    for pause in facts.card.pauses:
        if pause.due_on is None or not pause.id:
            continue
        unit = procedure_limit(facts.item, pause.name, Days(0)).unit
        limit = Days(count_days(local_date(pause.start), pause.due_on, unit, calendar), unit)
        runs = facts.row["state"] in RUNNING and pause.end is None
        yield Watched("procedure", pause.id, pause.start, {"own": limit}, (), pause.department, pause.name, runs)


def _certificate(facts: Facts, limits: OwnLimits) -> Iterator[Watched]:
    row = facts.row
    if facts.item.certificate_type is not None and row["decision"] == "granted" and row["decided_at"] is not None:
        own: Mapping[Measure, Limit] = {"own": limits.certificate}
        runs = not facts.certified and facts.card.revoked is None
        yield Watched("certificate", row["id"], row["decided_at"], own, (), row["department"], "制发电子证照", runs)


def _delivery(facts: Facts, calendar: WorkCalendar) -> Iterator[Watched]:
    """The result is on its way until the applicant has it, by the day that the pages show (行政许可法 art. 44)."""
    row, delivery = facts.row, facts.card.delivery
    if delivery is None or delivery.due_on is None or row["decided_at"] is None:
        return
    days = Days(calendar.count(local_date(row["decided_at"]), delivery.due_on))
    step = "送达（等待签收）" if delivery.sent_at else "送达"
    runs = row["state"] in {"decided", "delivering"} and delivery.delivered_at is None
    yield Watched("delivery", row["id"], row["decided_at"], {"own": days}, (), row["department"], step, runs, by_date=True)


def _urgent(facts: Facts) -> Iterator[Watched]:
    """Urgent aid is decided within hours, by night and on holidays too; they run while the office has the papers."""
    urgency = facts.card.urgency
    if urgency is None:
        return
    hours = Hours((urgency.decide_by - urgency.asked_at) // HOUR)
    department, step = (facts.row["department"], "受理审查") if facts.row["accepted_at"] is None else _duty(facts)
    runs = facts.row["state"] in {"submitted", *RUNNING}
    yield Watched("urgent", facts.row["id"], urgency.asked_at, {"own": hours}, (), department, step, runs)


def procedure_limit(item: ServiceItem, name: str, otherwise: Limit) -> Limit:
    """The limit that is laid down for a special procedure: the item's own, that of its public notice, or another where there is none."""
    own = next((one for one in item.special_procedures if name in {one.name, *one.name.split("/")}), None)
    if own is not None and own.days is not None:
        return Days(own.days, own.unit)
    if name in NOTICES and item.announcement is not None:
        return Days(item.announcement.days, item.announcement.unit)
    return otherwise
