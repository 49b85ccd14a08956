"""Cases in the order in which they were handed in, page by page, without anything personal."""

from __future__ import annotations

import datetime as dt

from storage.database import Queries, Row

_PAGE = """
SELECT cases.number, cases.item_code, cases.item_version, cases.department, cases.area, cases.state, cases.submitted_at, cases.accepted_at,
    cases.decided_at, cases.completed_at, cases.promised_on, cases.legal_on, cases.is_provisional, cases.decision, cases.corrections,
    evaluation.level AS evaluation
FROM cases LEFT JOIN evaluation ON evaluation.case_id = cases.id
WHERE cases.submitted_at >= $1 AND cases.submitted_at < $2 AND (cases.submitted_at, cases.number) > ($3, $4)
ORDER BY cases.submitted_at, cases.number LIMIT $5
"""


async def page(db: Queries, since: dt.datetime, before: dt.datetime, after: tuple[dt.datetime, str], limit: int) -> list[Row]:
    """Submitted cases of a time, behind a position (time of submission, number)."""
    return await db.rows(_PAGE, since, before, *after, limit)
