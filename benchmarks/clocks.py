"""What counting costs: both due dates of a year's cases of a town of 50,000, and the same dates found by walking day by day."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable, Iterator

from benchmarks.result import Result
from config.settings import HERE
from handlers.clocks import Days, Suspension, due_date, midnight
from handlers.workdays import WorkCalendar
from mobile_api.tables import load_calendar

CASES = 150_000
WALKED = 5_000
"""As many as the walk is given: it is the baseline, and slow."""

TARGET = 10.0
"""Seconds: an import counts every open case again while somebody waits at the terminal."""

_DAY = dt.timedelta(days=1)
Case = tuple[dt.datetime, Days, Days, tuple[Suspension, ...]]


def measure() -> Iterator[Result]:
    """Seconds for all cases, against the walk scaled to as many; then with every line of the explanation."""
    calendar, cases = WorkCalendar(load_calendar(HERE)), list(_cases(CASES))
    fast = _seconds(lambda: _count(cases, calendar))
    slow = _seconds(lambda: _walk(cases[:WALKED], calendar)) * CASES / WALKED
    yield Result("clocks", round(fast, 2), f"s for {CASES:,} cases", round(slow, 2), round(fast / slow, 3), TARGET, fast <= TARGET)
    explained = _seconds(lambda: _explain(cases[:WALKED], calendar)) * CASES / WALKED
    yield Result("clocks-explained", round(explained, 2), f"s for {CASES:,} cases")


def _cases(count: int) -> Iterator[Case]:
    """Limits as the catalogue has them; every fifth case has been suspended once or twice."""
    rolls = random.Random(20260213)
    first = midnight(dt.date(2025, 1, 2))
    for _ in range(count):
        accepted = first + rolls.randrange(360 * 86400) * dt.timedelta(seconds=1)
        legal = rolls.choice([1, 5, 10, 20, 30, 60])
        stops = tuple(_suspension(rolls, accepted) for _ in range(rolls.choice([0, 0, 0, 0, 1, 2]) if legal > 1 else 0))
        yield accepted, Days(max(1, legal // 2)), Days(legal), stops


def _suspension(rolls: random.Random, accepted: dt.datetime) -> Suspension:
    start = accepted + rolls.randrange(20) * _DAY
    return Suspension(start, start + rolls.randrange(1, 20) * _DAY, "听证")


def _count(cases: list[Case], calendar: WorkCalendar) -> None:
    for accepted, promised, legal, stops in cases:
        due_date(accepted, promised, stops, calendar)
        due_date(accepted, legal, stops, calendar)


def _explain(cases: list[Case], calendar: WorkCalendar) -> None:
    for accepted, promised, legal, stops in cases:
        for limit in (promised, legal):
            assert due_date(accepted, limit, stops, calendar).steps  # noqa: S101 - an explanation of no line would cost nothing


def _walk(cases: list[Case], calendar: WorkCalendar) -> None:
    for accepted, promised, legal, stops in cases:
        for limit in (promised, legal):
            _walked(accepted.date(), limit.days, stops, calendar)


def _walked(day: dt.date, left: int, stops: tuple[Suspension, ...], calendar: WorkCalendar) -> dt.date:
    while left:
        day += _DAY
        close = midnight(day + _DAY)
        stands = any(stop.start < close and (stop.end is None or stop.end >= close) for stop in stops)
        left -= calendar.is_workday(day) and not stands
    return day


def _seconds(work: Callable[[], None]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
