"""Who works on a part of a case, and until when nobody else should: one row a part, a lease that lapses by itself."""

from __future__ import annotations

import datetime as dt

from storage.database import Queries, Row, Transaction

_WRITE = (
    "INSERT INTO claim (case_id, department, staff_id, taken_at, until_at, assigned_by) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT (case_id, department) DO UPDATE SET staff_id = excluded.staff_id, taken_at = excluded.taken_at, "
    "until_at = excluded.until_at, assigned_by = excluded.assigned_by"
)
# Who holds it already keeps the moment of the first taking, and that it was given to him.
_TAKE = (
    "INSERT INTO claim (case_id, department, staff_id, taken_at, until_at) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (case_id, department) DO UPDATE SET staff_id = excluded.staff_id, until_at = excluded.until_at, "
    "taken_at = CASE WHEN claim.staff_id = excluded.staff_id THEN claim.taken_at ELSE excluded.taken_at END, "
    "assigned_by = CASE WHEN claim.staff_id = excluded.staff_id THEN claim.assigned_by END "
    "WHERE claim.staff_id = excluded.staff_id OR claim.until_at <= $4 RETURNING until_at"
)
_OF = (
    "SELECT claim.*, staff.name AS holder_name FROM claim LEFT JOIN staff ON staff.id = claim.staff_id "
    "WHERE claim.case_id = $1 AND claim.department = $2"
)


async def take(tx: Transaction, case_id: str, department: str, staff_id: str, now: dt.datetime, until: dt.datetime) -> bool:
    """Take or keep a part until then; False while somebody else holds it."""
    return bool(await tx.rows(_TAKE, case_id, department, staff_id, now, until))


async def give(tx: Transaction, part: tuple[str, str], staff_id: str, now: dt.datetime, until: dt.datetime, by: str | None) -> None:
    """Put a part (case, department) into somebody's hands, whoever held it; `by` None = he took it himself."""
    await tx.execute(_WRITE, *part, staff_id, now, until, by)


async def of_part(db: Queries, case_id: str, department: str) -> Row | None:
    """The claim of a part with its holder's name, whether it has lapsed or not."""
    return await db.one(_OF, case_id, department)


async def renew(tx: Transaction, case_id: str, department: str, staff_id: str, until: dt.datetime) -> None:
    """The holder is at work: his lease lasts until then."""
    sql = "UPDATE claim SET until_at = $4 WHERE case_id = $1 AND department = $2 AND staff_id = $3"
    await tx.execute(sql, case_id, department, staff_id, until)


async def end(tx: Transaction, case_id: str, department: str) -> None:
    """Nobody holds the part any more."""
    await tx.execute("DELETE FROM claim WHERE case_id = $1 AND department = $2", case_id, department)
