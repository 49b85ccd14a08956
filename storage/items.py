"""Published versions of service items: written once, never changed (table item_version)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from storage.database import Queries

_ATTEMPTS = 5


async def publish(db: Queries, items: Sequence[tuple[str, str, bytes]], now: dt.datetime) -> dict[str, int]:
    """Keep each (code, digest, JSON body) as a version of its own unless it already is one; the version number of each code.

    Several processes may do this at once, even with different contents: one number never gets two bodies.
    """
    for _ in range(_ATTEMPTS):
        known = await _known(db)
        missing = [one for one in items if (one[0], one[1]) not in known]
        if not missing:
            return {code: known[code, digest] for code, digest, _ in items}
        for code, digest, body in missing:
            await _add(db, code, digest, body, now)
    message = "another process keeps publishing other versions of the same items; stop one of the two"
    raise RuntimeError(message)


async def version_of(db: Queries, code: str, version: int) -> bytes | None:
    """The JSON body of one published version, or None."""
    row = await db.one("SELECT body FROM item_version WHERE code = $1 AND version = $2", code, version)
    return None if row is None else str(row["body"]).encode()


async def _known(db: Queries) -> dict[tuple[str, str], int]:
    rows = await db.rows("SELECT code, digest, version FROM item_version")
    return {(row["code"], row["digest"]): row["version"] for row in rows}


async def _add(db: Queries, code: str, digest: str, body: bytes, now: dt.datetime) -> None:
    # The code is given twice: PostgreSQL finds another type for it in each of its two places.
    await db.execute(
        "INSERT INTO item_version (code, version, digest, body, published_at) VALUES"
        " ($1, (SELECT COALESCE(MAX(version), 0) + 1 FROM item_version WHERE code = $2), $3, $4, $5) ON CONFLICT DO NOTHING",
        code,
        code,
        digest,
        body.decode(),
        now,
    )
