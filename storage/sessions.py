"""Log-ins: one row a device, with the hash of its refresh token; nothing that would log anybody in is kept in the clear."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from storage.database import Queries, Row

_NAMES = ("id", "account_id", "account_kind", "device", "refresh_hash", "rotated_at", "created_at", "expires_at")

_STANDING = """
SELECT s.id, s.account_id, s.account_kind, s.expires_at, staff.name, staff.role, staff.department, staff.hall, staff.area
FROM session s LEFT JOIN staff ON staff.id = s.account_id
LEFT JOIN resident ON resident.id = s.account_id
WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2
AND (s.account_kind = 'resident' OR staff.is_active) AND resident.closed_at IS NULL
"""


async def insert(db: Queries, row: Mapping[str, object]) -> None:
    """A new log-in."""
    places = ", ".join(f"${n}" for n in range(1, len(_NAMES) + 1))
    await db.execute(f"INSERT INTO session ({', '.join(_NAMES)}) VALUES ({places})", *(row[name] for name in _NAMES))  # noqa: S608


async def standing(db: Queries, session_id: str, now: dt.datetime) -> Row | None:
    """The living log-in with its member of staff, or None when it ended, or its account did."""
    return await db.one(_STANDING, session_id, now)


async def by_id(db: Queries, session_id: str) -> Row | None:
    """One log-in, living or not."""
    return await db.one("SELECT * FROM session WHERE id = $1", session_id)


async def rotate(db: Queries, session_id: str, old: str, new: str, now: dt.datetime) -> bool:
    """Replace the refresh token if `old` is still in force; False when another request was first."""
    sql = (
        "UPDATE session SET refresh_hash = $3, previous_hash = $2, rotated_at = $4 "
        "WHERE id = $1 AND refresh_hash = $2 AND revoked_at IS NULL RETURNING id"
    )
    return bool(await db.rows(sql, session_id, old, new, now))


async def revoke(db: Queries, session_id: str, account_id: str, now: dt.datetime) -> bool:
    """End one log-in of an account; False if there was none to end."""
    sql = "UPDATE session SET revoked_at = $3 WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL RETURNING id"
    return bool(await db.rows(sql, session_id, account_id, now))


async def revoke_all(db: Queries, account_id: str, now: dt.datetime) -> None:
    """End every log-in of an account."""
    await db.execute("UPDATE session SET revoked_at = $2 WHERE account_id = $1 AND revoked_at IS NULL", account_id, now)


async def of_account(db: Queries, account_id: str, now: dt.datetime) -> list[Row]:
    """The living log-ins of an account, newest first."""
    sql = (
        "SELECT id, device, created_at, rotated_at, expires_at FROM session "
        "WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY id DESC"
    )
    return await db.rows(sql, account_id, now)
