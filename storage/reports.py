"""Figures for the reports, summed by the database: what came in, what was accepted, what ended, which cards were earned."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from storage.database import Queries, Row

Column = Literal["", "area", "department", "item_code", "staff_id"]


@dataclass(frozen=True, slots=True)
class Span:
    """What is counted: from the beginning of `since` to before `before` (days, and the same as moments), an area, a department."""

    since: dt.date
    before: dt.date
    since_at: dt.datetime
    before_at: dt.datetime
    area: str
    department: str = ""


_WITHIN = "area LIKE $3 || '%' AND ($4 = '' OR department = $4)"
_MOVED = (
    "SELECT {column} AS grp, COUNT(*) AS cases FROM cases WHERE {time} >= $1 AND {time} < $2 AND number IS NOT NULL AND {within} GROUP BY 1"
)
_DONE = "ending IN ('granted', 'refused')"
_ENDED = """
SELECT {column} AS grp, SUM(CASE WHEN {done} THEN 1 ELSE 0 END) AS done, SUM(CASE WHEN ending = 'granted' THEN 1 ELSE 0 END) AS granted,
    SUM(CASE WHEN ending = 'refused' THEN 1 ELSE 0 END) AS refused,
    SUM(CASE WHEN ending = 'not_accepted' THEN 1 ELSE 0 END) AS not_accepted,
    SUM(CASE WHEN ending = 'withdrawn' THEN 1 ELSE 0 END) AS withdrawn, SUM(CASE WHEN ending = 'expired' THEN 1 ELSE 0 END) AS expired,
    SUM(CASE WHEN {done} AND used_days < promised_days THEN 1 ELSE 0 END) AS early,
    SUM(CASE WHEN {done} THEN promised_days ELSE 0 END) AS promised, SUM(CASE WHEN {done} THEN used_days ELSE 0 END) AS used,
    SUM(CASE WHEN {done} THEN legal_days ELSE 0 END) AS legal, SUM(CASE WHEN {done} THEN used_legal ELSE 0 END) AS used_legal,
    SUM(CASE WHEN accepted_on IS NOT NULL OR ending IN ('not_accepted', 'expired') THEN 1 ELSE 0 END) AS judged,
    SUM(CASE WHEN is_first_time THEN 1 ELSE 0 END) AS first_time, SUM(corrections) AS corrections,
    SUM(CASE WHEN {done} AND audience = 'person' THEN 1 ELSE 0 END) AS persons,
    SUM(CASE WHEN {done} AND audience = 'org' THEN 1 ELSE 0 END) AS orgs
FROM case_outcome WHERE ended_on >= $1 AND ended_on < $2 AND {within} GROUP BY 1
"""
_WAITS = """
SELECT grp, MAX(CASE WHEN place = (cases * 50 + 99) / 100 THEN net_seconds END) AS p50,
    MAX(CASE WHEN place = (cases * 80 + 99) / 100 THEN net_seconds END) AS p80,
    MAX(CASE WHEN place = (cases * 95 + 99) / 100 THEN net_seconds END) AS p95
FROM (SELECT {column} AS grp, net_seconds, row_number() OVER (PARTITION BY {column} ORDER BY net_seconds) AS place,
        count(*) OVER (PARTITION BY {column}) AS cases
    FROM case_outcome WHERE ended_on >= $1 AND ended_on < $2 AND {done} AND {within}) AS ranked
GROUP BY grp
"""
_CARDS = """
SELECT {column} AS grp, level, SUM(CASE WHEN issued_at IS NOT NULL THEN 1 ELSE 0 END) AS issued,
    SUM(CASE WHEN issued_at IS NOT NULL AND state = 'revoked' THEN 1 ELSE 0 END) AS revoked
FROM supervision_card WHERE earned_at >= $1 AND earned_at < $2 AND {within} GROUP BY 1, 2
"""


async def received(db: Queries, span: Span, column: Column) -> list[Row]:
    """Applications handed in: (grp, cases)."""
    return await _by_time(db, _MOVED, span, column, time="submitted_at")


async def accepted(db: Queries, span: Span, column: Column) -> list[Row]:
    """Cases accepted: (grp, cases)."""
    return await _by_time(db, _MOVED, span, column, time="accepted_at")


async def ended(db: Queries, span: Span, column: Column) -> list[Row]:
    """Cases that ended, by every figure that a sum can give."""
    return await _by_day(db, _ENDED, span, column)


async def waits(db: Queries, span: Span, column: Column) -> list[Row]:
    """Net seconds that 50, 80 and 95 in a hundred decided cases did not exceed (nearest rank): (grp, p50, p80, p95)."""
    return await _by_day(db, _WAITS, span, column)


async def cards(db: Queries, span: Span, column: Column) -> list[Row]:
    """Supervision cards by level, by when they were earned: (grp, level, issued, revoked); revoked ones were issued too."""
    return await _by_time(db, _CARDS, span, column)


async def staff_names(db: Queries, area: str) -> dict[str, str]:
    """Members of staff of an area by id."""
    return {row["id"]: row["name"] for row in await db.rows("SELECT id, name FROM staff WHERE area LIKE $1 || '%'", area)}


async def _by_time(db: Queries, sql: str, span: Span, column: Column, *, time: str = "") -> list[Row]:
    text = sql.format(column=column or "''", time=time, within=_WITHIN)
    return await db.rows(text, span.since_at, span.before_at, span.area, span.department)


async def _by_day(db: Queries, sql: str, span: Span, column: Column) -> list[Row]:
    text = sql.format(column=column or "''", done=_DONE, within=_WITHIN)
    return await db.rows(text, span.since, span.before, span.area, span.department)
