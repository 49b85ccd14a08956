"""Handing over results: how each reaches its applicant, sent when, signed for by whom (table `delivery`)."""

from __future__ import annotations

from collections.abc import Mapping

from storage.database import Queries, Row, Transaction

_COLUMNS = ("method", "due_on", "carrier", "tracking", "sent_at", "delivered_at")
_SAVE = (
    f"INSERT INTO delivery (case_id, {', '.join(_COLUMNS)}, signed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "  # noqa: S608 - constants only
    f"ON CONFLICT (case_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in (*_COLUMNS, 'signed_by'))}"
)


async def save(tx: Transaction, case_id: str, values: Mapping[str, object], signed_by: str | None) -> None:
    """Write how far the delivery of a case is; its address stays."""
    await tx.execute(_SAVE, case_id, *(values[name] for name in _COLUMNS), signed_by)


async def set_address(tx: Transaction, case_id: str, sealed: bytes | None) -> None:
    """Keep the sealed address of a delivery that exists."""
    await tx.execute("UPDATE delivery SET address_sealed = $2 WHERE case_id = $1", case_id, sealed)


async def of_case(db: Queries, case_id: str) -> Row | None:
    """The delivery of a case."""
    return await db.one("SELECT * FROM delivery WHERE case_id = $1", case_id)
