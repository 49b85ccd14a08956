"""Authorities to act for others: asked for, checked, confirmed by the principal, revoked, ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from storage.database import Queries, Row, Transaction

_NAMES = (
    "id", "kind", "agent_id", "principal_id", "principal_sealed", "items", "village", "upload_id", "is_minor", "state", "valid_to_on",
    "created_at", "changed_at", "principal_key", "agent_sealed", "relation", "area", "is_incapable", "reason", "settled_by",
    "confirmed_at",
)  # fmt: skip
_COLUMNS = ", ".join(_NAMES)
_SELECT = f"SELECT {_COLUMNS} FROM proxy"  # noqa: S608 - constants only
_INSERT = (
    f"INSERT INTO proxy ({_COLUMNS}) VALUES ({', '.join(f'${n}' for n in range(1, len(_NAMES) + 1))}) "  # noqa: S608 - constants only
    "ON CONFLICT (agent_id, principal_key, kind) WHERE state IN ('asked', 'active') DO NOTHING RETURNING id"
)
_CHANGING = ("principal_id", "state", "valid_to_on", "changed_at", "reason", "settled_by", "confirmed_at")
_SAVE = f"UPDATE proxy SET {', '.join(f'{name} = ${n}' for n, name in enumerate(_CHANGING, 2))} WHERE id = $1"  # noqa: S608


async def insert(tx: Transaction, row: Mapping[str, object]) -> bool:
    """A new authority; False if the same agent has one of this kind for the same person that waits or holds."""
    return bool(await tx.rows(_INSERT, *(row[name] for name in _NAMES)))


async def take(tx: Transaction, proxy_id: str) -> Row | None:
    """Lock an authority until the end of the transaction; None if there is none."""
    return await tx.one(f"UPDATE proxy SET changed_at = changed_at WHERE id = $1 RETURNING {_COLUMNS}", proxy_id)  # noqa: S608


async def save(tx: Transaction, row: Mapping[str, object]) -> None:
    """Write what may change of an authority taken before."""
    await tx.execute(_SAVE, row["id"], *(row[name] for name in _CHANGING))


async def unlink(tx: Transaction, principal_key: str, account_id: str, now: dt.datetime) -> None:
    """What an account has confirmed as this principal counts as not confirmed."""
    sql = "UPDATE proxy SET principal_id = NULL, confirmed_at = NULL, changed_at = $3 WHERE principal_key = $1 AND principal_id = $2"
    await tx.execute(sql, principal_key, account_id, now)


async def by_id(db: Queries, proxy_id: str) -> Row | None:
    """One authority."""
    return await db.one(f"{_SELECT} WHERE id = $1", proxy_id)


async def of_account(db: Queries, account_id: str, limit: int) -> list[Row]:
    """The authorities that an account has for others and has given to others, newest first."""
    return await db.rows(
        f"SELECT * FROM ({_SELECT} WHERE agent_id = $1 UNION ALL {_SELECT} WHERE principal_id = $1) AS found "  # noqa: S608 - constants
        "ORDER BY id DESC LIMIT $2",
        account_id,
        limit,
    )


async def waiting_of(db: Queries, account_id: str) -> int:
    """How many authorities an account has asked for that nobody has looked at."""
    row = await db.one("SELECT count(*) AS n FROM proxy WHERE agent_id = $1 AND state = 'asked'", account_id)
    return int(row["n"]) if row else 0


async def villages_of(db: Queries, account_id: str) -> set[str]:
    """The villages for which an account is, or wants to be, a village clerk."""
    sql = "SELECT DISTINCT village FROM proxy WHERE agent_id = $1 AND kind = 'village_clerk' AND state IN ('asked', 'active')"
    return {str(row["village"]) for row in await db.rows(sql, account_id)}


async def of_person(db: Queries, principal_key: str, limit: int) -> list[Row]:
    """The authorities to act for one person that wait or hold."""
    return await db.rows(f"{_SELECT} WHERE principal_key = $1 AND state IN ('asked', 'active') ORDER BY id LIMIT $2", principal_key, limit)


async def of_area(db: Queries, area: str, state: str, after: str, limit: int) -> list[Row]:
    """A page of the authorities of an area in a state, the oldest first, from above id `after`."""
    return await db.rows(f"{_SELECT} WHERE area = $1 AND state = $2 AND id > $3 ORDER BY id LIMIT $4", area, state, after, limit)


async def outlived(db: Queries, today: dt.date, limit: int) -> list[str]:
    """Ids of authorities in force whose last day was before today."""
    sql = "SELECT id FROM proxy WHERE state = 'active' AND valid_to_on < $1 ORDER BY valid_to_on, id LIMIT $2"
    return [str(row["id"]) for row in await db.rows(sql, today, limit)]


_SETTLED = "state IN ('refused', 'revoked', 'ended') AND NOT is_kept AND changed_at < $1"
_HAS_CASE = "EXISTS (SELECT 1 FROM case_agent a WHERE a.proxy_id = proxy.id)"
_DUE = f"SELECT id FROM proxy WHERE {_SETTLED} ORDER BY changed_at, id LIMIT $2"  # noqa: S608 - constants only


async def keep_with_cases(tx: Transaction, before: dt.datetime, limit: int) -> None:
    """Of the next `limit` that were refused, revoked or ended before a moment, keep those by which a case was made."""
    await tx.execute(f"UPDATE proxy SET is_kept = TRUE WHERE id IN ({_DUE}) AND {_HAS_CASE}", before, limit)  # noqa: S608 - constants only


async def forget(tx: Transaction, before: dt.datetime, limit: int) -> list[Row]:
    """Delete the next `limit` that were refused, revoked or ended before a moment and made no case; `id`, `kind`, `state` of each."""
    sql = f"DELETE FROM proxy WHERE id IN ({_DUE}) AND NOT {_HAS_CASE} RETURNING id, kind, state"  # noqa: S608 - constants only
    return await tx.rows(sql, before, limit)
