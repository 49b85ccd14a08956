"""The words that due-date and card share: moments, limits, suspensions, calendars, language."""

from __future__ import annotations

import argparse
import datetime as dt
import re
from pathlib import Path

from handlers.clocks import LOCAL, Suspension
from handlers.limits import moment_of
from handlers.workdays import CalendarError, WorkCalendar
from mobile_api.commands.calendar import read_calendar, town_calendar
from mobile_api.commands.common import read_settings

MOST_DAYS = 3660
YEARS = range(1949, 2200)

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_HOW = "give a date such as 2026-02-13, a local time such as 2026-02-13T09:30, or one with its zone such as 2026-02-13T09:30:00+08:00"


class BadInput(Exception):
    """What was typed cannot be used; the text says what and how it should be."""


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """What both commands take."""
    parser.add_argument("--accepted", required=True, type=moment, metavar="T", help="when the case was accepted: a date or a time")
    parser.add_argument(
        "--suspended", action="append", default=[], type=suspension, metavar="FROM..TO",
        help="the clock stood still, both days whole; TO may be left out; may be repeated",
    )  # fmt: skip
    parser.add_argument("--counting", choices=["date", "instant"], default="date", help="by days (default), or from the very second")
    parser.add_argument(
        "--calendar", action="append", type=Path, metavar="FILE", help="holiday table to use instead of the town's; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--lang", choices=["zh", "en"], default="zh", help="language of the explanation")


def moment(text: str) -> dt.date | dt.datetime:
    """A date, or a time; a time without a zone is local (UTC+8)."""
    try:
        found = dt.date.fromisoformat(text) if _DATE.fullmatch(text) else _time(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time: {_HOW}") from None
    if found.year not in YEARS:
        raise argparse.ArgumentTypeError(f"{text!r} lies outside {YEARS[0]} to {YEARS[-1]}")
    return found


def suspension(text: str) -> Suspension:
    """FROM..TO with dates or times; a date means the whole day, an empty TO that the clock still stands."""
    begin, dots, end = text.partition("..")
    if not dots:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no suspension: write FROM..TO, e.g. 2026-03-02..2026-03-06, or FROM.. while it lasts"
        )
    first, last = moment(begin), moment(end) if end else None
    start = moment_of(first)
    if last is None:
        return Suspension(start)
    finish = last if isinstance(last, dt.datetime) else moment_of(last + dt.timedelta(days=1))
    if finish <= start:
        raise argparse.ArgumentTypeError(f"{text!r} ends before it begins")
    return Suspension(start, finish)


def days(text: str) -> int:
    """A limit in days, from 0."""
    if not (text.isascii() and text.isdigit() and int(text) <= MOST_DAYS):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days from 0 to {MOST_DAYS}")
    return int(text)


def calendar_of(arguments: argparse.Namespace) -> WorkCalendar:
    """The tables named on the command line, else the town's; raises BadInput."""
    try:
        return read_calendar(arguments.calendar) if arguments.calendar else town_calendar(read_settings(arguments).tables_dir / "calendar")
    except CalendarError as error:
        raise BadInput(str(error)) from error


def _time(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    return found.replace(tzinfo=LOCAL) if found.tzinfo is None else found.astimezone(LOCAL)
