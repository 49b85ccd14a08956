"""Electronic supervision: when to look at what next, and the facts that a look needs; a sweep reads what is due, never what is open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from storage.database import Queries, Row, Transaction

Look = tuple[str, str, str, dt.datetime]
"""Object kind, object id, case id, and the moment of the next look."""

_DUE = "SELECT object_kind, object_id, case_id, look_at FROM supervision_due WHERE look_at <= $1 ORDER BY look_at LIMIT $2"

# What is planned, what has given a card, and whether the certificate is out: in one question.
_KNOWN = """
SELECT 'due' AS what, case_id, object_kind, object_id, look_at, NULL AS rule FROM supervision_due WHERE case_id IN ({0})
UNION ALL
SELECT 'card', case_id, object_kind, object_id, NULL, rule FROM supervision_card WHERE case_id IN ({0})
UNION ALL
SELECT 'certificate', case_id, '', id, NULL, NULL FROM case_event WHERE type = 'certificate_issued' AND case_id IN ({0})
"""
_TASKS = "SELECT id, case_id, department, step, action, state, due_on, requested_at FROM task WHERE case_id IN ({}) ORDER BY position, id"
_CASES = """
SELECT cases.id, number, item_code, item_version, cases.department, area, state, card, decision, submitted_at, accepted_at, decided_at,
    claim.staff_id
FROM cases LEFT JOIN claim ON claim.case_id = cases.id AND claim.department = cases.department WHERE cases.id IN ({})
"""
_INSERT = "INSERT INTO supervision_due (object_kind, object_id, case_id, look_at) VALUES ($1, $2, $3, $4) "
_PLAN = _INSERT + "ON CONFLICT (object_kind, object_id) DO UPDATE SET look_at = excluded.look_at"
_ADD = _INSERT + "ON CONFLICT DO NOTHING"
_MOVE = "UPDATE supervision_due SET look_at = $4 WHERE object_kind = $1 AND object_id = $2 AND look_at = $3 RETURNING object_id"
_END = "DELETE FROM supervision_due WHERE object_kind = $1 AND object_id = $2 AND look_at = $3 RETURNING object_id"
_AHEAD = """
SELECT due.object_kind, due.object_id, due.case_id, due.look_at FROM supervision_due AS due JOIN cases ON cases.id = due.case_id
WHERE due.look_at > $1 AND due.look_at <= $2 AND cases.area = $3
"""
_TO_PLAN = """
SELECT id FROM cases WHERE id > $1 AND (state IN ('submitted', 'accepted', 'in_review', 'forwarded', 'decided', 'delivering')
    OR EXISTS (SELECT 1 FROM supervision_due WHERE case_id = cases.id)) ORDER BY id LIMIT $2
"""


async def due(db: Queries, now: dt.datetime, limit: int) -> list[Row]:
    """What is to be looked at by now, the longest due first: object_kind, object_id, case_id, look_at."""
    return await db.rows(_DUE, now, limit)


async def ahead(db: Queries, now: dt.datetime, to: dt.datetime, area: str, department: str | None, limit: int) -> list[Row]:
    """What will be looked at between now and `to`, the soonest first; `department` None = every lead department."""
    only = " AND cases.department = $5" if department is not None else ""
    more = [] if department is None else [department]
    return await db.rows(f"{_AHEAD}{only} ORDER BY due.look_at, due.object_id LIMIT $4", now, to, area, limit, *more)


async def known(db: Queries, case_ids: Sequence[str]) -> list[Row]:
    """What supervision knows of these cases; `what` is due, card or certificate."""
    return await db.rows(_KNOWN.format(_list(case_ids)), *case_ids)


async def cases(db: Queries, case_ids: Sequence[str]) -> list[Row]:
    """The case rows, with the officer who works on each, as far as supervision looks at them."""
    return await db.rows(_CASES.format(_list(case_ids)), *case_ids)


async def tasks(db: Queries, case_ids: Sequence[str]) -> list[Row]:
    """The tasks of these cases."""
    return await db.rows(_TASKS.format(_list(case_ids)), *case_ids)


async def to_plan(db: Queries, after: str, limit: int) -> list[str]:
    """Cases with anything under supervision, by id, from above `after`."""
    return [str(row["id"]) for row in await db.rows(_TO_PLAN, after, limit)]


async def plan(tx: Transaction, look: Look) -> None:
    """Note when to look at an object; one moment an object."""
    await tx.execute(_PLAN, *look)


async def forget(tx: Transaction, kind: str, object_id: str) -> None:
    """This object needs no look any more."""
    await tx.execute("DELETE FROM supervision_due WHERE object_kind = $1 AND object_id = $2", kind, object_id)


async def replan(db: Queries, look: tuple[str, str, str, dt.datetime | None], former: dt.datetime | None) -> None:
    """Put a look where a new plan has it, or drop it, if it still is where it was when the plan was made."""
    kind, object_id, case_id, moment = look
    if former is None:
        await db.execute(_ADD, kind, object_id, case_id, moment)
    elif moment is None:
        await db.execute(_END, kind, object_id, former)
    else:
        await db.execute(_MOVE, kind, object_id, former, moment)


async def move(tx: Transaction, due: Mapping[str, object], look_at: dt.datetime | None) -> bool:
    """Take a look upon this transaction and note the next; False if the case has changed, or another process was first."""
    key = (due["object_kind"], due["object_id"], due["look_at"])
    return bool(await (tx.rows(_END, *key) if look_at is None else tx.rows(_MOVE, *key, look_at)))


async def planned_with(db: Queries) -> int | None:
    """The fingerprint of what all looks were last planned with."""
    row = await db.one("SELECT value FROM counter WHERE name = 'supervision-plan'")
    return int(row["value"]) if row else None


async def plan_with(db: Queries, fingerprint: int) -> None:
    """Keep the fingerprint of what all looks are planned with now."""
    sql = "INSERT INTO counter (name, value) VALUES ('supervision-plan', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    await db.execute(sql, fingerprint)


def _list(values: Sequence[object]) -> str:
    return ", ".join(f"${n}" for n in range(1, len(values) + 1))
