"""Every kind of due date is explained line by line, in both languages, and the lines lead to the date."""

from __future__ import annotations

import datetime as dt

import pytest

from handlers import explanations
from handlers.clocks import LOCAL, Counting, Days, DueDate, Suspension, card, counting_of, due_date, earliest, midnight
from handlers.workdays import WorkCalendar
from mobile_api.commands.calendar import town_calendar

CALENDAR = town_calendar()  # the years that ship: 2025 and 2026, with the names of their holidays
FRIDAY = dt.date(2026, 2, 13)
TEN = dt.timedelta(hours=10)


def lines(due: DueDate) -> list[str]:
    return [step.text for step in due.steps]


def due(
    accepted: dt.date | dt.datetime, limit: Days, *stops: Suspension, counting: Counting = "date", calendar: WorkCalendar = CALENDAR
) -> DueDate:
    return due_date(accepted, limit, stops, calendar, counting)


def test_a_plain_limit_names_the_day_of_acceptance_the_weekends_and_the_last_day():
    """民法典 art. 201: the first day does not count."""
    assert lines(due(dt.date(2026, 3, 2), Days(6))) == [
        "2026年3月2日（周一）受理，当日不计入，时限 6 个工作日。",
        "其间另有周六、周日 2 天，不计入。",
        "第 6 个工作日为2026年3月10日（周二），当日下班时到期。",
    ]


def test_natural_days_say_that_holidays_count_and_that_a_day_off_at_the_end_does_not_lengthen_them():
    found = due(FRIDAY, Days(7, "natural"))
    assert lines(found) == [
        "2026年2月13日（周五）受理，当日不计入，时限 7 天。",
        "按自然日计算，周末和节假日均计入。",
        "第 7 天为2026年2月20日（周五），当日下班时到期。",
        "该日为休息日，不顺延，请在此前办结。",
    ]
    assert [step.text_en for step in found.steps][1::2] == [
        "Every day counts, Saturdays, Sundays and holidays too.",
        "That is a day off; the limit is not lengthened for it.",
    ]


def test_where_the_law_ends_before_the_promise_the_closing_line_says_which_date_holds():
    """居住证: 10 working days promised, 15 natural days by law; the Spring Festival lies between (egov-cn section 1)."""
    promised, legal = due(FRIDAY, Days(10)), due(FRIDAY, Days(15, "natural"))
    first = earliest(promised, legal)
    assert (promised.due_on, legal.due_on) == (dt.date(2026, 3, 5), dt.date(2026, 2, 28))
    assert first is legal
    assert explanations.legal_first(dt.date(2026, 2, 28)).text == "法定时限先于承诺时限届满，以法定到期日2026年2月28日（周六）为准。"


@pytest.mark.parametrize("counting", ["date", "instant"])
def test_a_make_up_day_within_a_procedure_does_not_count_and_says_so(counting: Counting):
    """14 February 2026 is a Saturday worked for the Spring Festival; the clock stands still on it."""
    stop = Suspension.of_days(dt.date(2026, 2, 14), dt.date(2026, 2, 25), "听证")
    found = due(midnight(FRIDAY) + TEN, Days(5), stop, counting=counting)
    [line] = [step for step in found.steps if step.on == dt.date(2026, 2, 14) and "调休" in step.text]
    assert line.text.endswith("计时中止，不计入。")
    assert line.text_en.endswith("the clock stands still: not counted.")
    assert any("2月28日（周六）为春节调休上班日，计入" in text for text in lines(found))


def test_a_procedure_begun_on_the_day_of_acceptance_is_told_from_that_day():
    found = due(midnight(FRIDAY) + TEN, Days(5), Suspension(midnight(FRIDAY) + TEN, None, "听证"))
    assert "自2026年2月13日（周五）起进行听证，计时中止，尚未恢复。" in lines(found)
    assert found.left == 5


def test_before_acceptance_a_card_says_that_no_clock_runs():
    at = midnight(dt.date(2026, 3, 1))
    found = card(dt.date(2026, 3, 2), Days(5), Days(10), [], at, calendar=CALENDAR)
    assert (found.level, found.text) == ("none", "所查时间早于受理时间，尚未开始计时，时限 5 个工作日。")
    assert found.text_en == "Before acceptance no clock runs."


def test_two_unknown_years_are_each_named():
    found = due(dt.date(2027, 12, 20), Days(20))
    assert found.provisional
    assert [text for text in lines(found) if "暂定" in text] == [
        "2027 年放假安排尚未导入，该年只扣除周末，结果为暂定，导入后重新计算。",
        "2028 年放假安排尚未导入，该年只扣除周末，结果为暂定，导入后重新计算。",
    ]


@pytest.mark.parametrize("counting", ["date", "instant"])
def test_an_immediate_item_is_due_on_the_day_itself_however_the_town_counts(counting: Counting):
    limit, accepted = Days(0), midnight(dt.date(2026, 3, 2)) + TEN
    found = due(accepted, limit, counting=counting_of(limit, counting))
    assert lines(found) == ["2026年3月2日（周一）受理，即时办理，不跨日。", "应于2026年3月2日（周一）当日办结。"]
    evening, next_day = midnight(dt.date(2026, 3, 2)) + 2 * TEN, midnight(dt.date(2026, 3, 3))
    levels = [card(accepted, limit, limit, [], at, calendar=CALENDAR, counting=counting).level for at in (evening, next_day)]
    assert levels == ["warning", "red"]


def test_by_the_instant_every_line_speaks_of_seconds():
    stop = Suspension(dt.datetime(2026, 3, 3, 9, 0, tzinfo=LOCAL), dt.datetime(2026, 3, 4, 9, 30, tzinfo=LOCAL), "现场勘查")
    found = due(dt.datetime(2026, 3, 2, 10, 0, tzinfo=LOCAL), Days(2), stop, counting="instant")
    assert lines(found) == [
        "2026年3月2日（周一）10:00:00受理，自此刻起计时，时限 2 个工作日，每日按 24 小时计。",
        "2026-03-03 09:00:00至2026-03-04 09:30:00进行现场勘查，计时中止。",
        "至 2026-03-05 10:30:00 满 2 个工作日，超过一秒即为超期。",
    ]


def test_joint_handling_of_45_and_15_days_is_a_matter_of_the_item():
    """行政许可法 art. 42: 45 working days together, 15 more with the approval of the government's head."""
    plain, extended = due(dt.date(2026, 3, 2), Days(45)), due(dt.date(2026, 3, 2), Days(60))
    assert plain.due_on is not None
    assert extended.due_on is not None
    assert CALENDAR.count(plain.due_on, extended.due_on) == 15
    assert "第 45 个工作日" in lines(plain)[-1]


@pytest.mark.parametrize("limit", [Days(0), Days(5), Days(20), Days(7, "natural")])
@pytest.mark.parametrize("counting", ["date", "instant"])
@pytest.mark.parametrize("stopped", ["no", "over", "open"])
def test_every_line_has_both_languages_and_the_last_day_is_named(limit: Days, counting: Counting, stopped: str):
    stops = {
        "no": [],
        "over": [Suspension.of_days(dt.date(2026, 2, 14), dt.date(2026, 2, 25), "听证")],
        "open": [Suspension(midnight(dt.date(2026, 2, 14)), None, "听证")],
    }[stopped]
    found = due(midnight(FRIDAY) + TEN, limit, *stops, counting=counting_of(limit, counting))
    assert all(step.text and step.text_en for step in found.steps)
    if found.due_on is None:
        assert "恢复后继续计算" in lines(found)[-1]
        assert found.left
        return
    assert any(step.on == found.due_on for step in found.steps[-2:])
    assert f"{found.due_on.day}" in " ".join(lines(found)[-2:])
