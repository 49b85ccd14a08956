"""How the connection with each department stands: one row, written by whoever talks to it, read by everybody."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from storage.database import Queries, Row, Transaction

BELL = "links"
"""The bell topic that wakes carriers after an officer changed a link."""

State = Literal["working", "resting", "paused"]


@dataclass(frozen=True, slots=True)
class Link:
    """One department's link. `failures` in a row since `failing_since_at`; a resting one is tried again at `rests_until_at`."""

    department: str
    state: State = "working"
    failures: int = 0
    failing_since_at: dt.datetime | None = None
    rests_until_at: dt.datetime | None = None
    reason: str | None = None
    heard_at: dt.datetime | None = None
    changed_at: dt.datetime | None = None


_COLUMNS = "department, state, failures, failing_since_at, rests_until_at, reason, heard_at, changed_at"


async def read(db: Queries, department: str) -> Link:
    """How the link stands; a department that was never talked to is working."""
    row = await db.one(f"SELECT {_COLUMNS} FROM exchange_link WHERE department = $1", department)  # noqa: S608 - our own names
    return _link(row) if row else Link(department)


async def read_all(db: Queries) -> dict[str, Link]:
    """Every link that was ever used, by department."""
    rows = await db.rows(f"SELECT {_COLUMNS} FROM exchange_link ORDER BY department")  # noqa: S608 - our own names
    return {row["department"]: _link(row) for row in rows}


_FAILED = f"""
INSERT INTO exchange_link AS l (department, failures, failing_since_at, reason, changed_at) VALUES ($1, 1, $2, $3, $2)
ON CONFLICT (department) DO UPDATE SET failures = l.failures + 1,
    failing_since_at = COALESCE(l.failing_since_at, excluded.failing_since_at),
    reason = CASE WHEN l.state = 'paused' THEN l.reason ELSE excluded.reason END
RETURNING {_COLUMNS}
"""  # noqa: S608 - our own names


async def failed(db: Queries, department: str, reason: str, now: dt.datetime) -> Link:
    """Count one failure more; how the link stands with it. A paused link keeps the reason it was paused for."""
    row = await db.one(_FAILED, department, now, reason[:300])
    assert row  # noqa: S101 - an upsert answers always
    return _link(row)


_WELL = """
INSERT INTO exchange_link AS l (department, heard_at, changed_at) VALUES ($1, $2, $2)
ON CONFLICT (department) DO UPDATE SET heard_at = excluded.heard_at, failures = 0, failing_since_at = NULL, rests_until_at = NULL,
    state = CASE WHEN l.state = 'paused' THEN 'paused' ELSE 'working' END,
    reason = CASE WHEN l.state = 'paused' THEN l.reason END,
    changed_at = CASE WHEN l.state = 'resting' THEN excluded.changed_at ELSE l.changed_at END
"""


async def succeeded(db: Queries, department: str, now: dt.datetime) -> None:
    """The department took something: failures are forgotten, a resting link works again, a paused one stays paused."""
    await db.execute(_WELL, department, now)


async def rest(db: Queries, department: str, until: dt.datetime, now: dt.datetime) -> None:
    """Let a link rest that is not paused."""
    await db.execute(
        "UPDATE exchange_link SET changed_at = CASE WHEN state = 'resting' THEN changed_at ELSE $3 END, state = 'resting', "
        "rests_until_at = $2 WHERE department = $1 AND state <> 'paused'",
        department,
        until,
        now,
    )


async def pause(tx: Transaction, department: str, reason: str, now: dt.datetime) -> bool:
    """Stop a link until somebody wakes it; False if it was paused already."""
    return await _turn(
        tx,
        "INSERT INTO exchange_link AS l (department, state, reason, changed_at) VALUES ($1, 'paused', $2, $3) "
        "ON CONFLICT (department) DO UPDATE SET state = 'paused', reason = excluded.reason, rests_until_at = NULL, "
        "changed_at = excluded.changed_at WHERE l.state <> 'paused' RETURNING department",
        department,
        reason[:300],
        now,
    )


async def wake(tx: Transaction, department: str, now: dt.datetime) -> bool:
    """Let a paused or resting link work again at once; False if it was working."""
    return await _turn(
        tx,
        "UPDATE exchange_link SET state = 'working', failures = 0, failing_since_at = NULL, rests_until_at = NULL, reason = NULL, "
        "changed_at = $2 WHERE department = $1 AND state <> 'working' RETURNING department",
        department,
        now,
    )


async def _turn(tx: Transaction, sql: str, *arguments: object) -> bool:
    tx.ring(BELL)
    return bool(await tx.rows(sql, *arguments))


def _link(row: Row) -> Link:
    return Link(**row)
