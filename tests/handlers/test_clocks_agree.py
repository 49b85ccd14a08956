"""The clocks against a calendar written by others, and against each other: over 2004 to 2026, in both ways of counting."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from handlers.clocks import Counting, Days, DueDate, Suspension, due_date, midnight, used_days
from tests.support.calendars import FIRST, LAST, known_calendar, worked_days

CALENDAR = known_calendar()
WORKED = worked_days()
DAY, SECOND = dt.timedelta(days=1), dt.timedelta(seconds=1)

days = st.dates(dt.date(2004, 1, 1), dt.date(2025, 6, 30))
moments = st.builds(lambda day, second: midnight(day) + second * SECOND, days, st.integers(0, 86399))
limits = st.builds(Days, st.integers(1, 60), st.sampled_from(["working", "natural"]))
countings = st.sampled_from(["date", "instant"])


@st.composite
def pauses_after(draw: st.DrawFn, start: dt.datetime, most: int = 4) -> list[Suspension]:
    """Closed suspensions in any order, also overlapping, also begun before acceptance."""
    found = []
    for _ in range(draw(st.integers(0, most))):
        begin = start + dt.timedelta(seconds=draw(st.integers(-5 * 86400, 60 * 86400)))
        found.append(Suspension(begin, begin + dt.timedelta(seconds=draw(st.integers(0, 20 * 86400)))))
    return found


def end_of(due: DueDate) -> dt.datetime:
    """The last moment in time: the due second, or the close of the due day."""
    assert due.due_on is not None
    return due.due_at or midnight(due.due_on + DAY) - SECOND


def end(accepted: dt.datetime, limit: Days, pauses: list[Suspension], counting: Counting) -> dt.datetime:
    return end_of(due_date(accepted, limit, pauses, CALENDAR, counting))


def used(accepted: dt.datetime, limit: Days, pauses: list[Suspension], at: dt.datetime, counting: Counting) -> int:
    return used_days(accepted, limit.unit, pauses, at, calendar=CALENDAR, counting=counting)


@pytest.mark.parametrize("count", [1, 2, 5, 10, 20])
def test_every_day_of_23_years_as_day_of_acceptance_gives_the_date_that_chinesecalendar_gives(count: int):
    wrong = []
    for n in range((LAST - FIRST).days + 1):
        day = FIRST + n * DAY
        place = bisect_right(WORKED, day) + count - 1
        if place < len(WORKED) and due_date(day, Days(count), [], CALENDAR).due_on != WORKED[place]:
            wrong.append(day)
    assert wrong == []


def test_every_last_second_of_23_years_is_in_time_and_every_first_second_of_the_next_working_day_is_late():
    wrong = []
    for place in range(len(WORKED) - 1):
        accepted, limit = midnight(WORKED[place]), Days(1)
        if place + 2 >= len(WORKED):
            break
        last, late = midnight(WORKED[place + 1] + DAY) - SECOND, midnight(WORKED[place + 2])
        if (used(accepted, limit, [], last, "date"), used(accepted, limit, [], late, "date")) != (1, 2):
            wrong.append(WORKED[place])
    assert wrong == []


@given(st.data(), moments, moments)
def test_by_the_instant_used_time_is_the_time_of_worked_days_that_was_not_suspended(
    data: st.DataObject, accepted: dt.datetime, other: dt.datetime
):
    """Counted hour by hour from the other calendar: a whole hour runs if it lies on a worked day and in no suspension."""
    hour = dt.timedelta(hours=1)
    accepted = accepted.replace(minute=0, second=0)
    span = data.draw(st.integers(0, 24 * 40))
    stops = [
        Suspension(accepted + a * hour, accepted + (a + b) * hour)
        for a, b in data.draw(st.lists(st.tuples(st.integers(-100, 900), st.integers(0, 300)), max_size=3))
    ]
    worked = set(WORKED)
    running = sum(
        (accepted + n * hour).date() in worked and not any(stop.start <= accepted + n * hour < (stop.end or other) for stop in stops)
        for n in range(span)
    )
    assert used(accepted, Days(1), stops, accepted + span * hour, "instant") == -(-running // 24)


@given(st.data(), moments, limits, countings)
def test_a_case_is_late_exactly_when_more_is_used_than_the_limit(
    data: st.DataObject, accepted: dt.datetime, limit: Days, counting: Counting
):
    pauses = data.draw(pauses_after(accepted))
    last = end(accepted, limit, pauses, counting)
    at = accepted + dt.timedelta(seconds=data.draw(st.integers(0, 150 * 86400)))
    spent = used(accepted, limit, pauses, at, counting)
    if at <= last:
        assert spent <= limit.days
    if spent > limit.days:
        assert at > last
    assert used(accepted, limit, pauses, last, counting) == limit.days


@given(moments, limits, countings)
def test_one_second_over_counts(accepted: dt.datetime, limit: Days, counting: Counting):
    last = end(accepted, limit, [], counting)
    if counting == "date":
        after = last + SECOND
        while limit.unit == "working" and not CALENDAR.is_workday(after.date()):
            after += DAY
        assert used(accepted, limit, [], after, counting) == limit.days + 1
        return
    after = last + SECOND
    if limit.unit == "working" and not CALENDAR.is_workday(last.date()):
        after = midnight(next(day for day in WORKED if day > last.date())) + SECOND
    assert used(accepted, limit, [], after, counting) == limit.days + 1


@given(st.data(), moments, limits, countings, st.integers(0, 10 * 86400))
def test_who_is_accepted_later_is_never_due_earlier(
    data: st.DataObject, accepted: dt.datetime, limit: Days, counting: Counting, later: int
):
    pauses = data.draw(pauses_after(accepted))
    assert end(accepted, limit, pauses, counting) <= end(accepted + later * SECOND, limit, pauses, counting)


@given(st.data(), moments, limits, countings)
def test_a_longer_limit_is_always_due_later(data: st.DataObject, accepted: dt.datetime, limit: Days, counting: Counting):
    pauses = data.draw(pauses_after(accepted))
    assert end(accepted, limit, pauses, counting) < end(accepted, Days(limit.days + 1, limit.unit), pauses, counting)


@given(st.data(), moments, limits, countings)
def test_one_suspension_more_never_makes_it_earlier(data: st.DataObject, accepted: dt.datetime, limit: Days, counting: Counting):
    pauses = data.draw(pauses_after(accepted, most=3))
    more = data.draw(pauses_after(accepted, most=2))
    assert end(accepted, limit, pauses, counting) <= end(accepted, limit, [*pauses, *more], counting)


@given(st.data(), moments, limits, countings, st.integers(0, 10 * 86400))
def test_a_suspension_that_lasts_longer_never_makes_it_earlier(
    data: st.DataObject, accepted: dt.datetime, limit: Days, counting: Counting, longer: int
):
    pauses = data.draw(pauses_after(accepted))
    assume(pauses)
    first, *others = pauses
    assert first.end is not None
    stretched = [Suspension(first.start, first.end + longer * SECOND), *others]
    assert end(accepted, limit, pauses, counting) <= end(accepted, limit, stretched, counting)


@given(moments, limits, countings, st.integers(1, 20), st.integers(1, 20))
def test_k_counted_days_of_suspension_move_the_end_by_k_in_both_ways_of_counting(
    accepted: dt.datetime, limit: Days, counting: Counting, begins: int, length: int
):
    """电子监察: a special procedure of k days moves every boundary by k."""
    start = CALENDAR.add_workdays(accepted.date(), begins).day if limit.unit == "working" else accepted.date() + begins * DAY
    last = CALENDAR.add_workdays(start, length - 1).day if limit.unit == "working" else start + (length - 1) * DAY
    assume(midnight(start) < end(accepted, limit, [], counting))
    moved = end(accepted, limit, [Suspension.of_days(start, last)], counting)
    assert moved == end(accepted, Days(limit.days + length, limit.unit), [], counting)


@given(st.data(), moments, limits, countings)
def test_used_days_never_go_back_as_time_goes_on(data: st.DataObject, accepted: dt.datetime, limit: Days, counting: Counting):
    pauses = data.draw(pauses_after(accepted))
    steps = sorted(data.draw(st.lists(st.integers(0, 120 * 86400), min_size=2, max_size=6)))
    counts = [used(accepted, limit, pauses, accepted + step * SECOND, counting) for step in steps]
    assert counts == sorted(counts)


@given(st.data(), moments, limits, countings)
def test_the_order_in_which_suspensions_are_told_does_not_matter(
    data: st.DataObject, accepted: dt.datetime, limit: Days, counting: Counting
):
    pauses = data.draw(pauses_after(accepted))
    assert end(accepted, limit, pauses, counting) == end(accepted, limit, data.draw(st.permutations(pauses)), counting)


@given(st.data(), moments, limits, countings, st.integers(0, 40 * 86400), st.integers(0, 20 * 86400))
def test_a_suspension_that_begins_when_all_is_over_moves_nothing(
    data: st.DataObject, accepted: dt.datetime, limit: Days, counting: Counting, after: int, length: int
):
    pauses = data.draw(pauses_after(accepted))
    last = end(accepted, limit, pauses, counting)
    begin = last + SECOND + after * SECOND
    late = Suspension(begin, begin + length * SECOND)
    assert end(accepted, limit, [*pauses, late], counting) == last
