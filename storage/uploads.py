"""Uploads: what was handed in, by whom, how far its check has come, and the wrapped key of the file.

A row is there before any byte of it is kept, so that whatever a crash leaves behind has a row to be found by. `scanning` without a
key is being received, with a key it waits for its check; only `ready` may be handed in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from storage.database import Queries, Row


async def begin(db: Queries, upload_id: str, owner_id: str, name: str, at: dt.datetime) -> None:
    """A new upload, of which nothing is here yet."""
    sql = "INSERT INTO upload (id, owner_id, state, name, created_at) VALUES ($1, $2, 'scanning', $3, $4)"
    await db.execute(sql, upload_id, owner_id, name, at)


async def received(db: Queries, upload_id: str, size: int, key_version: int, key_wrapped: bytes) -> None:
    """All of it is here, unchecked, sealed with this key."""
    sql = "UPDATE upload SET size = $2, key_version = $3, key_wrapped = $4 WHERE id = $1 AND state = 'scanning'"
    await db.execute(sql, upload_id, size, key_version, key_wrapped)


_READY = """
UPDATE upload SET state = 'ready', name = $2, media_type = $3, size = $4, pages = $5, digest = $6
WHERE id = $1 AND state = 'scanning' RETURNING *
"""


async def ready(db: Queries, upload_id: str, name: str, media_type: str, size: int, pages: int, digest: str) -> Row | None:
    """Its clean file is kept; None if the row was settled or forgotten meanwhile."""
    return await db.one(_READY, upload_id, name, media_type, size, pages, digest)


async def refuse(db: Queries, upload_id: str, code: str) -> None:
    """It cannot be taken; its key goes with it."""
    sql = "UPDATE upload SET state = 'refused', refusal = $2, key_version = 0, key_wrapped = NULL WHERE id = $1 AND state = 'scanning'"
    await db.execute(sql, upload_id, code)


async def by_id(db: Queries, upload_id: str) -> Row | None:
    """One upload row."""
    return await db.one("SELECT * FROM upload WHERE id = $1", upload_id)


async def ready_of_owner(db: Queries, owner_id: str, ids: Sequence[str]) -> list[Row]:
    """Those of the named uploads that are this owner's and ready to be handed in."""
    places = ", ".join(f"${n}" for n in range(2, len(ids) + 2))
    sql = f"SELECT id, name, media_type, size, digest FROM upload WHERE owner_id = $1 AND state = 'ready' AND id IN ({places})"  # noqa: S608
    return await db.rows(sql, owner_id, *ids)


async def used_since(db: Queries, owner_id: str, since: dt.datetime) -> tuple[int, int]:
    """How many uploads, and how many bytes, an owner has begun since then, refused ones too."""
    row = await db.one(
        "SELECT count(*) AS number, sum(size) AS bytes FROM upload WHERE owner_id = $1 AND created_at >= $2", owner_id, since
    )
    return (int(row["number"]), int(row["bytes"] or 0)) if row else (0, 0)


async def waiting(db: Queries, before: dt.datetime, limit: int) -> list[Row]:
    """Uploads received before this moment whose check is still to be done, the oldest first."""
    sql = "SELECT * FROM upload WHERE state = 'scanning' AND key_wrapped IS NOT NULL AND created_at < $1 ORDER BY created_at LIMIT $2"
    return await db.rows(sql, before, limit)


# A paper that was replaced by a correction stays as long as a department may still fetch it.
_NO_USE = """
NOT EXISTS (SELECT 1 FROM case_material m WHERE m.upload_id = upload.id)
AND NOT EXISTS (SELECT 1 FROM file_grant g WHERE g.upload_id = upload.id)
AND NOT EXISTS (SELECT 1 FROM proxy p WHERE p.upload_id = upload.id)
"""


async def unused(db: Queries, before: dt.datetime, limit: int) -> list[str]:
    """Ids of uploads older than `before` that no case and no authority has and no department may fetch."""
    sql = f"SELECT id FROM upload WHERE created_at < $1 AND {_NO_USE} ORDER BY created_at LIMIT $2"  # noqa: S608 - a constant
    return [str(row["id"]) for row in await db.rows(sql, before, limit)]


async def delete_unused(db: Queries, upload_id: str) -> bool:
    """Forget an upload unless a case or an authority took it meanwhile."""
    return bool(await db.rows(f"DELETE FROM upload WHERE id = $1 AND {_NO_USE} RETURNING id", upload_id))  # noqa: S608 - a constant
