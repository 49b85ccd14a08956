"""What waits for each department: counted for those who watch, never used to deliver."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from storage.database import Queries


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages not sent yet, messages sent and not confirmed, and when the department last confirmed one."""

    unsent: int = 0
    unconfirmed: int = 0
    confirmed_at: dt.datetime | None = None


_COUNTS = """
SELECT department, count(*) FILTER (WHERE sent_at IS NULL) AS unsent,
    count(*) FILTER (WHERE sent_at IS NOT NULL AND confirmed_at IS NULL) AS unconfirmed, max(confirmed_at) AS confirmed_at
FROM outbox GROUP BY department
"""


async def read(db: Queries) -> dict[str, Backlog]:
    """The backlog of every department that has messages, by code."""
    return {row["department"]: Backlog(row["unsent"], row["unconfirmed"], row["confirmed_at"]) for row in await db.rows(_COUNTS)}
