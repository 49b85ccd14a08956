"""Uploads: what was handed in, by whom, and the wrapped key of the file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from storage.database import Queries, Row

_NAMES = ("id", "owner_id", "state", "name", "media_type", "size", "pages", "digest", "key_version", "key_wrapped", "created_at")


async def insert(db: Queries, row: Mapping[str, object]) -> None:
    """A new upload."""
    places = ", ".join(f"${n}" for n in range(1, len(_NAMES) + 1))
    await db.execute(f"INSERT INTO upload ({', '.join(_NAMES)}) VALUES ({places})", *(row[name] for name in _NAMES))  # noqa: S608


async def by_id(db: Queries, upload_id: str) -> Row | None:
    """One upload row."""
    return await db.one("SELECT * FROM upload WHERE id = $1", upload_id)


async def ready_of_owner(db: Queries, owner_id: str, ids: Sequence[str]) -> list[Row]:
    """Those of the named uploads that are this owner's and ready to be handed in."""
    places = ", ".join(f"${n}" for n in range(2, len(ids) + 2))
    sql = f"SELECT id, name, media_type, size, digest FROM upload WHERE owner_id = $1 AND state = 'ready' AND id IN ({places})"  # noqa: S608
    return await db.rows(sql, owner_id, *ids)


async def used_since(db: Queries, owner_id: str, since: dt.datetime) -> tuple[int, int]:
    """How many uploads, and how many bytes, an owner has made since then."""
    row = await db.one(
        "SELECT count(*) AS number, sum(size) AS bytes FROM upload WHERE owner_id = $1 AND created_at >= $2", owner_id, since
    )
    return (int(row["number"]), int(row["bytes"] or 0)) if row else (0, 0)


_UNUSED = """
SELECT id FROM upload WHERE created_at < $1 AND NOT EXISTS (SELECT 1 FROM case_material m WHERE m.upload_id = upload.id)
ORDER BY created_at LIMIT $2
"""


async def unused(db: Queries, before: dt.datetime, limit: int) -> list[str]:
    """Ids of uploads older than `before` that no case has."""
    return [str(row["id"]) for row in await db.rows(_UNUSED, before, limit)]


async def delete_unused(db: Queries, upload_id: str) -> bool:
    """Forget an upload unless a case took it meanwhile."""
    sql = "DELETE FROM upload WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM case_material m WHERE m.upload_id = $1) RETURNING id"
    return bool(await db.rows(sql, upload_id))
