from __future__ import annotations

import datetime as dt
from bisect import bisect_right

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.workdays import CalendarError, Counted, Span, WorkCalendar, YearTable, read_table, with_year
from tests.support.calendars import FIRST, LAST, YEARS, known_calendar, worked_days

DAY = dt.timedelta(days=1)
days = st.dates(FIRST, LAST)
NEW_YEAR = {"date": dt.date(2027, 1, 1), "name": "元旦"}


def test_every_day_of_23_years_is_judged_as_chinesecalendar_does():
    calendar = known_calendar()
    wrong = [day for n in range((LAST - FIRST).days + 1) if calendar.is_workday(day := FIRST + n * DAY) != chinese_calendar.is_workday(day)]
    assert wrong == []


@given(days, st.integers(0, 400))
def test_adding_working_days_lands_where_counting_them_one_by_one_does(start: dt.date, count: int):
    place = bisect_right(worked_days(), start) + count - 1
    if place >= len(worked_days()):
        return
    assert known_calendar().add_workdays(start, count) == Counted(start if count == 0 else worked_days()[place], provisional=False)


@given(days, days)
def test_counting_agrees_with_the_list_of_working_days(one: dt.date, other: dt.date):
    assert known_calendar().count(one, other) == bisect_right(worked_days(), other) - bisect_right(worked_days(), one)


@given(st.dates(dt.date(1990, 1, 1), dt.date(2100, 1, 1)), st.integers(1, 400))
def test_the_day_found_is_worked_and_is_the_first_that_makes_up_the_count(start: dt.date, count: int):
    calendar = known_calendar()
    found = calendar.add_workdays(start, count).day
    assert calendar.is_workday(found)
    assert calendar.count(start, found) == count
    assert calendar.count(start, found - DAY) == count - 1


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [("2026-02-13", 5, "2026-02-27"), ("2026-02-27", 1, "2026-02-28"), ("2026-02-13", 1, "2026-02-14"), ("2025-01-27", 1, "2025-02-05")],
)
def test_the_examples_of_the_notices_hold(start: str, count: int, due: str):
    assert str(known_calendar().add_workdays(dt.date.fromisoformat(start), count).day) == due


@pytest.mark.parametrize("year", [2025, 2026])
def test_2025_and_2026_have_248_working_days(year: int):
    assert known_calendar().count(dt.date(year - 1, 12, 31), dt.date(year, 12, 31)) == 248


def test_a_count_that_enters_a_year_without_table_is_provisional_and_one_that_does_not_is_not():
    calendar = known_calendar()
    assert calendar.add_workdays(dt.date(2026, 12, 30), 1) == Counted(dt.date(2026, 12, 31), provisional=False)
    assert calendar.add_workdays(dt.date(2026, 12, 30), 2) == Counted(dt.date(2027, 1, 1), provisional=True)
    assert calendar.add_workdays(dt.date(2027, 3, 1), 0).provisional is False
    assert calendar.covers(YEARS[-1])
    assert not calendar.covers(YEARS[-1] + 1)


def test_importing_the_missing_year_moves_the_date_and_makes_it_certain():
    table = YearTable(2027, {dt.date(2027, 1, 1): "元旦"}, {})
    assert known_calendar().with_table(table).add_workdays(dt.date(2026, 12, 30), 2) == Counted(dt.date(2027, 1, 4), provisional=False)


def test_holidays_come_as_spans_with_their_names_and_make_up_days_apart():
    spring = [span for span in known_calendar().spans(dt.date(2026, 2, 13), dt.date(2026, 2, 28)) if not span.works]
    assert [(span.first, span.last, span.days) for span in spring] == [(dt.date(2026, 2, 15), dt.date(2026, 2, 23), 9)]
    assert known_calendar().spans(dt.date(2026, 2, 13), dt.date(2026, 2, 14))[0].works
    assert Span(dt.date(2026, 1, 1), dt.date(2026, 1, 3), "元旦", works=False).days == 3


def test_days_are_not_counted_backwards():
    with pytest.raises(ValueError, match="forward"):
        known_calendar().add_workdays(FIRST, -1)


MAKEUP = {"date": dt.date(2027, 1, 2), "name": "元旦"}


@pytest.mark.parametrize(
    ("values", "rule", "key"),
    [
        ({"year": "2027", "days_off": [NEW_YEAR]}, "year", ("year",)),
        ({"year": 2027, "holidays": []}, "unknown-entry", ("holidays",)),
        ({"year": 2027, "days_off": []}, "no-holidays", ("days_off",)),
        ({"year": 2027, "days_off": 3}, "list", ("days_off",)),
        ({"year": 2027, "days_off": [NEW_YEAR, NEW_YEAR]}, "listed-twice", ("days_off", 1)),
        ({"year": 2027, "days_off": [{"date": dt.date(2026, 5, 1), "name": "劳动节"}]}, "wrong-year", ("days_off", 0)),
        ({"year": 2027, "days_off": [{"date": "soon", "name": "元旦"}]}, "date", ("days_off", 0)),
        ({"year": 2027, "days_off": [NEW_YEAR, {"date": dt.date(2027, 1, 4)}]}, "name", ("days_off", 1)),
        (
            {"year": 2027, "days_off": [NEW_YEAR], "makeup_workdays": [{"date": dt.date(2027, 1, 4), "name": "元旦"}]},
            "makeup-on-weekday",
            ("makeup_workdays", 0),
        ),
        ({"year": 2027, "days_off": [NEW_YEAR, MAKEUP], "makeup_workdays": [MAKEUP]}, "off-and-worked", ("makeup_workdays", 0)),
        ({"year": 2027, "days_off": [NEW_YEAR], "makeup_workdays": [MAKEUP]}, "statutory-days", ("days_off",)),
    ],
)
def test_a_table_that_cannot_be_right_is_refused_with_its_rule_and_the_entry_at_fault(
    values: dict[str, object], rule: str, key: tuple[str | int, ...]
):
    with pytest.raises(CalendarError) as refused:
        read_table(values)
    assert (refused.value.rule, refused.value.key) == (rule, key)
    assert str(refused.value)


def values_of(table: YearTable) -> dict[str, object]:
    """A table as its file would hold it."""
    lists = {"days_off": table.days_off, "makeup_workdays": table.makeup_workdays}
    return {"year": table.year} | {
        kind: [{"date": day, "name": name} for day, name in sorted(days.items())] for kind, days in lists.items()
    }


# Exchanged across New Year (2006, 2007 and 2011, 2012), the anniversary of 2015, the epidemic of 2020.
IRREGULAR = {2006, 2007, 2011, 2012, 2015, 2020}


@pytest.mark.parametrize("year", YEARS)
def test_every_notice_of_23_years_has_the_days_off_of_the_law_or_is_known_to_be_out_of_the_ordinary(year: int):
    values = values_of(known_calendar().tables[year])
    if year not in IRREGULAR:
        assert read_table(values) == known_calendar().tables[year]
        return
    with pytest.raises(CalendarError, match="statutory"):
        read_table(values)
    assert read_table({**values, "irregular": "国务院办公厅另行通知"}) == known_calendar().tables[year]


@given(st.sampled_from([year for year in YEARS if year not in IRREGULAR]), st.data())
def test_a_notice_copied_with_one_make_up_day_too_few_or_one_day_off_too_few_is_refused(year: int, data: st.DataObject):
    """国务院令 795: a day off beyond the statutory ones is exchanged for a weekend, so either loss shows."""
    table = known_calendar().tables[year]
    lost = data.draw(st.sampled_from(sorted([*table.makeup_workdays, *(day for day in table.days_off if day.weekday() < 5)])))
    off = {day: name for day, name in table.days_off.items() if day != lost}
    makeup = {day: name for day, name in table.makeup_workdays.items() if day != lost}
    with pytest.raises(CalendarError, match="statutory"):
        read_table(values_of(YearTable(year, off, makeup)))


def test_two_files_of_one_year_are_refused():
    with pytest.raises(CalendarError, match="2026 already"):
        with_year([known_calendar().tables[2026]], known_calendar().tables[2026])


def test_a_day_both_off_and_worked_is_refused():
    saturday = dt.date(2027, 1, 2)
    with pytest.raises(CalendarError, match="both"):
        WorkCalendar([YearTable(2027, {saturday: "元旦"}, {saturday: "元旦"})])
