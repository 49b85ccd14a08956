"""Numbered documents (文书) and the remedies that they name: what a person needs who wants to object."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import TYPE_CHECKING

import msgspec

from handlers.workdays import WorkCalendar

if TYPE_CHECKING:
    from handlers.casefile import CaseFile


REVIEW_DAYS = 60
"""Natural days in which administrative review may be asked for (行政复议法 art. 20)."""

COURT_MONTHS = 6
"""Months in which a court may be asked (行政诉讼法 art. 46)."""


class Remedy(msgspec.Struct, frozen=True):
    """How to object, and until when: administrative review, then or instead a court."""

    text: str
    review_until_on: dt.date
    court_until_on: dt.date


def remedy(on: dt.date, holidays: WorkCalendar) -> Remedy:
    """The remedies against a decision that was told on a day; that day itself does not count, and none ends on a day off.

    民法典 art. 201, 203; 行政复议法 art. 88 and 行政诉讼法 art. 101 by way of 民事诉讼法 art. 85.
    """
    review, court = (holidays.first_workday(day) for day in (on + dt.timedelta(days=REVIEW_DAYS), _months_later(on, COURT_MONTHS)))
    text = (
        f"如不服，可自收到之日起 60 日内（至{_day(review)}）依法申请行政复议，"
        f"或者 6 个月内（至{_day(court)}）依法向人民法院提起行政诉讼"
    )  # fmt: skip
    return Remedy(text, review, court)


def acceptance(file: CaseFile) -> str:
    """The notice of acceptance, by its number."""
    return _named(file, "受理通知书", "SL")


def non_acceptance(file: CaseFile) -> str:
    """The notice of non-acceptance (行政许可法 art. 38: in writing, with date and seal)."""
    return _named(file, "不予受理通知书", "BSL")


def correction(file: CaseFile) -> str:
    """The correction notice, counted within its case."""
    return f"{_named(file, '一次性补正告知书', 'BZ')}-{file.row['corrections']}"


def special(file: CaseFile, nth: int) -> str:
    """The notice of a special procedure, counted within its case (行政许可法 art. 45: told in writing)."""
    return f"{_named(file, '特别程序告知书', 'TB')}-{nth}"


def extension(file: CaseFile) -> str:
    """The notice of an extension, counted within its case (行政许可法 art. 42: told with its reason)."""
    return f"{_named(file, '延长办理期限告知书', 'YC')}-{len(file.card.extensions)}"


def decision(file: CaseFile, result: str) -> str:
    """The decision, by its number."""
    return _named(file, "准予决定书" if result == "granted" else "不予批准决定书", "JD")


def papers(file: CaseFile) -> str:
    """The list of papers that may follow, with their date (容缺受理: 出具清单)."""
    return _named(file, "补交材料告知书", "RQ")


def revocation(file: CaseFile) -> str:
    """The revocation of a decision (行政许可法 art. 69)."""
    return _named(file, "撤销决定书", "CX")


def _named(file: CaseFile, name: str, letters: str) -> str:
    """A case has one document of each kind, so its number and the kind's letters are a number of their own."""
    return f"{name} {letters}-{file.row['number']}"


def _months_later(on: dt.date, months: int) -> dt.date:
    """The same day of a later month, or its last one (民法典 art. 202)."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return dt.date(year, month + 1, min(on.day, calendar.monthrange(year, month + 1)[1]))


def _day(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
