"""Notes of officers for each other, sealed; they are read by those who may see their case and by nobody else."""

from __future__ import annotations

import datetime as dt

from storage.database import Queries, Row

_SELECT = (
    "SELECT case_note.*, staff.name AS author_name, staff.department AS author_department FROM case_note "
    "LEFT JOIN staff ON staff.id = case_note.staff_id"
)
_OF_CASE = f"{_SELECT} WHERE case_note.case_id = $1 AND case_note.id < $2 ORDER BY case_note.id DESC LIMIT $3"


async def add(db: Queries, note_id: str, case_id: str, staff_id: str, text_sealed: bytes, at: dt.datetime) -> None:
    """A new note; notes are never changed."""
    sql = "INSERT INTO case_note (id, case_id, staff_id, text_sealed, written_at) VALUES ($1, $2, $3, $4, $5)"
    await db.execute(sql, note_id, case_id, staff_id, text_sealed, at)


async def of_case(db: Queries, case_id: str, before: str | None, limit: int) -> list[Row]:
    """The notes of a case with their authors' names, newest first, from below id `before`."""
    return await db.rows(_OF_CASE, case_id, before or "~", limit)


async def by_id(db: Queries, note_id: str) -> Row | None:
    """One note with its author's name."""
    return await db.one(f"{_SELECT} WHERE case_note.id = $1", note_id)
