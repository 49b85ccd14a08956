"""Numbered batches of the file exchange: each direction of a department counts from 1 without gap, so a lost file is known by its number.

"out": `written` until the department acknowledged it, or `refused` by it. "in": `taken`, `refused` until it comes again in
order, `missing` while a later number is here and this one is not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from storage.database import Database, Queries, Row, Transaction

Direction = Literal["out", "in"]
Lease = tuple[str, str, int]
"""Name, holder and fence, as Holding.lease gives them."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch; `digest` is the SHA-256 of its header line, positions are those of its first and last row."""

    department: str
    direction: Direction
    number: int
    digest: str
    entries: int
    first_position: int
    last_position: int
    made_at: dt.datetime
    state: str = "written"
    reason: str | None = None


_COLUMNS = "department, direction, number, digest, entries, first_position, last_position, made_at, state, reason"

_OURS = """
UPDATE lease SET fence = fence WHERE name = $1 AND holder = $2 AND fence = $3 AND expires_at > $4 RETURNING name
"""


async def _still_ours(tx: Transaction, lease: Lease, now: dt.datetime) -> bool:
    """Whether the lease is ours, and stays so until the end of the transaction: its row is locked."""
    return await tx.one(_OURS, *lease, now) is not None


_KEEP = f"""
INSERT INTO file_batch ({_COLUMNS}, settled_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (department, direction, number) DO UPDATE SET digest = excluded.digest, entries = excluded.entries,
    first_position = excluded.first_position, last_position = excluded.last_position, made_at = excluded.made_at,
    state = excluded.state, reason = excluded.reason, settled_at = excluded.settled_at
WHERE file_batch.state IN ('missing', 'refused') AND file_batch.direction = 'in' RETURNING number
"""  # noqa: S608 - our own names


async def make(database: Database, batch: Batch, lease: Lease, now: dt.datetime) -> bool:
    """Note a batch to be written, as long as the lease is ours and its number is free; False if not."""
    return await _keep(database, batch, lease, now, None)


async def take(database: Database, batch: Batch, lease: Lease, now: dt.datetime) -> bool:
    """Note that a department's batch is in our hands; False if the lease is lost or the number was taken before."""
    return await _keep(database, batch, lease, now, now)


async def _keep(database: Database, batch: Batch, lease: Lease, now: dt.datetime, settled_at: dt.datetime | None) -> bool:
    values = (
        batch.department, batch.direction, batch.number, batch.digest, batch.entries, batch.first_position, batch.last_position,
        batch.made_at, batch.state, batch.reason,
    )  # fmt: skip
    async with database.transaction() as tx:
        return await _still_ours(tx, lease, now) and bool(await tx.rows(_KEEP, *values, settled_at))


async def one(db: Queries, department: str, direction: Direction, number: int) -> Batch | None:
    """One batch."""
    sql = f"SELECT {_COLUMNS} FROM file_batch WHERE department = $1 AND direction = $2 AND number = $3"  # noqa: S608 - our own names
    row = await db.one(sql, department, direction, number)
    return _batch(row) if row else None


async def last_made(db: Queries, department: str) -> int:
    """The highest number that was given to a batch of ours, 0 before the first."""
    row = await db.one("SELECT max(number) AS number FROM file_batch WHERE department = $1 AND direction = 'out'", department)
    return int(row["number"] or 0) if row else 0


async def last_taken(db: Queries, department: str) -> int:
    """The number up to which the department's batches are in our hands."""
    row = await db.one(
        "SELECT max(number) AS number FROM file_batch WHERE department = $1 AND direction = 'in' AND state = 'taken'", department
    )
    return int(row["number"] or 0) if row else 0


async def unacknowledged(db: Queries, department: str) -> list[Batch]:
    """Batches of ours that the department has not taken, in order."""
    rows = await db.rows(
        f"SELECT {_COLUMNS} FROM file_batch WHERE department = $1 AND direction = 'out' "  # noqa: S608 - our own names
        "AND state IN ('written', 'refused') ORDER BY number",
        department,
    )
    return [_batch(row) for row in rows]


async def settle(db: Queries, batch: Batch, digest: str, reason: str | None, now: dt.datetime) -> None:
    """The department has taken a batch under this number, `digest` being the one that it took."""
    await db.execute(
        "UPDATE file_batch SET state = 'acknowledged', digest = $1, reason = $2, settled_at = $3 "
        "WHERE department = $4 AND direction = 'out' AND number = $5 AND state IN ('written', 'refused')",
        digest,
        reason,
        now,
        batch.department,
        batch.number,
    )


async def reopen(database: Database, department: str, numbers: Sequence[int]) -> list[int]:
    """Batches that the department took and has lost since, with their messages, as far as these are kept; which ones."""
    places = ", ".join(f"${n}" for n in range(2, 2 + len(numbers)))
    async with database.transaction() as tx:
        found = await tx.rows(
            "UPDATE file_batch SET state = 'written', settled_at = NULL WHERE department = $1 AND direction = 'out' "  # noqa: S608
            f"AND state = 'acknowledged' AND number IN ({places}) RETURNING number, first_position, last_position",
            department,
            *numbers,
        )
        for row in found:
            await tx.execute(_UNCONFIRM, department, row["first_position"], row["last_position"])
            await tx.execute(_STEP_BACK, department, row["first_position"] - 1)
    return sorted(row["number"] for row in found)


_UNCONFIRM = "UPDATE outbox SET confirmed_at = NULL WHERE department = $1 AND position BETWEEN $2 AND $3"
_STEP_BACK = "UPDATE exchange_link SET taken = $2 WHERE department = $1 AND taken > $2"


async def refused(db: Queries, batch: Batch, reason: str) -> None:
    """The department does not take a batch of ours, and why."""
    await db.execute(
        "UPDATE file_batch SET state = 'refused', reason = $1 WHERE department = $2 AND direction = 'out' AND number = $3 "
        "AND state IN ('written', 'refused')",
        reason[:300],
        batch.department,
        batch.number,
    )


async def amend(db: Queries, batch: Batch) -> None:
    """What stands in a batch of ours cannot be had again as it was: its new digest and number of rows."""
    await db.execute(
        "UPDATE file_batch SET digest = $1, entries = $2 WHERE department = $3 AND direction = 'out' AND number = $4 "
        "AND state IN ('written', 'refused')",
        batch.digest,
        batch.entries,
        batch.department,
        batch.number,
    )


_NOTE = """
INSERT INTO file_batch (department, direction, number, state, reason, made_at) VALUES ($1, 'in', $2, $3, $4, $5)
ON CONFLICT (department, direction, number) DO UPDATE SET state = excluded.state, reason = excluded.reason
WHERE file_batch.state <> 'taken'
"""


async def missing(db: Queries, department: str, numbers: Iterable[int], now: dt.datetime) -> None:
    """A later batch of the department is here, these are not."""
    await db.execute_many(_NOTE, [(department, number, "missing", "后面的批次已到，这一批还没有到", now) for number in numbers])


async def turn_down(db: Queries, department: str, number: int, reason: str, now: dt.datetime) -> None:
    """A batch of the department cannot be read, and why; one that was taken stays so."""
    await db.execute(_NOTE, department, number, "refused", reason[:300], now)


def _batch(row: Row) -> Batch:
    return Batch(**{**row, "first_position": row["first_position"] or 0, "last_position": row["last_position"] or 0})
