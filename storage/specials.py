"""Special procedures: steps outside the limits of a case, each with a limit of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from storage.database import Queries, Row, Transaction

_COLUMNS = ("id", "case_id", "task_id", "department", "name", "basis", "reason", "began_at", "due_on", "told_at")
_BEGIN = (
    f"INSERT INTO special_procedure ({', '.join(_COLUMNS)}) "  # noqa: S608 - constants only
    f"VALUES ({', '.join(f'${n}' for n in range(1, len(_COLUMNS) + 1))})"
)


async def begin(tx: Transaction, row: Mapping[str, object]) -> None:
    """A procedure begins; `row` has every column but how it ended."""
    await tx.execute(_BEGIN, *(row[name] for name in _COLUMNS))


async def end(tx: Transaction, procedure_id: str, at: dt.datetime, result: str | None) -> None:
    """A procedure is over; one that is over already stays as it was."""
    await tx.execute("UPDATE special_procedure SET ended_at = $2, result = $3 WHERE id = $1 AND ended_at IS NULL", procedure_id, at, result)


async def of_case(db: Queries, case_id: str) -> list[Row]:
    """Every procedure of a case, in the order in which they began."""
    return await db.rows("SELECT * FROM special_procedure WHERE case_id = $1 ORDER BY began_at, id", case_id)
