"""Working days from the yearly holiday notice of the State Council: weekends, days off and the weekends worked instead."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

DAYS_A_WEEK = 7
WORKDAYS_A_WEEK = 5
SATURDAY = 5
# Statutory days off by the year from which they hold: 全国年节及纪念日放假办法, revised by 国务院令 513 (2008) and 795 (2025).
_STATUTORY = ((2025, 13), (2008, 11), (0, 10))


Key = tuple[str | int, ...]


class CalendarError(Exception):
    """A calendar table cannot be used: `rule` names what is broken, `key` the entry at fault, the text what it should be."""

    def __init__(self, rule: str, text: str, key: Key = ()) -> None:
        super().__init__(text)
        self.rule = rule
        self.key = key


@dataclass(frozen=True, slots=True)
class YearTable:
    """One year's notice: every day off (weekends inside a holiday too) and every weekend day worked, each with its holiday's name."""

    year: int
    days_off: Mapping[dt.date, str]
    makeup_workdays: Mapping[dt.date, str]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """A day found by counting; provisional when a year without a table was crossed, so that only weekends were left out there."""

    day: dt.date
    provisional: bool


@dataclass(frozen=True, slots=True)
class Span:
    """Days in a row that share a reason: a holiday, or a make-up day."""

    first: dt.date
    last: dt.date
    name: str
    works: bool

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1


class WorkCalendar:
    """Which days are worked. Every question is answered in O(log n) of the exceptions, for any date, from prefix sums.

    Weekdays up to a date have a closed form; a table only lists where life differs from it. Years without a table
    are reckoned with weekends alone, and `covers` is false for them.
    """

    def __init__(self, tables: Iterable[YearTable] = ()) -> None:
        self.tables = {table.year: table for table in tables}
        self._off: dict[dt.date, str] = {}
        self._makeup: dict[dt.date, str] = {}
        for table in self.tables.values():
            self._off.update(table.days_off)
            self._makeup.update(table.makeup_workdays)
        twice = self._off.keys() & self._makeup.keys()
        if twice:
            raise CalendarError("off-and-worked", f"{min(twice)} is both a day off and a make-up workday: keep one of the two.")
        changes = [(day.toordinal(), -1) for day in self._off if day.weekday() < SATURDAY]
        changes += [(day.toordinal(), +1) for day in self._makeup if day.weekday() >= SATURDAY]
        changes.sort()
        self._exceptions = [ordinal for ordinal, _ in changes]
        self._sums = [0, *accumulate(change for _, change in changes)]
        self._counts = [self._count(ordinal) for ordinal in self._exceptions]

    @property
    def years(self) -> list[tuple[int, list[dt.date], list[dt.date]]]:
        """What it is made of, in order: each year with its days off and make-up workdays."""
        return sorted((table.year, sorted(table.days_off), sorted(table.makeup_workdays)) for table in self.tables.values())

    def covers(self, year: int) -> bool:
        """Whether the notice of this year is known."""
        return year in self.tables

    def is_workday(self, day: dt.date) -> bool:
        """Whether offices work on this day."""
        return day in self._makeup or (day.weekday() < SATURDAY and day not in self._off)

    def count(self, after: dt.date, to: dt.date) -> int:
        """Working days later than `after`, up to and with `to`; negative when `to` lies before."""
        return self._count(to.toordinal()) - self._count(after.toordinal())

    def add_workdays(self, start: dt.date, days: int) -> Counted:
        """The `days`-th working day after `start`, which itself does not count; 0 stays at `start`."""
        if days < 0:
            raise ValueError("Working days are counted forward: days must be 0 or more.")
        if days == 0:
            return Counted(start, provisional=False)
        day = dt.date.fromordinal(self._day_of_count(self._count(start.toordinal()) + days))
        return Counted(day, provisional=self.is_provisional(start, day))

    def first_workday(self, day: dt.date) -> dt.date:
        """The day itself if it is worked, else the next that is: where a person's own period ends (民法典 art. 203)."""
        return day if self.is_workday(day) else self.add_workdays(day, 1).day

    def is_provisional(self, after: dt.date, to: dt.date) -> bool:
        """Whether the days later than `after` up to `to` touch a year whose notice is not known."""
        if to <= after:
            return False
        first = (after + dt.timedelta(days=1)).year
        return not all(self.covers(year) for year in range(first, to.year + 1))

    def spans(self, after: dt.date, to: dt.date) -> list[Span]:
        """The holidays and make-up days later than `after` up to `to`, in order; days of one holiday in a row are one span."""
        days = [(day, name, False) for day, name in self._off.items() if after < day <= to]
        days += [(day, name, True) for day, name in self._makeup.items() if after < day <= to]
        spans: list[Span] = []
        for day, name, works in sorted(days):
            last = spans[-1] if spans else None
            if last and (last.name, last.works) == (name, works) and day.toordinal() == last.last.toordinal() + 1:
                spans[-1] = Span(last.first, day, name, works)
            else:
                spans.append(Span(day, day, name, works))
        return spans

    def with_table(self, table: YearTable) -> WorkCalendar:
        """The same calendar with one year's table put in or replaced."""
        return WorkCalendar([*(old for old in self.tables.values() if old.year != table.year), table])

    def _count(self, ordinal: int) -> int:
        """Working days since the first Monday of the era, up to and with this day."""
        return _weekdays(ordinal) + self._sums[bisect_right(self._exceptions, ordinal)]

    def _day_of_count(self, wanted: int) -> int:
        """The first day on which the count is reached: `_count` turned round between two exceptions, where it is a closed form."""
        place = bisect_left(self._counts, wanted)
        weeks, rest = divmod(wanted - self._sums[place] - 1, WORKDAYS_A_WEEK)
        ordinal = weeks * DAYS_A_WEEK + rest + 1
        # A make-up day ends its stretch: the count may be reached on it rather than on the next Monday.
        return min(ordinal, self._exceptions[place]) if place < len(self._exceptions) else ordinal


def with_year(tables: list[YearTable], table: YearTable) -> list[YearTable]:
    """The tables with one more; raises CalendarError where it contradicts them."""
    if any(one.year == table.year for one in tables):
        raise CalendarError("year-twice", f"another file holds {table.year} already: keep one of the two.", ("year",))
    WorkCalendar([*tables, table])
    return [*tables, table]


def statutory_days(year: int) -> int:
    """How many days off the law gives in a year; the other weekdays off are exchanged for weekends."""
    return next(days for since, days in _STATUTORY if year >= since)


def _weekdays(ordinal: int) -> int:
    """Mondays to Fridays up to and with this day; ordinal 1 is a Monday."""
    weeks, rest = divmod(ordinal, DAYS_A_WEEK)
    return weeks * WORKDAYS_A_WEEK + min(rest, WORKDAYS_A_WEEK)


def read_table(values: Mapping[str, Any]) -> YearTable:
    """A year's table from its TOML values; raises CalendarError with the entry at fault.

    Shape: `year`, `source`, lists `days_off` and `makeup_workdays` of {date, name}; `irregular` says why the days are not as many
    as the law has (an anniversary, an epidemic), where that is so.
    """
    unknown = sorted(values.keys() - {"year", "source", "days_off", "makeup_workdays", "irregular"})
    if unknown:
        text = f"{unknown[0]} is no entry of a calendar: known are year, source, days_off, makeup_workdays, irregular."
        raise CalendarError("unknown-entry", text, (unknown[0],))
    year = values.get("year")
    if not isinstance(year, int) or not dt.MINYEAR < year < dt.MAXYEAR:
        raise CalendarError("year", "year must be a whole number, e.g. year = 2026.", ("year",))
    off, makeup = _days(values, "days_off", year), _days(values, "makeup_workdays", year)
    table = YearTable(year, off, makeup, str(values.get("source", "")))
    _check_makeup(table)
    if not str(values.get("irregular", "")).strip():
        _check_count(table)
    return table


def _days(values: Mapping[str, Any], kind: str, year: int) -> dict[dt.date, str]:
    found: dict[dt.date, str] = {}
    entries = values.get(kind, [])
    if not isinstance(entries, list):
        raise CalendarError("list", f"{kind} must be a list of {{ date, name }}.", (kind,))
    for place, entry in enumerate(entries):
        day, name = _day_and_name(entry, (kind, place))
        # A notice may arrange days at the turn of the year (29 December 2018 was worked by the notice of 2019).
        near = dt.date(year - 1, 12, 1) <= day <= dt.date(year + 1, 1, 31)
        if not near:
            raise CalendarError("wrong-year", f"{kind}: {day} does not belong to {year}: check the year.", (kind, place))
        if day in found:
            raise CalendarError("listed-twice", f"{kind}: {day} is listed twice: delete one.", (kind, place))
        found[day] = name
    return found


def _day_and_name(entry: object, key: Key) -> tuple[dt.date, str]:
    day = entry.get("date") if isinstance(entry, Mapping) else None
    name = entry.get("name") if isinstance(entry, Mapping) else None
    if isinstance(day, str):
        try:
            day = dt.date.fromisoformat(day)
        except ValueError:
            day = None
    if not isinstance(day, dt.date) or isinstance(day, dt.datetime):
        raise CalendarError("date", f"{key[0]}: every entry needs a date such as date = 2026-01-01.", key)
    if not isinstance(name, str) or not name.strip():
        raise CalendarError("name", f'{key[0]}: {day} needs the name of its holiday, e.g. name = "元旦".', key)
    return day, name.strip()


def _check_makeup(table: YearTable) -> None:
    for place, day in enumerate(table.makeup_workdays):
        key = ("makeup_workdays", place)
        if day.weekday() < SATURDAY:
            text = f"makeup_workdays: {day} is no Saturday or Sunday, so it is worked anyway: check the date."
            raise CalendarError("makeup-on-weekday", text, key)
        if day in table.days_off:
            text = f"makeup_workdays: {day} is both a day off and a make-up workday: keep one of the two."
            raise CalendarError("off-and-worked", text, key)


def _check_count(table: YearTable) -> None:
    """Every weekday off beyond the statutory days is worked on a weekend, so a lost make-up day shows (全国年节及纪念日放假办法)."""
    if not table.days_off:
        text = "days_off is empty: a year has holidays; copy them from the State Council's notice."
        raise CalendarError("no-holidays", text, ("days_off",))
    wanted = statutory_days(table.year)
    weekdays_off = sum(day.weekday() < SATURDAY for day in table.days_off)
    makeup = len(table.makeup_workdays)
    if weekdays_off - makeup != wanted:
        text = (
            f"{table.year} has {weekdays_off} Mondays to Fridays off and {makeup} make-up workdays; the difference must be the {wanted} "
            'statutory days. Compare with the notice; if the year is truly out of the ordinary, say why: irregular = "..."'
        )
        raise CalendarError("statutory-days", text, ("makeup_workdays" if weekdays_off - makeup > wanted else "days_off",))
