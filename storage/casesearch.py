"""Finding cases: by the end of a number, a keyed fingerprint of the applicant's name, item and day of submission."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from storage.database import Queries, Row, Transaction

TAIL = 6
"""Characters of a case number that people read out: the day's sequence and the check character."""

_KEEP = (
    "INSERT INTO case_search (case_id, area, item_code, number_tail, applicant_hash, received_on) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT (case_id) DO UPDATE SET applicant_hash = excluded.applicant_hash"
)
_FOUND = "SELECT cases.*, case_search.received_on FROM case_search JOIN cases ON cases.id = case_search.case_id WHERE case_search.area = $1"
_OF_DEPARTMENT = " AND (cases.department = {0} OR EXISTS (SELECT 1 FROM task WHERE task.case_id = cases.id AND task.department = {0}))"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: "" and None leave a filter out; `department` None = every department."""

    area: str
    department: str | None
    number: str = ""
    tail: str = ""
    applicant_hash: str = ""
    item: str = ""
    since: dt.date | None = None
    until: dt.date | None = None


_FILTERS = {
    "number": "cases.number = {}",
    "tail": "case_search.number_tail = {}",
    "applicant_hash": "case_search.applicant_hash = {0} AND case_search.applicant_hash <> ''",
    "item": "case_search.item_code = {}",
    "since": "case_search.received_on >= {}",
    "until": "case_search.received_on <= {}",
}


async def keep(tx: Transaction, case_id: str, area: str, item: str, number: str, applicant_hash: str, received_on: dt.date) -> None:
    """Make a case findable, or follow its applicant's name."""
    await tx.execute(_KEEP, case_id, area, item, number[-TAIL:], applicant_hash, received_on)


async def find(db: Queries, wanted: Wanted, before: tuple[dt.date, str] | None, limit: int) -> list[Row]:
    """Cases that fit, the latest submitted first, from behind (day, case id)."""
    sql, values = _FOUND, [wanted.area]
    arguments: list[object] = [*values]
    for name, condition in _FILTERS.items():
        if value := getattr(wanted, name):
            arguments.append(value)
            sql += " AND " + condition.format(f"${len(arguments)}")
    if wanted.department is not None:
        arguments.append(wanted.department)
        sql += _OF_DEPARTMENT.format(f"${len(arguments)}")
    if before is not None:
        arguments += before
        sql += f" AND (case_search.received_on, case_search.case_id) < (${len(arguments) - 1}, ${len(arguments)})"
    arguments.append(limit)
    return await db.rows(f"{sql} ORDER BY case_search.received_on DESC, case_search.case_id DESC LIMIT ${len(arguments)}", *arguments)
