"""The cases whose due dates depend on the calendar; read in batches by id, so that a million closed ones cost nothing twice."""

from __future__ import annotations

import datetime as dt

from storage.database import Queries, Row

RUNNING = ("accepted", "in_review", "forwarded")
"""The states in which a clock runs, or stands still for a while."""

_COUNTED = (
    "SELECT id, number, item_code, item_version, accepted_at, card, promised_on, legal_on, is_provisional FROM cases "  # noqa: S608 - constants only
    f"WHERE id > $1 AND legal_on >= $2 AND state IN {RUNNING}"
)
PROVISIONAL = f"{_COUNTED} AND is_provisional AND legal_on <= $4"
"""What `provisional` asks; its plan is tested."""


async def counted(db: Queries, since: dt.date, after: str, limit: int) -> list[Row]:
    """Cases whose clocks run, or stand still for a while, to a legal date not before `since`; by id, from above id `after`."""
    return await db.rows(f"{_COUNTED} ORDER BY id LIMIT $3", after, since, limit)


async def provisional(db: Queries, since: dt.date, to: dt.date, after: str, limit: int) -> list[Row]:
    """Those of `counted` that are provisional though their legal date lies not after `to`, the last day that is known by now."""
    return await db.rows(f"{PROVISIONAL} ORDER BY id LIMIT $3", after, since, limit, to)


_LATER = """
SELECT id, number, item_code, item_version, state, accepted_at, decided_at, promised_on, legal_on, card FROM cases WHERE id > $1 AND id IN (
    SELECT case_id FROM delivery WHERE due_on >= $2 AND delivered_at IS NULL
    UNION SELECT case_id FROM debt WHERE due_on >= $2 AND settled_at IS NULL AND lapsed_at IS NULL AND kind <> 'commitment'
) ORDER BY id LIMIT $3
"""


async def later(db: Queries, since: dt.date, after: str, limit: int) -> list[Row]:
    """Cases with a result to be delivered, or a paper to come in, not before `since`; by id, from above id `after`."""
    return await db.rows(_LATER, after, since, limit)


async def counted_with(db: Queries) -> int | None:
    """The fingerprint of the calendar that later dates were last counted with."""
    row = await db.one("SELECT value FROM counter WHERE name = 'later-dates'")
    return int(row["value"]) if row else None


async def count_with(db: Queries, fingerprint: int) -> None:
    """Keep the fingerprint of the calendar that later dates are counted with now."""
    sql = "INSERT INTO counter (name, value) VALUES ('later-dates', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    await db.execute(sql, fingerprint)
