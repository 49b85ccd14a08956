"""What became of messages that a department posted: for the answer that it gets at once."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Queries


async def reasons(db: Queries, department: str, message_ids: Sequence[str]) -> dict[str, str]:
    """Why messages were set aside: id (or digest of the bytes) -> reason. One that an officer has replayed is no longer among them."""
    wanted = sorted(set(message_ids))
    if not wanted:
        return {}
    places = ", ".join(f"${n}" for n in range(2, 2 + len(wanted)))
    rows = await db.rows(
        f"SELECT message_id, reason FROM set_aside WHERE department = $1 AND message_id IN ({places}) "  # noqa: S608 - placeholders only
        "AND (settled_how IS NULL OR settled_how = 'skipped')",
        department,
        *wanted,
    )
    return {row["message_id"]: row["reason"] for row in rows}
