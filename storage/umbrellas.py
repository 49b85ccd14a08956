"""Umbrellas: several cases applied for as one (一件事). The row, its cases, and what has to be looked at next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from storage.database import Queries, Row, Transaction

TOPIC = "umbrellas"
"""The bell topic that sounds when an umbrella may go on."""

_COLUMNS = "id, number, bundle_code, resident_id, form_sealed, plan, created_at, promised_on, finished_at, look_at"
_NAMES = tuple(_COLUMNS.split(", "))


async def insert(tx: Transaction, row: Mapping[str, object]) -> None:
    """A new umbrella; `row` has every column."""
    places = ", ".join(f"${n}" for n in range(1, len(_NAMES) + 1))
    await tx.execute(f"INSERT INTO umbrella ({_COLUMNS}) VALUES ({places})", *(row[name] for name in _NAMES))  # noqa: S608 - constants


async def take(tx: Transaction, umbrella_id: str) -> Row | None:
    """Lock an umbrella until the end of the transaction; None if there is none."""
    return await tx.one(f"UPDATE umbrella SET look_at = look_at WHERE id = $1 RETURNING {_COLUMNS}", umbrella_id)  # noqa: S608 - constants


async def save(tx: Transaction, row: Mapping[str, object]) -> None:
    """Write what may change of an umbrella taken before."""
    sql = "UPDATE umbrella SET finished_at = $2, look_at = $3 WHERE id = $1"
    await tx.execute(sql, row["id"], row["finished_at"], row["look_at"])


async def look(tx: Transaction, umbrella_id: str, at: dt.datetime) -> None:
    """One of its cases has ended: somebody has to look what is next, and is rung for once this is committed."""
    await tx.execute("UPDATE umbrella SET look_at = $2 WHERE id = $1", umbrella_id, at)
    tx.ring(TOPIC)


async def due(db: Queries, now: dt.datetime, limit: int) -> list[str]:
    """Ids of umbrellas that somebody has to look at, the longest waiting first."""
    rows = await db.rows("SELECT id FROM umbrella WHERE look_at <= $1 ORDER BY look_at, id LIMIT $2", now, limit)
    return [str(row["id"]) for row in rows]


async def by_id(db: Queries, umbrella_id: str) -> Row | None:
    """One umbrella."""
    return await db.one(f"SELECT {_COLUMNS} FROM umbrella WHERE id = $1", umbrella_id)  # noqa: S608 - constants


async def of_resident(db: Queries, resident_id: str, before: str | None, limit: int) -> list[Row]:
    """The umbrellas a resident made, and those others made for him, newest first, from below id `before`."""
    sql = (
        f"SELECT {_COLUMNS} FROM umbrella WHERE id < $2 AND id IN (SELECT id FROM umbrella WHERE resident_id = $1 "  # noqa: S608 - constants
        "UNION ALL SELECT c.umbrella_id FROM case_agent a JOIN cases c ON c.id = a.case_id WHERE a.principal_id = $1) "
        "ORDER BY id DESC LIMIT $3"
    )
    return await db.rows(sql, resident_id, before or "~", limit)
