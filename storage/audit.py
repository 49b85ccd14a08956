"""The record of acts: who did what to which object, when, and whether it was allowed. Rows are only ever added.

`data` holds identifiers and plain facts, never what a form or a certificate says.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from storage.database import Queries, Row
from storage.ids import uuid7

_INSERT = """
INSERT INTO audit (id, occurred_at, actor_kind, actor_id, action, object_kind, object_id, outcome, data)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_OF_OBJECT = """
SELECT * FROM audit WHERE object_kind = $1 AND object_id = $2 AND (occurred_at, id) < ($3, $4)
ORDER BY occurred_at DESC, id DESC LIMIT $5
"""
_END_OF_TIME = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
_LAST_ID = "z"


async def record(
    db: Queries,
    *,
    at: dt.datetime,
    actor_kind: str,
    actor_id: str,
    action: str,
    object_kind: str,
    object_id: str,
    outcome: str,
    data: Mapping[str, Any],
) -> None:
    """Add one act; within a transaction it is recorded only if the act took effect. `outcome` is e.g. done, refused, failed."""
    text = json.dumps(data, ensure_ascii=False)
    await db.execute(_INSERT, uuid7(at.timestamp()), at, actor_kind, actor_id, action, object_kind, object_id, outcome, text)


async def of_object(db: Queries, object_kind: str, object_id: str, *, before: Row | None = None, limit: int = 50) -> list[Row]:
    """What happened to an object, newest first; `before` is the last row of the page before. `data` comes as a dict."""
    time, last = (before["occurred_at"], before["id"]) if before else (_END_OF_TIME, _LAST_ID)
    found = await db.rows(_OF_OBJECT, object_kind, object_id, time, last, limit)
    return [{**row, "data": json.loads(row["data"])} for row in found]
