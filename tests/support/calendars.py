"""The calendar of 2004 to 2026 as chinesecalendar knows it: a second source, written by others, to test ours against."""

from __future__ import annotations

import datetime as dt
from functools import cache

import chinese_calendar
from chinese_calendar.constants import holidays, workdays

from handlers.workdays import WorkCalendar, YearTable

YEARS = range(2004, 2027)
FIRST, LAST = dt.date(YEARS[0], 1, 1), dt.date(YEARS[-1], 12, 31)


@cache
def known_calendar() -> WorkCalendar:
    """Every year that chinesecalendar covers."""
    return WorkCalendar(_table(year) for year in YEARS)


@cache
def worked_days() -> tuple[dt.date, ...]:
    """Every working day of those years in order, by chinesecalendar's own judgement, day by day."""
    days = (FIRST + dt.timedelta(days=n) for n in range((LAST - FIRST).days + 1))
    return tuple(day for day in days if chinese_calendar.is_workday(day))


def _table(year: int) -> YearTable:
    off = {day: name for day, name in holidays.items() if day.year == year}
    return YearTable(year, off, {day: name for day, name in workdays.items() if day.year == year})
