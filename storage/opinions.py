"""The opinions of departments in a parallel review: whose silence counts as agreement by now."""

from __future__ import annotations

import datetime as dt

from storage.database import Queries, Row

_SILENT = """
SELECT id, case_id FROM task WHERE deemed_on <= $1 AND deemed_on IS NOT NULL AND state IN ('requested', 'in_progress')
ORDER BY deemed_on, id LIMIT $2
"""


async def silent(db: Queries, today: dt.date, limit: int) -> list[Row]:
    """Tasks (id, case_id) of departments that have said nothing for so long that they agree, the longest silent first."""
    return await db.rows(_SILENT, today, limit)
