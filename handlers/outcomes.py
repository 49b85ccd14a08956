"""What a case is counted by once it has ended: the days used on both clocks, the net time with the office, corrections."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from handlers import duedates
from handlers.catalogue import ServiceItem
from handlers.clocks import Limit, Suspension, counting_of, local_date, used_days
from handlers.limits import pauses, running_time
from handlers.workdays import WorkCalendar
from storage import outcomes
from storage.database import Row

if TYPE_CHECKING:
    from handlers.casefile import CaseFile

ENDED = frozenset({"completed", "not_accepted", "withdrawn", "expired"})
_JUDGED_AWAY = frozenset({"not_accepted", "withdrawn", "expired"})


async def record(file: CaseFile) -> None:
    """At the close of a case file: write the outcome if the case has ended; a draft was never received and has none."""
    if file.row["state"] not in ENDED or file.row["number"] is None:
        return
    await outcomes.insert(file.tx, _outcome(file, await outcomes.steps(file.tx, file.row["id"])))


def waits(steps: Iterable[Row]) -> list[Suspension]:
    """When the office waited for the resident: from each correction notice until it was answered, without end if it never was."""
    found: list[Suspension] = []
    for step in steps:
        if step["type"] == "correction_requested" and (not found or found[-1].end is not None):
            found.append(Suspension(step["occurred_at"]))
        elif step["type"] == "corrected" and found and found[-1].end is None:
            found[-1] = Suspension(found[-1].start, step["occurred_at"])
    return found


def net_time(start: dt.datetime, at: dt.datetime, away: Iterable[Suspension], calendar: WorkCalendar) -> dt.timedelta:
    """Working time with the office: without what was waited for the resident and without special procedures.

    A working day has 24 hours, as e-supervision counts (监察规则说明), so that 86,400 seconds are a working day.
    """
    net = running_time(start, at, "working", calendar)
    for one in (pause.suspension for pause in pauses(away, start)):
        net -= running_time(one.start, min(one.end or at, at), "working", calendar)
    return net


def audience_of(item: ServiceItem, form: dict[str, object]) -> str:
    """Whom the case was for: where an item serves both, a firm is known by its credit code."""
    if len(item.audience) == 1:
        return item.audience[0]
    return "org" if form.get("credit_code") else "person"


def _outcome(file: CaseFile, steps: Sequence[Row]) -> Row:
    row, calendar = file.row, file.office.calendar
    accepted, submitted = row["accepted_at"], row["submitted_at"]
    done = row["decided_at"] or file.now  # 行政许可法 art. 44: delivery has a limit of its own
    special = [Suspension(pause.start, pause.end, pause.name) for pause in file.card.pauses]
    promised, legal = duedates.limits(file.item, file.card)
    corrections = sum(step["type"] == "correction_requested" for step in steps)
    return {
        "case_id": row["id"], "item_code": row["item_code"], "department": row["department"], "area": row["area"],
        "staff_id": _officer(steps), "audience": audience_of(file.item, file.form),
        "received_on": local_date(submitted), "accepted_on": local_date(accepted) if accepted else None,
        "ended_on": local_date(file.now), "ending": row["state"] if row["state"] in _JUDGED_AWAY else row["decision"],
        "promised_days": promised.days, "legal_days": legal.days,
        "used_days": _used(file, promised, special, done), "used_legal": _used(file, legal, special, done),
        "net_seconds": int(net_time(submitted, done, [*special, *waits(steps)], calendar).total_seconds()),
        "corrections": corrections, "is_first_time": accepted is not None and not corrections,
    }  # fmt: skip


def _used(file: CaseFile, limit: Limit, special: list[Suspension], done: dt.datetime) -> int | None:
    """Days used on one clock; None for a case that was never accepted."""
    office, accepted = file.office, file.row["accepted_at"]
    if accepted is None:
        return None
    return used_days(accepted, limit.unit, special, done, calendar=office.calendar, counting=counting_of(limit, office.counting))


def _officer(steps: Iterable[Row]) -> str | None:
    """The member of staff who did the last act; None where departments' systems did all."""
    return next((step["actor_id"] for step in reversed(list(steps)) if step["actor_kind"] == "staff"), None)
