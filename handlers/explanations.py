"""Why a limit ends when it does, and why a case has its card: line by line, in Chinese and English."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from handlers.limits import DAY, LOCAL, Counting, Limit, Pause, Unit, count_days, date_of, midnight, moment_of
from handlers.workdays import SATURDAY, Span, WorkCalendar

_WEEKDAYS = "一二三四五六日"
_HOLIDAYS_EN = {
    "元旦": "New Year's Day",
    "春节": "Spring Festival",
    "清明节": "Qingming Festival",
    "劳动节": "Labour Day",
    "端午节": "Dragon Boat Festival",
    "中秋节": "Mid-Autumn Festival",
    "国庆节": "National Day",
}
_CARD_TEXTS = {
    "early": ("所查时间早于受理时间，尚未开始计时，时限 {days} {unit}。", "Before acceptance no clock runs."),
    "none": ("已用 {used} {unit}，时限 {days} {unit}，未到预警。", "{used_en} used of {days}; no card."),
    "warning": (
        "已用 {used} {unit}，承诺时限 {days} {unit}，剩余不超过 2 天：预警。",
        "{used_en} used of the promised {days}, 2 or fewer are left: warning.",
    ),
    "legal_first": (
        "已用 {used} {unit}，法定时限 {days} {unit}先于承诺时限届满，剩余不超过 2 天：预警。",
        "{used_en} used of the {days} that the law gives, which end before the promise; 2 or fewer are left: warning.",
    ),
    "yellow": ("已用 {used} {unit}，超过承诺时限 {days} {unit}：黄牌。", "{used_en} used, over the promised {days}: yellow card."),
    "red": ("已用 {used} {unit}，超过法定时限 {days} {unit}：红牌。", "{used_en} used, over the legal limit of {days}: red card."),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an explanation: the day it speaks of, and its text in Chinese and English."""

    on: dt.date
    text: str
    text_en: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that an explanation is made from; `seen_to` is the last day that was looked at."""

    accepted: dt.date | dt.datetime
    limit: Limit
    pauses: tuple[Pause, ...]
    calendar: WorkCalendar
    counting: Counting
    due_on: dt.date | None
    due_at: dt.datetime | None
    left: int | None
    seen_to: dt.date


def due_steps(facts: Facts) -> tuple[Step, ...]:
    """From acceptance to the end of the limit, in the order of the days."""
    between = sorted([*_holidays(facts), *_suspensions(facts)], key=lambda step: step.on)
    return (_beginning(facts), *_natural(facts), *between, *_weekends(facts), *_unknown_years(facts), _ending(facts), *_on_a_day_off(facts))


def legal_first(legal_on: dt.date) -> Step:
    """The closing line of a promise that would outlast the law: a legal limit in natural days may end before working days do."""
    text_en = f"The legal limit ends first, on {_day_en(legal_on)}: that is the date that holds."
    return Step(legal_on, f"法定时限先于承诺时限届满，以法定到期日{_day(legal_on)}为准。", text_en)


def extended(on: dt.date, days: int, limit: Limit) -> Step:
    """An extension: by how much, and what the whole limit then is (行政许可法 art. 42)."""
    text = f"{_day(on)}经批准延长 {days} {_unit(limit.unit)}，时限合计 {limit.days} {_unit(limit.unit)}。"
    return Step(on, text, f"Extended on {_day_en(on)} by {_days_en(days, limit.unit)}: {_days_en(limit.days, limit.unit)} in all.")


def level(on: dt.date, name: str, name_en: str, rule: str, rule_en: str) -> Step:
    """The share of one level of government in a case that goes up."""
    return Step(on, f"{name}：{_day(on)}前完成，{rule}。", f"{name_en}: by {_day_en(on)}, {rule_en}.")


def kept(on: dt.date) -> Step:
    """The closing line of a date that was over before the holidays of its year were known."""
    text_en = f"This was over when the holidays became known: {_day_en(on)} stays the date."
    return Step(on, f"放假安排导入时该到期日已无法变更，仍为{_day(on)}。", text_en)


def card_text(level: str, used: int, limit: Limit) -> tuple[str, str]:
    """The reason of a card in Chinese and English."""
    text, text_en = _CARD_TEXTS[level]
    values = {"used": used, "days": limit.days, "unit": _unit(limit.unit), "used_en": _days_en(used, limit.unit)}
    return text.format(**values), text_en.format(**values)


def _beginning(facts: Facts) -> Step:
    days, unit, days_en = facts.limit.days, _unit(facts.limit.unit), _days_en(facts.limit.days, facts.limit.unit)
    day = date_of(facts.accepted)
    if days == 0:
        return Step(day, f"{_day(day)}受理，即时办理，不跨日。", f"Accepted {_day_en(day)}; to be done while the applicant waits.")
    if facts.counting == "instant":
        moment = moment_of(facts.accepted).astimezone(LOCAL)
        text = f"{_day(day)}{moment:%H:%M:%S}受理，自此刻起计时，时限 {days} {unit}，每日按 24 小时计。"
        return Step(day, text, f"Accepted {moment:%Y-%m-%d %H:%M:%S}; {days_en} of 24 hours from that second.")
    text = f"{_day(day)}受理，当日不计入，时限 {days} {unit}。"
    return Step(day, text, f"Accepted {_day_en(day)}; that day does not count; the limit is {days_en}.")


def _natural(facts: Facts) -> Iterator[Step]:
    if facts.limit.unit == "natural":
        text_en = "Every day counts, Saturdays, Sundays and holidays too."
        yield Step(date_of(facts.accepted), "按自然日计算，周末和节假日均计入。", text_en)


def _on_a_day_off(facts: Facts) -> Iterator[Step]:
    """The office's own limit is not lengthened (docs/decisions/0009); 民法典 art. 203 would do so for the resident."""
    if facts.limit.unit == "natural" and facts.due_on is not None and not facts.calendar.is_workday(facts.due_on):
        yield Step(facts.due_on, "该日为休息日，不顺延，请在此前办结。", "That is a day off; the limit is not lengthened for it.")


def _holidays(facts: Facts) -> Iterator[Step]:
    if facts.limit.unit == "natural":
        return
    for span in facts.calendar.spans(date_of(facts.accepted), facts.seen_to):
        name_en = _HOLIDAYS_EN.get(span.name, span.name)
        if span.works and _stands(facts, span.first):
            text = f"{_range(span)}为{span.name}调休上班日，计时中止，不计入。"
            yield Step(span.first, text, f"{_range_en(span)} is worked in exchange for {name_en}; the clock stands still: not counted.")
        elif span.works:
            text = f"{_range(span)}为{span.name}调休上班日，计入。"
            yield Step(span.first, text, f"{_range_en(span)} is worked in exchange for {name_en}: counts.")
        else:
            text = f"{_range(span)}{span.name}放假 {span.days} 天，不计入。"
            yield Step(span.first, text, f"{_range_en(span)}: {name_en}, {span.days} days off, not counted.")


def _stands(facts: Facts, day: dt.date) -> bool:
    """Whether nothing of a day counts because of a pause: by date if the clock stands at its close, by the instant if all day long."""
    if facts.counting == "date":
        return any(pause.before < day and (pause.last is None or day <= pause.last) for pause in facts.pauses)
    stops = (pause.suspension for pause in facts.pauses)
    return any(stop.start <= midnight(day) and (stop.end is None or stop.end >= midnight(day + DAY)) for stop in stops)


def _suspensions(facts: Facts) -> Iterator[Step]:
    for pause in facts.pauses:
        first = max(pause.before + DAY, date_of(pause.suspension.start.astimezone(LOCAL)))
        if first > facts.seen_to and facts.due_on is not None:
            continue
        yield _instant_suspension(pause, first) if facts.counting == "instant" else _suspension(facts, pause, first)


def _suspension(facts: Facts, pause: Pause, first: dt.date) -> Step:
    name, name_en = _procedure(pause)
    if pause.last is None:
        begun = date_of(pause.suspension.start)  # it may have begun on the day of acceptance, which does not count anyway
        return Step(begun, f"自{_day(begun)}起{name}，计时中止，尚未恢复。", f"From {_day_en(begun)} {name_en}: the clock stands still.")
    days, unit = count_days(pause.before, pause.last, facts.limit.unit, facts.calendar), facts.limit.unit
    if pause.last < first:
        return Step(
            first, f"{_day(first)}{name}，当日恢复，不影响时限。", f"{_day_en(first)}: {name_en}, over within the day, moves nothing."
        )
    span = Span(first, pause.last, name, works=False)
    text = f"{_range(span)}{name}，计时中止，{days} {_unit(unit)}不计入。"
    return Step(first, text, f"{_range_en(span)}: {name_en}, {_days_en(days, unit)} not counted.")


def _instant_suspension(pause: Pause, first: dt.date) -> Step:
    name, name_en = _procedure(pause)
    start, end = pause.suspension.start.astimezone(LOCAL), pause.suspension.end
    if end is None:
        text_en = f"From {start:%Y-%m-%d %H:%M:%S} {name_en}: the clock stands still."
        return Step(first, f"自{start:%Y-%m-%d %H:%M:%S}起{name}，计时中止，尚未恢复。", text_en)
    times = f"{start:%Y-%m-%d %H:%M:%S}", f"{end.astimezone(LOCAL):%Y-%m-%d %H:%M:%S}"
    return Step(first, f"{times[0]}至{times[1]}{name}，计时中止。", f"{times[0]} to {times[1]}: {name_en}, the clock stands still.")


def _weekends(facts: Facts) -> Iterator[Step]:
    """Ordinary Saturdays and Sundays as one line: those that belong to a holiday are told with it."""
    if facts.limit.unit == "natural":
        return
    after = date_of(facts.accepted)
    days = (after + n * DAY for n in range(1, (facts.seen_to - after).days + 1))
    special = {span.first + n * DAY for span in facts.calendar.spans(after, facts.seen_to) for n in range(span.days)}
    off = sum(1 for day in days if day.weekday() >= SATURDAY and day not in special)
    if off:
        yield Step(
            facts.seen_to,
            f"其间另有周六、周日 {off} 天，不计入。",
            f"Other Saturdays and Sundays: {_days_en(off, 'natural')}, not counted.",
        )


def _unknown_years(facts: Facts) -> Iterator[Step]:
    if facts.limit.unit == "natural" or facts.seen_to <= date_of(facts.accepted):
        return
    for year in range((date_of(facts.accepted) + DAY).year, facts.seen_to.year + 1):
        if not facts.calendar.covers(year):
            text = f"{year} 年放假安排尚未导入，该年只扣除周末，结果为暂定，导入后重新计算。"
            yield Step(facts.seen_to, text, f"The holidays of {year} are not known yet: weekends only, so the date is provisional.")


def _ending(facts: Facts) -> Step:
    days, unit = facts.limit.days, facts.limit.unit
    if facts.due_on is None:
        return _standing(facts, facts.left or 0)
    if facts.due_at is not None:
        text_en = f"{_days_en(days, unit)} used at {facts.due_at:%Y-%m-%d %H:%M:%S}; one second more is late."
        return Step(facts.due_on, f"至 {facts.due_at:%Y-%m-%d %H:%M:%S} 满 {days} {_unit(unit)}，超过一秒即为超期。", text_en)
    if days == 0:
        return Step(facts.due_on, f"应于{_day(facts.due_on)}当日办结。", f"To be done on {_day_en(facts.due_on)} itself.")
    text = f"第 {days} {_unit(unit)}为{_day(facts.due_on)}，当日下班时到期。"
    return Step(facts.due_on, text, f"Day {days} is {_day_en(facts.due_on)}: due at its close.")


def _standing(facts: Facts, left: int) -> Step:
    day = facts.pauses[-1].before + DAY
    text_en = f"The clock stands still with {_days_en(left, facts.limit.unit)} left; the date follows when it goes on."
    return Step(day, f"计时仍在中止，尚余 {left} {_unit(facts.limit.unit)}，恢复后继续计算。", text_en)


def _procedure(pause: Pause) -> tuple[str, str]:
    name = pause.suspension.name
    return (f"进行{name}", f"special procedure ({name})") if name else ("进入特别程序", "special procedure")


def _unit(unit: Unit) -> str:
    return "个工作日" if unit == "working" else "天"


def _days_en(days: int, unit: Unit) -> str:
    return f"{days} {'working ' if unit == 'working' else ''}{'day' if days == 1 else 'days'}"


def _day(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日（周{_WEEKDAYS[day.weekday()]}）"


def _day_en(day: dt.date) -> str:
    return f"{day:%a} {day}"


def _range(span: Span) -> str:
    if span.days == 1:
        return _day(span.first)
    year = "" if span.first.year == span.last.year else f"{span.last.year}年"
    return f"{span.first.year}年{span.first.month}月{span.first.day}日至{year}{span.last.month}月{span.last.day}日"


def _range_en(span: Span) -> str:
    return _day_en(span.first) if span.days == 1 else f"{span.first} to {span.last}"
