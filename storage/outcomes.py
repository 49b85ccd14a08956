"""What finished cases are counted by, and how long they took: written once when a case ends, never changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from storage.database import Queries, Row, Transaction

_NAMES = (
    "case_id", "item_code", "department", "area", "staff_id", "audience", "received_on", "accepted_on", "ended_on", "ending",
    "promised_days", "legal_days", "used_days", "used_legal", "net_seconds", "corrections", "is_first_time",
)  # fmt: skip
_INSERT = (
    f"INSERT INTO case_outcome ({', '.join(_NAMES)}) "  # noqa: S608 - constants only
    f"VALUES ({', '.join(f'${n}' for n in range(1, len(_NAMES) + 1))}) ON CONFLICT (case_id) DO NOTHING"
)
_STEPS = "SELECT type, occurred_at, actor_kind, actor_id FROM case_event WHERE case_id = $1 ORDER BY seq"

# Nearest rank: the smallest wait that so many in a hundred did not exceed. Both databases know window functions, not both percentile_disc.
_RANKED = (
    "SELECT net_seconds, row_number() OVER (ORDER BY net_seconds) AS place, count(*) OVER () AS cases FROM case_outcome "
    "WHERE {} = $1 AND ended_on > $2 AND ended_on <= $3 AND ending IN ('granted', 'refused') AND net_seconds IS NOT NULL"
)
_WAITS = (
    "SELECT MAX(cases) AS cases, MAX(CASE WHEN place = (cases * 50 + 99) / 100 THEN net_seconds END) AS half, "
    "MAX(CASE WHEN place = (cases * 80 + 99) / 100 THEN net_seconds END) AS most FROM ({}) AS ranked"
)
_OF_ITEM, _OF_DEPARTMENT = (_WAITS.format(_RANKED.format(column)) for column in ("item_code", "department"))


async def insert(tx: Transaction, row: Mapping[str, object]) -> None:
    """The outcome of a case, with every column; a second one of the same case changes nothing."""
    await tx.execute(_INSERT, *(row[name] for name in _NAMES))


async def steps(db: Queries, case_id: str) -> list[Row]:
    """What happened in a case, in order: type, time, and who did it."""
    return await db.rows(_STEPS, case_id)


async def waits_of_item(db: Queries, item: str, after: dt.date, to: dt.date) -> Row:
    """Decided cases of an item that ended later than `after` up to `to`: `cases` of them, `half` and `most` (80 %) in net seconds."""
    return await db.one(_OF_ITEM, item, after, to) or {}


async def waits_of_department(db: Queries, department: str, after: dt.date, to: dt.date) -> Row:
    """The same of all that a department led."""
    return await db.one(_OF_DEPARTMENT, department, after, to) or {}
