"""Time limits and the time that counts towards them: days or instants, without holidays, without what was suspended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from handlers.workdays import WorkCalendar

# China has one time zone and no summer time: UTC+8 throughout.
LOCAL = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
ZERO = dt.timedelta()

Unit = Literal["working", "natural"]
Counting = Literal["date", "instant"]


class Limit(Protocol):
    """A time limit: whole days, and which days count ("natural" = every day)."""

    @property
    def days(self) -> int:
        """How many days."""
        ...

    @property
    def unit(self) -> Unit:
        """Which days count."""
        ...


@dataclass(frozen=True, slots=True)
class Days:
    """A plain limit of so many days."""

    days: int
    unit: Unit = "working"


@dataclass(frozen=True, slots=True)
class Hours:
    """A limit of so many hours: each counts, by night and on holidays too."""

    hours: int


@dataclass(frozen=True, slots=True)
class Suspension:
    """A time for which the clock stands still (special procedure, 行政许可法 art. 45); `end` None = it still stands."""

    start: dt.datetime
    end: dt.datetime | None = None
    name: str = ""

    @classmethod
    def of_days(cls, first: dt.date, last: dt.date | None, name: str = "") -> Suspension:
        """Whole days: the clock stands still on the first, on the last and between."""
        return cls(midnight(first), None if last is None else midnight(last + DAY), name)


@dataclass(frozen=True, slots=True)
class Pause:
    """A suspension as it bears on one case, in days: those later than `before` up to `last` do not count."""

    suspension: Suspension
    before: dt.date
    last: dt.date | None


def local_date(moment: dt.datetime) -> dt.date:
    """The date on the office's wall."""
    return moment.astimezone(LOCAL).date()


def midnight(day: dt.date) -> dt.datetime:
    """The beginning of a local day."""
    return dt.datetime.combine(day, dt.time(), LOCAL)


def date_of(accepted: dt.date | dt.datetime) -> dt.date:
    """The local date of a date or a moment."""
    return local_date(accepted) if isinstance(accepted, dt.datetime) else accepted


def moment_of(accepted: dt.date | dt.datetime) -> dt.datetime:
    """A moment as it is; a date as its beginning."""
    return accepted if isinstance(accepted, dt.datetime) else midnight(accepted)


def pauses(suspensions: Iterable[Suspension], accepted: dt.date | dt.datetime) -> list[Pause]:
    """Suspensions in order, overlapping and touching ones as one, nothing before acceptance.

    A day does not count if the clock stands still at its close: so a procedure begun and ended within a day moves nothing,
    and one of k days moves every boundary by k (电子监察 rules).
    """
    start, first = moment_of(accepted), date_of(accepted)
    return [_pause(one, first) for one in _merged(_clipped(suspensions, start))]


def _clipped(suspensions: Iterable[Suspension], start: dt.datetime) -> Iterator[Suspension]:
    for one in sorted(suspensions, key=lambda one: one.start):
        begin = max(one.start, start)
        if one.end is None or one.end > begin:
            yield Suspension(begin, one.end, one.name)


def _merged(suspensions: Iterable[Suspension]) -> list[Suspension]:
    found: list[Suspension] = []
    for one in suspensions:
        last = found[-1] if found else None
        if last is None or (last.end is not None and one.start > last.end):
            found.append(one)
        else:
            found[-1] = _joined(last, one)
    return found


def _joined(one: Suspension, other: Suspension) -> Suspension:
    end = None if one.end is None or other.end is None else max(one.end, other.end)
    names = dict.fromkeys(name for name in (one.name, other.name) if name)
    return Suspension(one.start, end, "、".join(names))


def _pause(suspension: Suspension, accepted: dt.date) -> Pause:
    before = max(local_date(suspension.start) - DAY, accepted)
    if suspension.end is None:
        return Pause(suspension, before, None)
    return Pause(suspension, before, max(before, local_date(suspension.end) - DAY))


def count_days(after: dt.date, to: dt.date, unit: Unit, calendar: WorkCalendar) -> int:
    """Days that count later than `after` up to `to`."""
    return calendar.count(after, to) if unit == "working" else (to - after).days


def add_days(start: dt.date, days: int, unit: Unit, calendar: WorkCalendar) -> dt.date:
    """The `days`-th day that counts after `start`."""
    return calendar.add_workdays(start, days).day if unit == "working" else start + days * DAY


def running_time(start: dt.datetime, end: dt.datetime, unit: Unit, calendar: WorkCalendar) -> dt.timedelta:
    """Time that counts between two moments; a working day has 24 hours, as e-supervision counts it."""
    if end <= start:
        return ZERO
    if unit == "natural":
        return end - start
    whole = calendar.count(local_date(start), local_date(end)) * DAY
    return whole + _before_close(start, calendar) - _before_close(end, calendar)


def advance(start: dt.datetime, time: dt.timedelta, unit: Unit, calendar: WorkCalendar) -> dt.datetime:
    """The last moment at which no more than `time` has run since `start`."""
    if unit == "natural":
        return start + time
    days, rest = divmod(time + DAY - _before_close(start, calendar), DAY)
    return midnight(calendar.add_workdays(local_date(start), days).day) + rest


def _before_close(moment: dt.datetime, calendar: WorkCalendar) -> dt.timedelta:
    """What of the moment's own day is still to run."""
    day = local_date(moment)
    return midnight(day + DAY) - moment if calendar.is_workday(day) else ZERO
