"""Extensions of a case's limits: asked, then granted or refused by somebody else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from storage.database import Queries, Row, Transaction


async def ask(tx: Transaction, row: Sequence[object]) -> None:
    """An extension is asked for: (id, case, days, reason, who asks, time)."""
    await tx.execute("INSERT INTO extension (id, case_id, days, reason, asked_by, asked_at) VALUES ($1, $2, $3, $4, $5, $6)", *row)


async def asked(db: Queries, case_id: str) -> Row | None:
    """The request of a case that nobody has answered yet; there is at most one."""
    sql = "SELECT * FROM extension WHERE case_id = $1 AND approved_at IS NULL AND refused_at IS NULL ORDER BY asked_at, id LIMIT 1"
    return await db.one(sql, case_id)


async def settle(tx: Transaction, extension_id: str, by: str, at: dt.datetime, *, granted: bool) -> None:
    """Answer a request; `by` is who approved or refused it."""
    column = "approved_at" if granted else "refused_at"
    await tx.execute(f"UPDATE extension SET approved_by = $2, {column} = $3 WHERE id = $1", extension_id, by, at)  # noqa: S608 - constants only
