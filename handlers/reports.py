"""The reports of e-supervision (监察报表): months counted by department, item, area, officer or month, with the trade's formulas."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from handlers.access import Officer
from handlers.caseviews import department_ref
from handlers.clocks import local_date, midnight
from handlers.errors import Refused
from handlers.office import Office
from handlers.policy import scope_of
from storage import reports
from storage.database import Row
from storage.reports import Column, Span

Group = Literal["department", "item", "area", "staff", "month"]

GROUPS: dict[Group, str] = {"department": "部门", "item": "事项", "area": "区划", "staff": "经办人", "month": "月份"}
COLUMNS: dict[Group, Column] = {"department": "department", "item": "item_code", "area": "area", "staff": "staff_id", "month": ""}
MOST_MONTHS = 36
LEVELS = ("warning", "yellow", "red")
_WAITS = ("p50", "p80", "p95")
_SUMS = (
    "done", "granted", "refused", "not_accepted", "withdrawn", "expired", "early", "corrections", "first_time", "persons", "orgs",
    "promised", "used", "legal", "used_legal", "judged",
)  # fmt: skip
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is about: its first and last month (any day of each), how it is grouped, and one department or all ("")."""

    since: dt.date
    until: dt.date
    group: Group = "department"
    department: str = ""


class Cards(msgspec.Struct, frozen=True):
    """Supervision cards of one level: issued, revoked of them, and what holds (effective = issued - revoked)."""

    issued: int
    revoked: int
    effective: int


_NO_CARDS = Cards(0, 0, 0)


class Figures(msgspec.Struct, frozen=True):
    """One line of a report. Rates are per cent, cut off after two decimals; null where there is nothing to divide by.

    done: granted and refused; done_rate: done/received; early: decided on fewer days than promised; early_rate: early/accepted;
    legal_speedup: (sum of legal days - sum used)/sum of legal days over what was done, promised_speedup likewise;
    first_time_rate: accepted without a correction, of all ended cases that were accepted, not accepted, or never mended;
    p50, p80, p95: working days with the office, without waiting for the resident and special procedures.
    What has no member of staff yet, received and accepted, is null in a report by staff.
    """

    key: str
    name: str
    received: int | None
    accepted: int | None
    done: int
    granted: int
    refused: int
    not_accepted: int
    withdrawn: int
    expired: int
    done_rate: float | None
    early: int
    early_rate: float | None
    promised_speedup: float | None
    legal_speedup: float | None
    corrections: int
    first_time: int
    first_time_rate: float | None
    p50: float | None
    p80: float | None
    p95: float | None
    persons: int
    orgs: int
    warning: Cards
    yellow: Cards
    red: Cards


class Report(msgspec.Struct, frozen=True):
    """A report: its span, its lines and their total."""

    since: str
    until: str
    group: Group
    department: str
    lines: list[Figures]
    total: Figures


async def report(office: Office, officer: Officer, wanted: Wanted) -> Report:
    """The report this officer may see: an approver that of his department, a supervisor that of his area."""
    span = _span(officer, wanted)
    total = (await _figures(office, span, "", lambda _: "合计"))[0]
    if wanted.group == "month":
        lines = [await _month(office, one) for one in _months(span)]
    else:
        lines = await _figures(office, span, COLUMNS[wanted.group], await _names(office, span, wanted.group))
    if wanted.group == "staff":
        total, lines = _without_intake(total), [_without_intake(line) for line in lines]
    return Report(f"{span.since:%Y-%m}", f"{wanted.until:%Y-%m}", wanted.group, span.department, lines, total)


def percent(part: int, whole: int) -> float | None:
    """A share in per cent, cut off (not rounded) after two decimals, as e-supervision prints it: 2 of 3 are 66.66."""
    if not whole:
        return None
    cut = abs(part) * 10_000 // whole
    return (cut if part >= 0 else -cut) / 100


def working_days(net_seconds: int | None) -> float | None:
    """Net seconds as working days of 24 hours, cut off after two decimals."""
    return None if net_seconds is None else net_seconds * 100 // _DAY_SECONDS / 100


def sees_all(officer: Officer) -> bool:
    """Whether this officer may see every department's figures."""
    return scope_of(officer.role, "see_report") == "area"


def this_month(office: Office) -> dt.date:
    """The first day of the running month."""
    return local_date(office.clock.now()).replace(day=1)


def _span(officer: Officer, wanted: Wanted) -> Span:
    scope = scope_of(officer.role, "see_report")
    if scope == "none" or (scope == "department" and wanted.department not in {"", officer.department}):
        raise Refused("forbidden")
    months = (wanted.until.year - wanted.since.year) * 12 + wanted.until.month - wanted.since.month + 1
    if not 1 <= months <= MOST_MONTHS:
        raise Refused("report_span", {"months": MOST_MONTHS})
    department = officer.department if scope == "department" else wanted.department
    return _between(wanted.since.replace(day=1), _next(wanted.until), officer.area, department)


def _between(since: dt.date, before: dt.date, area: str, department: str) -> Span:
    return Span(since, before, midnight(since), midnight(before), area, department)


def _next(day: dt.date) -> dt.date:
    """The first day of the month after a day's."""
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def _months(span: Span) -> Iterator[Span]:
    month = span.since
    while month < span.before:
        yield _between(month, _next(month), span.area, span.department)
        month = _next(month)


async def _month(office: Office, span: Span) -> Figures:
    line = (await _figures(office, span, "", str))[0]
    return msgspec.structs.replace(line, key=f"{span.since:%Y-%m}", name=f"{span.since.year} 年 {span.since.month} 月")


async def _figures(office: Office, span: Span, column: Column, name: Callable[[str], str]) -> list[Figures]:
    """A line for everything that had a part in the span, the busiest first; without a column one line, also of zeros."""
    db = office.database
    moved = {} if column == "staff_id" else {name: _counts(rows) for name, rows in await _intake(office, span, column)}
    ended, waits = _by_key(await reports.ended(db, span, column)), _by_key(await reports.waits(db, span, column))
    cards = _by_level(await reports.cards(db, span, column))
    received, accepted = moved.get("received", {}), moved.get("accepted", {})
    keys = {*received, *accepted, *ended, *cards} if column else {""}
    lines = [
        _line(key, name(key), received.get(key, 0), accepted.get(key, 0), ended.get(key, {}), waits.get(key, {}), cards.get(key, {}))
        for key in keys
    ]
    return sorted(lines, key=lambda line: (-(line.received or 0), -line.done, line.key))


async def _intake(office: Office, span: Span, column: Column) -> list[tuple[str, list[Row]]]:
    db = office.database
    return [("received", await reports.received(db, span, column)), ("accepted", await reports.accepted(db, span, column))]


def _line(key: str, name: str, received: int, accepted: int, ended: Row, waits: Row, cards: Mapping[str, Cards]) -> Figures:
    sums: dict[str, int] = {figure: int(ended.get(figure) or 0) for figure in _SUMS}
    return msgspec.convert(
        {
            **sums, **{rank: working_days(waits.get(rank)) for rank in _WAITS}, **{level: cards.get(level, _NO_CARDS) for level in LEVELS},
            "key": key, "name": name, "received": received, "accepted": accepted,
            "done_rate": percent(sums["done"], received),
            "early_rate": percent(sums["early"], accepted),
            "promised_speedup": percent(sums["promised"] - sums["used"], sums["promised"]),
            "legal_speedup": percent(sums["legal"] - sums["used_legal"], sums["legal"]),
            "first_time_rate": percent(sums["first_time"], sums["judged"]),
        },
        Figures,
    )  # fmt: skip


def _without_intake(line: Figures) -> Figures:
    """A line by staff: nobody is charged with what only came in."""
    return msgspec.structs.replace(line, received=None, accepted=None, done_rate=None, early_rate=None)


def _key(row: Row) -> str:
    return row["grp"] or ""


def _counts(rows: Iterable[Row]) -> dict[str, int]:
    return {_key(row): row["cases"] for row in rows}


def _by_key(rows: Iterable[Row]) -> dict[str, Row]:
    return {_key(row): row for row in rows}


def _by_level(rows: Iterable[Row]) -> dict[str, dict[str, Cards]]:
    found: dict[str, dict[str, Cards]] = {}
    for row in rows:
        issued, revoked = int(row["issued"]), int(row["revoked"])
        found.setdefault(_key(row), {})[row["level"]] = Cards(issued, revoked, issued - revoked)
    return found


async def _names(office: Office, span: Span, group: Group) -> Callable[[str], str]:
    if group == "department":
        return lambda key: department_ref(office, key).name
    if group == "item":
        items = office.catalogue.items
        return lambda key: items[key].name if key in items else key
    if group == "staff":
        staff = await reports.staff_names(office.database, span.area)
        return lambda key: staff.get(key, key) if key else "部门系统"
    return lambda key: office.town if key == office.division else key


TITLES = {
    "name": "名称", "received": "收件", "accepted": "受理", "done": "办结", "done_rate": "办结率%",
    "granted": "准予", "refused": "不予批准", "not_accepted": "不予受理", "withdrawn": "撤回", "expired": "逾期未补正",
    "early": "提前办结", "early_rate": "提前办结率%", "promised_speedup": "承诺提速%", "legal_speedup": "法定提速%",
    "corrections": "补正次数", "first_time": "一次通过", "first_time_rate": "一次通过率%",
    "p50": "净用时50%(工作日)", "p80": "净用时80%(工作日)", "p95": "净用时95%(工作日)", "persons": "个人", "orgs": "法人",
}  # fmt: skip
"""The figures of a table in their order, and how they are called; the cards of each level follow."""

_CARD_TITLES = {"warning": "预警", "yellow": "黄牌", "red": "红牌"}


def titles(report: Report) -> list[str]:
    """The head of the report as a table."""
    first, *others = TITLES.values()
    cards = [f"{level}{what}" for level in _CARD_TITLES.values() for what in ("发出", "撤销", "有效")]
    return ["代码", GROUPS.get(report.group, first), *others, *cards]


def rows(report: Report) -> list[list[str | int | float | None]]:
    """Its lines as a table, the total last."""
    return [_row(line) for line in (*report.lines, report.total)]


def _row(line: Figures) -> list[str | int | float | None]:
    cards = (getattr(line, level) for level in LEVELS)
    return [
        line.key,
        *(getattr(line, figure) for figure in TITLES),
        *(number for card in cards for number in (card.issued, card.revoked, card.effective)),
    ]
