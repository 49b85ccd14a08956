"""Nonces of departments' requests: each counts once per key, in every process and over every restart."""

from __future__ import annotations

import datetime as dt

from storage.database import Queries

_USE = "INSERT INTO exchange_nonce (key_id, nonce, used_at) VALUES ($1, $2, $3) ON CONFLICT (key_id, nonce) DO NOTHING RETURNING nonce"


async def use(db: Queries, key_id: str, nonce: str, now: dt.datetime) -> bool:
    """Note a nonce; False if it was used before."""
    return bool(await db.rows(_USE, key_id, nonce, now))


async def forget(db: Queries, before: dt.datetime) -> int:
    """Drop nonces of requests that would be refused by their date anyway; how many went."""
    return len(await db.rows("DELETE FROM exchange_nonce WHERE used_at < $1 RETURNING nonce", before))
