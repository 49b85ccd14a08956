"""The two clocks of a case: when it is due, how much is used, and which supervision card that earns. Pure functions, no store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from handlers.explanations import Facts, Step, card_text, due_steps
from handlers.limits import (
    DAY,
    LOCAL,
    Counting,
    Days,
    Limit,
    Pause,
    Suspension,
    Unit,
    add_days,
    advance,
    count_days,
    date_of,
    local_date,
    midnight,
    moment_of,
    pauses,
    running_time,
)
from handlers.workdays import WorkCalendar

__all__ = [
    "LOCAL", "Card", "Counting", "Days", "DueDate", "Level", "Limit", "Step", "Suspension", "Unit",
    "card", "counting_of", "due_date", "earliest", "local_date", "midnight", "used_days",
]  # fmt: skip

Level = Literal["none", "warning", "yellow", "red"]


@dataclass(frozen=True, slots=True)
class DueDate:
    """When a limit ends; `due_on` is None while the clock stands still without an end, and `left` says how many days remain.

    `provisional`: a year without a holiday table was crossed. `due_at` only when counted by the instant.
    """

    due_on: dt.date | None
    provisional: bool
    due_at: dt.datetime | None
    left: int | None
    facts: Facts

    @property
    def steps(self) -> tuple[Step, ...]:
        """The explanation, line by line; made when it is asked for."""
        return due_steps(self.facts)


@dataclass(frozen=True, slots=True)
class Card:
    """A supervision card: its level, the rule that gave it, the days used on the clock that gave it, and the reason in words."""

    level: Level
    rule: str
    used: int
    text: str
    text_en: str


@dataclass(frozen=True, slots=True)
class _End:
    """Where the walk along a clock ended."""

    on: dt.date | None
    at: dt.datetime | None
    left: int | None
    seen_to: dt.date


def due_date(
    accepted: dt.date | dt.datetime,
    limit: Limit,
    suspensions: Iterable[Suspension],
    calendar: WorkCalendar,
    counting: Counting = "date",
) -> DueDate:
    """When the limit ends, with the reason line by line.

    By date (民法典 art. 201): the day of acceptance does not count, and the limit ends at the close of its last day.
    By the instant (e-supervision): from the very second, a working day has 24 hours.
    A natural-day limit may end on a holiday: the office's own limit is not lengthened.
    """
    stops = pauses(suspensions, accepted)
    end = _by_date(date_of(accepted), limit, stops, calendar)
    if counting == "instant":
        end = _by_instant(moment_of(accepted), limit, stops, calendar)
    provisional = limit.unit == "working" and calendar.is_provisional(date_of(accepted), end.seen_to)
    facts = Facts(accepted, limit, tuple(stops), calendar, counting, end.on, end.at, end.left, end.seen_to)
    return DueDate(end.on, provisional, end.at, end.left, facts)


def counting_of(limit: Limit, counting: Counting) -> Counting:
    """How a limit runs in a town that counts so: an immediate item (即办件) is due on the day itself, never at its first second."""
    return counting if limit.days else "date"


def earliest(first: DueDate, second: DueDate) -> DueDate:
    """The one of two limits that ends first, where both apply; a clock that stands still ends last."""
    if first.due_on is None or second.due_on is None:
        return second if first.due_on is None else first
    if first.due_at is not None and second.due_at is not None:
        return first if first.due_at <= second.due_at else second
    return first if first.due_on <= second.due_on else second


def used_days(
    accepted: dt.date | dt.datetime,
    unit: Unit,
    suspensions: Iterable[Suspension],
    at: dt.datetime,
    *,
    calendar: WorkCalendar,
    counting: Counting = "date",
) -> int:
    """Days used up to `at`; a day begun counts whole ("one second over counts"), suspended time does not count."""
    stops = pauses(suspensions, accepted)
    if counting == "date":
        return _used_by_date(date_of(accepted), local_date(at), unit, stops, calendar)
    spent = running_time(moment_of(accepted), at, unit, calendar)
    for one in (stop.suspension for stop in stops):
        spent -= running_time(one.start, min(one.end or at, at), unit, calendar)
    return -(-spent // DAY)


def card(
    accepted: dt.date | dt.datetime,
    promised: Limit,
    legal: Limit,
    suspensions: Iterable[Suspension],
    at: dt.datetime,
    *,
    calendar: WorkCalendar,
    counting: Counting = "date",
) -> Card:
    """The card that a case has earned by `at`: warning 2 days before the promised limit ends, yellow past it, red past the legal one.

    The case row of the e-supervision table; the highest level that holds is given. A legal limit in other days than the promise may
    end first (docs/decisions/0009): then 2 days before that, or a case would be red that nobody was warned of.
    """
    stops = tuple(suspensions)
    on_promised, on_legal = (
        used_days(accepted, limit.unit, stops, at, calendar=calendar, counting=counting_of(limit, counting)) for limit in (promised, legal)
    )
    if at < moment_of(accepted):
        return Card("none", "not accepted yet", 0, *card_text("early", 0, promised))
    if on_legal >= legal.days + 1:
        return _card("red", "used >= legal + 1", on_legal, legal)
    if on_promised >= promised.days + 1:
        return _card("yellow", "used >= promised + 1", on_promised, promised)
    if on_promised >= promised.days - 2:
        return _card("warning", "used >= promised - 2", on_promised, promised)
    if promised.unit != legal.unit and on_legal >= legal.days - 2:
        return Card("warning", "used >= legal - 2", on_legal, *card_text("legal_first", on_legal, legal))
    return _card("none", "used < promised - 2", on_promised, promised)


def _card(level: Level, rule: str, used: int, limit: Limit) -> Card:
    return Card(level, rule, used, *card_text(level, used, limit))


def _used_by_date(accepted: dt.date, today: dt.date, unit: Unit, stops: list[Pause], calendar: WorkCalendar) -> int:
    if today <= accepted:
        return 0
    used = count_days(accepted, today, unit, calendar)
    for stop in stops:
        if stop.before < today:
            used -= count_days(stop.before, min(stop.last or today, today), unit, calendar)
    return used


def _by_date(accepted: dt.date, limit: Limit, stops: list[Pause], calendar: WorkCalendar) -> _End:
    """Walk from pause to pause: the days up to each are used, those inside are skipped."""
    day, left = accepted, limit.days
    for stop in stops:
        ran = count_days(day, stop.before, limit.unit, calendar) if stop.before > day else 0
        if ran >= left:
            break
        if stop.last is None:
            return _End(None, None, left - ran, max(day, stop.before))
        left, day = left - ran, max(day, stop.last)
    due = add_days(day, left, limit.unit, calendar)
    return _End(due, None, None, due)


def _by_instant(accepted: dt.datetime, limit: Limit, stops: list[Pause], calendar: WorkCalendar) -> _End:
    moment, left = accepted, limit.days * DAY
    for stop in (stop.suspension for stop in stops):
        ran = running_time(moment, stop.start, limit.unit, calendar)
        if ran >= left:
            break
        if stop.end is None:
            return _End(None, None, -(-(left - ran) // DAY), local_date(stop.start))
        left, moment = left - ran, stop.end
    due = advance(moment, left, limit.unit, calendar).astimezone(LOCAL)
    return _End(local_date(due), due, None, local_date(due))
