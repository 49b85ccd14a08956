"""The table of electronic supervision, row by row: each boundary, its day before, and how a special procedure moves it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from config.settings import HERE
from handlers.clocks import LOCAL, Counting, Days, Level, Suspension, card, midnight
from handlers.limits import HOUR, Hours
from handlers.supervision_clocks import Reckoner, Watched
from handlers.supervision_rules import Kind, check_rulebook
from mobile_api.tables import load_rulebook
from tests.support.calendars import known_calendar

CALENDAR = known_calendar()
BY = Reckoner(load_rulebook(HERE), CALENDAR)
SECOND = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)
BEGUN = dt.datetime(2026, 3, 2, 10, tzinfo=LOCAL)  # a Monday; no holiday until April

starts = st.builds(lambda n: BEGUN + n * SECOND, st.integers(0, 40 * 86400))
limits = st.builds(Days, st.integers(0, 20), st.sampled_from(["working", "natural"]))


def case(promised: Days, legal: Days, pauses: Iterable[Suspension] = (), start: dt.datetime = BEGUN) -> Watched:
    return Watched("case", "c", start, {"promised": promised, "legal": legal}, tuple(pauses))


def own(kind: Kind, days: int, start: dt.datetime = BEGUN) -> Watched:
    return Watched(kind, "o", start, {"own": Days(days)})


def workday(number: int) -> dt.datetime:
    """The beginning of the n-th working day after the clock began."""
    return midnight(CALENDAR.add_workdays(BEGUN.date(), number).day)


def levels(one: Watched, at: dt.datetime, by: Reckoner = BY) -> list[str]:
    return [found.rule.level for found in by.earned(one, at)]


# 监察规则说明: (object, its limit, the used days at which warning, yellow and red are earned).
TABLE: list[tuple[Kind, int, dict[str, int]]] = [
    ("procedure", 7, {"warning": 5, "yellow": 8, "red": 9}),  # 2 days before its end; overdue > 0; overdue > 1 day
    ("pre_acceptance", 2, {"warning": 3, "yellow": 6, "red": 8}),  # overdue > 0, > 3, > 5 days
    ("certificate", 3, {"yellow": 4}),  # overdue > 0
    ("delivery", 10, {"warning": 8, "yellow": 11, "red": 12}),  # 行政许可法 art. 44: ten days; our own days around them
    ("consultation", 7, {"warning": 5, "yellow": 8, "red": 9}),  # 2 days before due; past due; past due + 1 day
    ("complaint", 15, {"warning": 13, "yellow": 16, "red": 17}),
    ("step", 5, {"warning": 5, "yellow": 6, "red": 7}),  # our own days
]


@pytest.mark.parametrize(("kind", "days", "expected"), TABLE, ids=lambda value: value if isinstance(value, str) else "")
def test_each_level_comes_on_the_day_of_the_table_and_not_before(kind: Kind, days: int, expected: dict[str, int]):
    one = own(kind, days)
    for level, used in expected.items():
        assert level in levels(one, workday(used)), level
        assert level not in levels(one, workday(used) - SECOND), level
    assert set(levels(one, workday(days + 30))) == set(expected)


@pytest.mark.parametrize(("used", "expected"), [(3, []), (4, ["warning"]), (6, ["warning"]), (7, ["warning", "yellow"]),
                                               (10, ["warning", "yellow"]), (11, ["warning", "yellow", "red"])])  # fmt: skip
def test_a_case_is_warned_at_promised_less_2_yellow_past_promised_red_past_legal(used: int, expected: list[str]):
    assert levels(case(Days(6), Days(10)), workday(used)) == expected


def test_a_case_is_warned_before_the_law_ends_first_and_never_red_out_of_the_blue():
    """居住证: 10 working days promised, 15 natural days by law; across the Spring Festival the law ends first (docs/decisions/0009)."""
    begun = dt.datetime(2026, 2, 13, 10, tzinfo=LOCAL)
    one, ends = case(Days(10), Days(15, "natural"), start=begun), midnight(dt.date(2026, 2, 28))
    assert levels(one, ends - 2 * DAY - SECOND) == []
    assert levels(one, ends - 2 * DAY) == ["warning"]
    assert levels(one, ends + DAY) == ["warning", "red"]
    assert BY.next_look(one, (), begun) == ends - 2 * DAY


@pytest.mark.parametrize("counting", ["date", "instant"])
def test_where_law_and_promise_count_alike_the_warning_is_the_table_s(counting: Counting):
    by = Reckoner(BY.book, CALENDAR, counting)
    rule = next(rule for rule in by.rules(case(Days(6), Days(10))) if rule.code == "case-warning")
    assert by.boundary(case(Days(6), Days(7)), rule) == by.boundary(case(Days(6), Days(60)), rule)


def test_by_the_instant_one_second_over_counts():
    by = Reckoner(BY.book, CALENDAR, "instant")
    one = own("certificate", 3)
    full = dt.datetime(2026, 3, 5, 10, tzinfo=LOCAL)
    assert levels(one, full, by) == []
    assert levels(one, full + SECOND, by) == ["yellow"]
    assert by.next_look(one, (), BEGUN) == full + dt.timedelta(microseconds=1)


@pytest.mark.parametrize("counting", ["date", "instant"])
@pytest.mark.parametrize("hours", [24, 48])
def test_the_hours_of_urgent_aid_end_at_a_second_whatever_day_it_is(hours: int, counting: Counting):
    """From a Friday evening: nights, the week-end and the Spring Festival count; one second over counts."""
    begun, by = dt.datetime(2026, 2, 13, 22, 47, 31, tzinfo=LOCAL), Reckoner(BY.book, CALENDAR, counting)
    one, instant = Watched("urgent", "o", begun, {"own": Hours(hours)}), dt.timedelta(microseconds=1)
    for level, after in (("warning", hours - 4), ("yellow", hours), ("red", hours + 24)):
        full = begun + after * HOUR
        assert level not in levels(one, full - SECOND, by), level
        assert level not in levels(one, full, by), level
        assert level in levels(one, full + instant, by), level
        assert level in levels(one, full + SECOND, by), level
        rule = next(rule for rule in by.rules(one) if rule.level == level)
        assert by.boundary(one, rule) == full + instant
    assert levels(one, begun - SECOND, by) == []
    assert next(found.used for found in by.earned(one, begun + hours * HOUR + SECOND)) == hours + 1


@given(starts, st.integers(1, 72), st.integers(0, 120 * 3600 * 1000))
def test_the_next_look_at_urgent_aid_is_at_the_very_boundary(start: dt.datetime, hours: int, milliseconds: int):
    one, at = Watched("urgent", "o", start, {"own": Hours(hours)}), start + dt.timedelta(milliseconds=milliseconds)
    carded = {found.rule.code for found in BY.earned(one, at)}
    look = BY.next_look(one, carded, at)
    assert (look is None) == (len(carded) == len(BY.rules(one)))
    if look is not None:
        assert {found.rule.code for found in BY.earned(one, look - dt.timedelta(microseconds=1))} == carded
        assert {found.rule.code for found in BY.earned(one, look)} > carded


def test_a_day_that_people_were_told_ends_with_itself_in_a_town_that_counts_by_the_instant_too():
    one = Watched("delivery", "o", BEGUN, {"own": Days(10)}, by_date=True)
    by = Reckoner(BY.book, CALENDAR, "instant")
    assert "yellow" not in levels(one, workday(11) - SECOND, by)
    assert "yellow" in levels(one, workday(11), by)


@given(starts, limits, limits, st.integers(0, 60 * 86400), st.sampled_from(["date", "instant"]))
def test_the_highest_card_is_the_one_that_the_clock_of_the_case_shows(
    start: dt.datetime, promised: Days, legal: Days, seconds: int, counting: Counting
):
    """The counter's screen asks handlers.clocks, supervision its rules: there is one answer."""
    at = start + seconds * SECOND
    shown: Level = card(start, promised, legal, (), at, calendar=CALENDAR, counting=counting).level
    earned = levels(case(promised, legal, start=start), at, Reckoner(BY.book, CALENDAR, counting))
    highest = next((level for level in ("red", "yellow", "warning") if level in earned), "none")
    assert highest == shown


@given(starts, st.integers(1, 20), st.integers(1, 20), st.integers(0, 20), st.integers(1, 15))
def test_a_special_procedure_of_k_days_moves_every_boundary_by_k(start: dt.datetime, promised: int, legal: int, after: int, length: int):
    plain, longer = (case(Days(promised + more), Days(legal + more), start=start) for more in (0, length))
    first, last = (CALENDAR.add_workdays(start.date(), days).day for days in (after + 1, after + length))
    stopped = case(Days(promised), Days(legal), [Suspension.of_days(first, last)], start)
    for rule in BY.rules(plain):
        wanted = {"promised": promised, "legal": legal}[rule.edition.limit] + rule.edition.more
        assume(wanted > 0)
        assert BY.boundary(stopped, rule) == BY.boundary(plain if wanted <= after else longer, rule)


@given(starts, limits, limits, st.lists(st.tuples(st.integers(0, 40 * 86400), st.integers(1, 9 * 86400)), max_size=3),
       st.sampled_from(["date", "instant"]), st.integers(0, 70 * 86400))  # fmt: skip
def test_what_is_earned_has_its_boundary_behind_it_and_the_next_look_is_never_late(
    start: dt.datetime, promised: Days, legal: Days, stops: list[tuple[int, int]], counting: Counting, seconds: int
):
    pauses = [Suspension(start + a * SECOND, start + (a + b) * SECOND) for a, b in stops]
    by, one, at = Reckoner(BY.book, CALENDAR, counting), case(promised, legal, pauses, start), start + seconds * SECOND
    assume(all(pause.end is not None and pause.end <= at for pause in pauses))
    carded = {found.rule.code for found in by.earned(one, at)}
    for rule in by.rules(one):
        boundary = by.boundary(one, rule)
        assert boundary is not None
        assert (rule.code in carded) == (boundary <= at)
    look = by.next_look(one, carded, at)
    assert look is None or look > at
    if look is not None:
        assert {found.rule.code for found in by.earned(one, look - dt.timedelta(microseconds=1))} == carded
        assert {found.rule.code for found in by.earned(one, look)} > carded


def test_while_the_clock_stands_still_nobody_looks():
    one = case(Days(5), Days(10), [Suspension(BEGUN + 3600 * SECOND)])
    assert BY.next_look(one, (), BEGUN + 7200 * SECOND) is None


def test_a_clock_keeps_the_edition_that_held_when_it_began():
    rule = next(rule for rule in BY.book.rules if rule.code == "certificate-yellow")
    later = msgspec.structs.replace(rule.editions[0], since=dt.date(2026, 3, 2), days=5)
    changed = msgspec.structs.replace(rule, editions=(*rule.editions, later))
    by = Reckoner(msgspec.structs.replace(BY.book, rules=(changed,)), CALENDAR)
    before, after = own("certificate", 3, BEGUN - 3 * 86400 * SECOND), own("certificate", 3)
    assert [(rule.version, rule.edition.days) for one in (before, after) for rule in by.rules(one)] == [(1, 1), (2, 5)]
    assert by.rules(own("certificate", 3, dt.datetime(2019, 12, 31, 12, tzinfo=LOCAL))) == []


def test_a_warning_is_told_to_one_list_a_yellow_card_to_two_a_red_one_to_all_three():
    told = BY.book.recipients
    assert told.of("warning") == ("officer",)
    assert told.of("yellow") == ("officer", "approver")
    assert told.of("red") == ("officer", "approver", "supervisor")


@pytest.mark.parametrize(
    ("code", "edition", "hit"),
    [
        ("case-red", {"limit": "own"}, "rule-limit"),
        ("step-red", {"limit": "legal"}, "rule-limit"),
        ("case-red", {"days": None, "hours": 24}, "rule-unit"),
        ("step-red", {"hours": 24}, "rule-unit"),
        ("urgent-red", {"days": 1, "hours": None}, "rule-unit"),
        ("urgent-red", {"text": "$used_days$"}, "placeholder-unknown"),
        ("case-red", {"text": "$used_hours$"}, "placeholder-unknown"),
        ("case-red", {"text": "$wrong$"}, "placeholder-unknown"),
    ],
)
def test_a_rule_that_cannot_hold_is_found_before_it_is_used(code: str, edition: dict[str, Any], hit: str):
    rules = [
        msgspec.structs.replace(rule, editions=(msgspec.structs.replace(rule.editions[0], **edition),)) if rule.code == code else rule
        for rule in BY.book.rules
    ]
    assert [found.rule for found in check_rulebook(msgspec.structs.replace(BY.book, rules=tuple(rules)))] == [hit]
    assert list(check_rulebook(BY.book)) == []


def test_editions_stand_in_their_order_and_codes_are_used_once():
    rule = BY.book.rules[0]
    rest = BY.book.rules[1:]
    twice = msgspec.structs.replace(BY.book, rules=(rule, msgspec.structs.replace(rule, editions=rule.editions * 2), *rest))
    assert {found.rule for found in check_rulebook(twice)} == {"rule-twice", "edition-order"}
    assert {
        found.rule for found in check_rulebook(msgspec.structs.replace(BY.book, rules=(msgspec.structs.replace(rule, editions=()), *rest)))
    } == {"rule-empty"}
