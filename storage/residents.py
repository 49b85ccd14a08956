"""Residents: who they are, sealed where it is personal."""

from __future__ import annotations

import datetime as dt

from storage.database import Queries, Row

_BY_OPENID = """
INSERT INTO resident (id, openid, preferences, created_at) VALUES ($1, $2, '{}', $3)
ON CONFLICT (openid) DO UPDATE SET openid = excluded.openid RETURNING *
"""


async def of_openid(db: Queries, new_id: str, openid: str, now: dt.datetime) -> Row:
    """The resident behind a WeChat openid, made at the first log-in."""
    row = await db.one(_BY_OPENID, new_id, openid, now)
    if row is None:
        raise RuntimeError("INSERT .. RETURNING gave no row")
    return row


async def by_id(db: Queries, resident_id: str) -> Row | None:
    """One resident row."""
    return await db.one("SELECT * FROM resident WHERE id = $1", resident_id)


async def save_preferences(db: Queries, resident_id: str, preferences: str) -> None:
    """Write preferences, JSON text."""
    await db.execute("UPDATE resident SET preferences = $2 WHERE id = $1", resident_id, preferences)
