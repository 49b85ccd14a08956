"""Keys of departments: shared secrets for HMAC, which come and go sealed, and public keys to check signatures and to encrypt for them."""

from __future__ import annotations

import datetime as dt

from storage.database import Queries, Row

_COLUMNS = "id, department, purpose, secret_sealed, public_jwk, created_at, revoked_at"


async def add_secret(db: Queries, key_id: str, department: str, secret_sealed: bytes, now: dt.datetime) -> None:
    """Keep a shared secret, sealed."""
    sql = "INSERT INTO exchange_key (id, department, purpose, secret_sealed, created_at) VALUES ($1, $2, 'hmac', $3, $4)"
    await db.execute(sql, key_id, department, secret_sealed, now)


async def add_public(db: Queries, key_id: str, department: str, purpose: str, public_jwk: str, now: dt.datetime) -> None:
    """Keep a public key, a JWK as JSON text, for the purpose "verify" or "encrypt"."""
    sql = "INSERT INTO exchange_key (id, department, purpose, public_jwk, created_at) VALUES ($1, $2, $3, $4, $5)"
    await db.execute(sql, key_id, department, purpose, public_jwk, now)


async def by_id(db: Queries, key_id: str) -> Row | None:
    """One key that is not revoked."""
    return await db.one(f"SELECT {_COLUMNS} FROM exchange_key WHERE id = $1 AND revoked_at IS NULL", key_id)  # noqa: S608 - a constant


async def valid(db: Queries, department: str, purpose: str) -> list[Row]:
    """A department's keys for a purpose that are not revoked, the newest first."""
    return await db.rows(
        f"SELECT {_COLUMNS} FROM exchange_key WHERE department = $1 AND purpose = $2 AND revoked_at IS NULL "  # noqa: S608 - a constant
        "ORDER BY created_at DESC, id DESC",
        department,
        purpose,
    )


async def every(db: Queries) -> list[Row]:
    """All keys, revoked ones too, by department and age."""
    return await db.rows(f"SELECT {_COLUMNS} FROM exchange_key ORDER BY department, created_at, id")  # noqa: S608 - a constant


async def revoke(db: Queries, key_id: str, now: dt.datetime) -> str | None:
    """End a key; whose it was, or None if there is no such key in use."""
    sql = "UPDATE exchange_key SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL RETURNING department"
    row = await db.one(sql, now, key_id)
    return str(row["department"]) if row else None
