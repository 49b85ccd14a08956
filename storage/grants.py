"""Files by claim check: which department may fetch which upload, for one task and as long as it works on it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from storage.database import Queries, Row, Transaction


@dataclass(frozen=True, slots=True)
class Grant:
    """One department may fetch one upload of a case for one task."""

    department: str
    case_id: str
    task_id: str
    upload_id: str

    @property
    def id(self) -> str:
        """Its id, the same however often it is given: it is no secret, for only its department's key opens the file."""
        return str(uuid.uuid5(uuid.UUID(self.task_id), self.upload_id))


async def give(tx: Transaction, grants: Sequence[Grant], now: dt.datetime) -> None:
    """Keep grants; one that was given before stays as it is."""
    if not grants:
        return
    places = ", ".join(f"(${n}, ${n + 1}, ${n + 2}, ${n + 3}, ${n + 4}, $1)" for n in range(2, 2 + 5 * len(grants), 5))
    await tx.execute(
        f"INSERT INTO file_grant (id, department, case_id, task_id, upload_id, created_at) VALUES {places} "  # noqa: S608 - placeholders only
        "ON CONFLICT (task_id, upload_id) DO NOTHING",
        now,
        *(value for one in grants for value in (one.id, one.department, one.case_id, one.task_id, one.upload_id)),
    )


async def end(tx: Transaction, task_ids: Sequence[str], expires_at: dt.datetime) -> None:
    """The tasks are over: their files can be fetched until a moment."""
    if not task_ids:
        return
    places = ", ".join(f"${n}" for n in range(2, 2 + len(task_ids)))
    sql = f"UPDATE file_grant SET expires_at = $1 WHERE expires_at IS NULL AND task_id IN ({places})"  # noqa: S608 - placeholders only
    await tx.execute(sql, expires_at, *task_ids)


async def fetch(tx: Transaction, grant_id: str, department: str, now: dt.datetime) -> Row | None:
    """Count one fetch of a grant that holds for this department now; its row, or None."""
    return await tx.one(
        "UPDATE file_grant SET fetches = fetches + 1, fetched_at = $1 "
        "WHERE id = $2 AND department = $3 AND (expires_at IS NULL OR expires_at > $1) RETURNING *",
        now,
        grant_id,
        department,
    )


async def forget(db: Queries, now: dt.datetime) -> int:
    """Drop grants that have run out, so that an upload no case uses any more can go; how many. Who fetched what is in the audit record."""
    return len(await db.rows("DELETE FROM file_grant WHERE expires_at <= $1 RETURNING id", now))
