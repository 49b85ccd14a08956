from __future__ import annotations

import datetime as dt

from handlers.clocks import LOCAL, Days, Suspension, due_date
from handlers.workdays import WorkCalendar, YearTable


def spring_festival() -> WorkCalendar:
    off = {dt.date(2026, 2, day): "春节" for day in range(15, 24)}
    return WorkCalendar([YearTable(2026, off, {dt.date(2026, 2, 14): "春节", dt.date(2026, 2, 28): "春节"})])


def test_every_line_of_an_explanation_in_both_languages():
    hearing = Suspension.of_days(dt.date(2026, 2, 25), dt.date(2026, 2, 26), "听证")
    due = due_date(dt.date(2026, 2, 13), Days(6), [hearing], spring_festival())

    assert [step.text for step in due.steps] == [
        "2026年2月13日（周五）受理，当日不计入，时限 6 个工作日。",
        "2026年2月14日（周六）为春节调休上班日，计入。",
        "2026年2月15日至2月23日春节放假 9 天，不计入。",
        "2026年2月25日至2月26日进行听证，计时中止，2 个工作日不计入。",
        "2026年2月28日（周六）为春节调休上班日，计入。",
        "其间另有周六、周日 1 天，不计入。",
        "第 6 个工作日为2026年3月3日（周二），当日下班时到期。",
    ]
    assert [step.text_en for step in due.steps] == [
        "Accepted Fri 2026-02-13; that day does not count; the limit is 6 working days.",
        "Sat 2026-02-14 is worked in exchange for Spring Festival: counts.",
        "2026-02-15 to 2026-02-23: Spring Festival, 9 days off, not counted.",
        "2026-02-25 to 2026-02-26: special procedure (听证), 2 working days not counted.",
        "Sat 2026-02-28 is worked in exchange for Spring Festival: counts.",
        "Other Saturdays and Sundays: 1 day, not counted.",
        "Day 6 is Tue 2026-03-03: due at its close.",
    ]


def test_the_days_told_add_up_to_the_date():
    """Whoever checks the lines by hand must arrive at the same date."""
    due = due_date(dt.date(2026, 2, 13), Days(20), [Suspension.of_days(dt.date(2026, 3, 2), dt.date(2026, 3, 6))], spring_festival())
    assert due.due_on is not None
    days = (due.due_on - dt.date(2026, 2, 13)).days
    told_off = sum(int(part) for step in due.steps for mark in ("放假 ", "周日 ", "计时中止，") if mark in step.text
                   for part in [step.text.split(mark)[1].split(" ")[0]])  # fmt: skip
    assert days - told_off == 20


def test_a_limit_of_no_days_is_due_on_the_day_itself():
    assert due_date(dt.date(2026, 2, 25), Days(0), [], spring_festival()).steps[-1].text == "应于2026年2月25日（周三）当日办结。"


def test_by_the_instant_the_second_is_named():
    due = due_date(dt.datetime(2026, 2, 25, 9, 30, tzinfo=LOCAL), Days(1), [], spring_festival(), "instant")
    assert due.steps[-1].text == "至 2026-02-26 09:30:00 满 1 个工作日，超过一秒即为超期。"


def test_a_procedure_of_hours_and_one_without_an_end_are_told_too():
    ten = dt.datetime(2026, 2, 25, 10, tzinfo=LOCAL)
    short = due_date(dt.date(2026, 2, 24), Days(5), [Suspension(ten, ten + dt.timedelta(hours=1), "现场勘查")], spring_festival())
    assert "2026年2月25日（周三）进行现场勘查，当日恢复，不影响时限。" in [step.text for step in short.steps]
    standing = due_date(dt.date(2026, 2, 24), Days(5), [Suspension(ten)], spring_festival())
    assert [step.text for step in standing.steps][1:] == [
        "自2026年2月25日（周三）起进入特别程序，计时中止，尚未恢复。",
        "计时仍在中止，尚余 5 个工作日，恢复后继续计算。",
    ]
