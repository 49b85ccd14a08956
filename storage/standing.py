"""How the connection with a department stands, read without a lock: for the department itself and for those who watch."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from storage.database import Queries


@dataclass(frozen=True, slots=True)
class Standing:
    """`position` is the last one given in the journal, `taken` the last one confirmed; `state` working, resting or paused."""

    position: int = 0
    taken: int = 0
    state: str = "working"
    reason: str | None = None
    heard_at: dt.datetime | None = None


async def of(db: Queries, department: str) -> Standing:
    """The standing of one department; one that was never heard of stands at the beginning."""
    row = await db.one("SELECT position, taken, state, reason, heard_at FROM exchange_link WHERE department = $1", department)
    return Standing(**row) if row else Standing()


_HEARD = """
INSERT INTO exchange_link (department, heard_at, changed_at) VALUES ($1, $2, $2)
ON CONFLICT (department) DO UPDATE SET heard_at = excluded.heard_at
WHERE exchange_link.heard_at IS NULL OR exchange_link.heard_at < $3
"""


async def heard(db: Queries, department: str, now: dt.datetime, unless_since: dt.datetime) -> None:
    """The department has made itself heard; nothing is written if it was heard since a moment."""
    await db.execute(_HEARD, department, now, unless_since)
