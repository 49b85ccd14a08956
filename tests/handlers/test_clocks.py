from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from handlers.clocks import LOCAL, Card, Days, Suspension, card, due_date, earliest, midnight, used_days
from tests.support.calendars import known_calendar

CALENDAR = known_calendar()
DAY, SECOND = dt.timedelta(days=1), dt.timedelta(seconds=1)
ACCEPTED = dt.date(2026, 2, 13)

days = st.dates(dt.date(2008, 1, 1), dt.date(2025, 6, 30))
moments = st.builds(lambda day, second: midnight(day) + second * SECOND, days, st.integers(0, 86399))
limits = st.builds(Days, st.integers(1, 60), st.sampled_from(["working", "natural"]))


@st.composite
def pauses_after(draw: st.DrawFn, start: dt.datetime) -> list[Suspension]:
    """Up to four closed suspensions, in any order, also overlapping, also begun before acceptance."""
    found = []
    for _ in range(draw(st.integers(0, 4))):
        begin = start + dt.timedelta(seconds=draw(st.integers(-5 * 86400, 60 * 86400)))
        found.append(Suspension(begin, begin + dt.timedelta(seconds=draw(st.integers(0, 20 * 86400)))))
    return found


def counts(day: dt.date, limit: Days, pauses: list[Suspension]) -> bool:
    """The rule in its plainest words: a day counts if it is of the right kind and the clock runs at its close."""
    close = midnight(day + DAY)
    stopped = any(pause.start < close and (pause.end is None or pause.end >= close) for pause in pauses)
    return not stopped and (limit.unit == "natural" or CALENDAR.is_workday(day))


@given(st.data(), days, limits)
def test_the_due_date_is_the_one_found_by_walking_day_by_day(data: st.DataObject, accepted: dt.date, limit: Days):
    pauses = data.draw(pauses_after(midnight(accepted)))
    day, left = accepted, limit.days
    while left:
        day += DAY
        left -= counts(day, limit, pauses)
    assert due_date(accepted, limit, pauses, CALENDAR).due_on == day


@given(st.data(), days, limits)
def test_on_the_due_day_all_is_used_and_on_the_next_counting_day_one_too_many(data: st.DataObject, accepted: dt.date, limit: Days):
    pauses = data.draw(pauses_after(midnight(accepted)))
    due = due_date(accepted, limit, pauses, CALENDAR).due_on
    assert due is not None
    assert used_days(accepted, limit.unit, pauses, midnight(due), calendar=CALENDAR) == limit.days
    after = next(day for n in range(1, 200) if counts(day := due + n * DAY, limit, pauses))
    assert used_days(accepted, limit.unit, pauses, midnight(after), calendar=CALENDAR) == limit.days + 1


@given(st.data(), moments, limits)
def test_by_the_instant_the_limit_is_used_at_due_at_and_exceeded_once_a_second_more_has_run(
    data: st.DataObject, accepted: dt.datetime, limit: Days
):
    pauses = data.draw(pauses_after(accepted))
    due = due_date(accepted, limit, pauses, CALENDAR, "instant").due_at
    assert due is not None
    assert used_days(accepted, limit.unit, pauses, due, calendar=CALENDAR, counting="instant") == limit.days
    assert used_days(accepted, limit.unit, pauses, due - SECOND, calendar=CALENDAR, counting="instant") <= limit.days
    if CALENDAR.is_workday(due.date()) and all(pause.end is None or pause.end <= due or pause.start > due for pause in pauses):
        assert used_days(accepted, limit.unit, pauses, due + SECOND, calendar=CALENDAR, counting="instant") == limit.days + 1


@given(days, limits, st.integers(0, 30), st.integers(1, 30))
def test_a_special_procedure_of_k_days_moves_the_date_by_k(accepted: dt.date, limit: Days, begins: int, length: int):
    plain = due_date(accepted, limit, [], CALENDAR).due_on
    assert plain is not None
    first = due_date(accepted, Days(begins + 1, limit.unit), [], CALENDAR).due_on
    last = due_date(accepted, Days(begins + length, limit.unit), [], CALENDAR).due_on
    assert first is not None
    assume(first <= plain)
    moved = due_date(accepted, limit, [Suspension.of_days(first, last)], CALENDAR).due_on
    assert moved == due_date(accepted, Days(limit.days + length, limit.unit), [], CALENDAR).due_on


@pytest.mark.parametrize(
    ("accepted", "count", "due"), [("2026-02-13", 5, "2026-02-27"), ("2026-02-27", 1, "2026-02-28"), ("2026-02-14", 0, "2026-02-14")]
)
def test_known_examples(accepted: str, count: int, due: str):
    assert str(due_date(dt.date.fromisoformat(accepted), Days(count), [], CALENDAR).due_on) == due


def test_a_moment_counts_by_its_local_date():
    late_in_the_evening_utc = dt.datetime(2026, 2, 12, 17, 0, tzinfo=dt.UTC)
    assert due_date(late_in_the_evening_utc, Days(5), [], CALENDAR).due_on == dt.date(2026, 2, 27)


def test_natural_days_pass_through_holidays_and_the_earlier_of_two_limits_wins():
    natural, working = due_date(ACCEPTED, Days(7, "natural"), [], CALENDAR), due_date(ACCEPTED, Days(5), [], CALENDAR)
    assert natural.due_on == dt.date(2026, 2, 20)
    assert earliest(working, natural) is natural
    standing = due_date(ACCEPTED, Days(5), [Suspension(midnight(ACCEPTED))], CALENDAR)
    assert earliest(standing, working) is working


def test_a_procedure_within_one_day_moves_nothing_by_date():
    noon = dt.datetime(2026, 2, 25, 12, tzinfo=LOCAL)
    assert due_date(ACCEPTED, Days(5), [Suspension(noon, noon + dt.timedelta(hours=3))], CALENDAR).due_on == dt.date(2026, 2, 27)


def test_while_the_clock_stands_still_there_is_no_date_but_the_days_left():
    standing = due_date(ACCEPTED, Days(5), [Suspension(midnight(dt.date(2026, 2, 25)))], CALENDAR)
    assert (standing.due_on, standing.left) == (None, 3)
    assert "尚余 3 个工作日" in standing.steps[-1].text


def test_a_suspension_after_the_due_date_moves_nothing():
    assert due_date(ACCEPTED, Days(5), [Suspension(midnight(dt.date(2026, 2, 28)))], CALENDAR).due_on == dt.date(2026, 2, 27)


def test_a_date_in_a_year_without_table_is_provisional_and_says_which_year():
    due = due_date(dt.date(2026, 12, 25), Days(10), [], CALENDAR)
    assert due.provisional
    assert any("2027" in step.text and "暂定" in step.text for step in due.steps)
    assert not due_date(dt.date(2026, 12, 25), Days(10, "natural"), [], CALENDAR).provisional


# The case row of the table: warning at promised - 2, yellow at promised + 1, red at legal + 1; here promised 5, legal 10.
@pytest.mark.parametrize(
    ("used", "level", "rule"),
    [
        (2, "none", "used < promised - 2"),
        (3, "warning", "used >= promised - 2"),
        (5, "warning", "used >= promised - 2"),
        (6, "yellow", "used >= promised + 1"),
        (10, "yellow", "used >= promised + 1"),
        (11, "red", "used >= legal + 1"),
    ],
)
@pytest.mark.parametrize("paused", [0, 4])
def test_each_boundary_of_the_cards_also_moved_by_a_special_procedure(used: int, level: str, rule: str, paused: int):
    accepted = dt.date(2026, 3, 2)
    pauses = [Suspension.of_days(dt.date(2026, 3, 3), dt.date(2026, 3, 6))] if paused else []
    at = midnight(CALENDAR.add_workdays(accepted, used + paused).day) + dt.timedelta(hours=9)
    found = card(accepted, Days(5), Days(10), pauses, at, calendar=CALENDAR)
    assert (found.level, found.rule, found.used) == (level, rule, used)


def test_by_the_instant_one_second_over_makes_the_card_yellow():
    accepted = dt.datetime(2026, 3, 2, 10, tzinfo=LOCAL)
    full = dt.datetime(2026, 3, 9, 10, tzinfo=LOCAL)

    def at(moment: dt.datetime) -> Card:
        return card(accepted, Days(5), Days(10), [], moment, calendar=CALENDAR, counting="instant")

    assert (at(full).level, at(full + SECOND).level) == ("warning", "yellow")


def test_before_acceptance_there_is_no_card():
    assert card(ACCEPTED, Days(1), Days(2), [], midnight(ACCEPTED) - SECOND, calendar=CALENDAR).level == "none"


def test_a_card_does_not_grow_while_the_clock_stands_still():
    pauses = [Suspension.of_days(dt.date(2026, 3, 4), None)]
    levels = {
        card(dt.date(2026, 3, 2), Days(9), Days(20), pauses, midnight(dt.date(2026, 3, day)), calendar=CALENDAR).used
        for day in range(4, 31)
    }
    assert levels == {1}
