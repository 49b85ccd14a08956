"""Supervision cards (电子监察): kept for ever, also when they are revoked; one for each object, level and rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.database import Queries, Row, Transaction
from storage.rows import flat, places

_NEW = (
    "id", "object_kind", "object_id", "case_id", "item_code", "department", "area", "staff_id", "level", "rule", "rule_version",
    "text", "state", "earned_at", "issued_at", "issued_by", "feedback_due_on",
)  # fmt: skip
_INSERT = f"INSERT INTO supervision_card ({', '.join(_NEW)}) VALUES {{}} ON CONFLICT DO NOTHING RETURNING id"  # noqa: S608 - constants only
_FILTERS = {
    "level": "level = {}",
    "state": "state = {}",
    "department": "department = {}",
    "kind": "object_kind = {}",
    "since": "earned_at >= {}",
    "before": "earned_at < {}",
    "running": "{} = 1 AND EXISTS (SELECT 1 FROM cases WHERE cases.id = supervision_card.case_id "
    "AND (cases.state IN ('submitted', 'accepted', 'in_review', 'forwarded') OR (supervision_card.object_kind = 'delivery' "
    "AND cases.state IN ('decided', 'delivering') "
    "AND EXISTS (SELECT 1 FROM delivery WHERE delivery.case_id = cases.id AND delivery.delivered_at IS NULL)))) "
    "AND NOT EXISTS (SELECT 1 FROM supervision_card AS later WHERE later.object_kind = supervision_card.object_kind "
    "AND later.object_id = supervision_card.object_id AND later.earned_at > supervision_card.earned_at)",
    "open_appeal": "appealed_at IS NOT NULL AND appeal_result IS NULL AND state <> 'revoked' AND {} = 1",
}

_UNANSWERED = "state IN ('issued', 'supervised') AND feedback_due_on IS NOT NULL AND feedback_at IS NULL"
_TO_SETTLE = "(state = 'pending' OR (state IN ('issued', 'supervised') AND appealed_at IS NOT NULL AND appeal_result IS NULL))"
# As the index supervision_card_waiting has it, word for word: SQLite uses the index for the same words only.
_OPEN = (
    "(state = 'pending' OR (state IN ('issued', 'supervised') AND feedback_due_on IS NOT NULL AND feedback_at IS NULL) "
    "OR (state IN ('issued', 'supervised') AND appealed_at IS NOT NULL AND appeal_result IS NULL))"
)
_WAITING = """
SELECT (SELECT COUNT(*) FROM supervision_card WHERE area = $1{unit} AND {open} AND {wanted})
    + (SELECT COUNT(*) FROM desk_task JOIN supervision_card ON supervision_card.case_id = desk_task.case_id
        AND supervision_card.department = desk_task.department
        WHERE desk_task.area = $1{desk} AND desk_task.level > 0 AND supervision_card.state = 'issued'
        AND supervision_card.feedback_due_on IS NULL AND supervision_card.level IN ({levels}) AND {running}) AS waiting
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cards: "" and None leave a filter out; moments are from `since` to before `before`, by when the card was earned.

    `running` 1: of cases whose clock runs still, and the last one of its object.
    """

    level: str = ""
    state: str = ""
    department: str = ""
    kind: str = ""
    since: dt.datetime | None = None
    before: dt.datetime | None = None
    open_appeal: int = 0
    running: int = 0


async def add(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> list[str]:
    """New cards; the ids of those that did not exist yet."""
    if not rows:
        return []
    values = [[row[name] for name in _NEW] for row in rows]
    return [str(row["id"]) for row in await tx.rows(_INSERT.format(places(values)), *flat(values))]


async def by_id(db: Queries, card_id: str) -> Row | None:
    """One card."""
    return await db.one("SELECT * FROM supervision_card WHERE id = $1", card_id)


async def of_case(db: Queries, case_id: str) -> list[Row]:
    """The cards of a case, the first earned first."""
    return await db.rows("SELECT * FROM supervision_card WHERE case_id = $1 ORDER BY earned_at, id", case_id)


async def listing(db: Queries, area: str, wanted: Wanted, before: str | None, limit: int) -> list[Row]:
    """Cards of an area, the newest first, from below id `before`."""
    sql, arguments = "SELECT * FROM supervision_card WHERE area = $1 AND id < $2", [area, before or "~"]
    values: list[object] = [*arguments]
    for name, condition in _FILTERS.items():
        if value := getattr(wanted, name):
            values.append(value)
            sql += " AND " + condition.format(f"${len(values)}")
    values.append(limit)
    return await db.rows(f"{sql} ORDER BY id DESC LIMIT ${len(values)}", *values)


async def waiting(db: Queries, area: str, department: str | None, levels: Sequence[str], *, settles: bool) -> int:
    """How many cards want somebody's eye, see `waiting_statement`."""
    sql, values = waiting_statement(area, department, levels, settles=settles)
    return int((await db.rows(sql, *values))[0]["waiting"])


def waiting_statement(area: str, department: str | None, levels: Sequence[str], *, settles: bool) -> tuple[str, list[object]]:
    """Of these levels (one at least): cards to be answered, and those without an answer whose object runs still.

    For who `settles` cards also those to be confirmed, and open appeals. `department` None = every one. What is read is what is open.
    """
    values: list[object] = [area, *levels]
    told = ", ".join(f"${n}" for n in range(2, 2 + len(levels)))
    wanted = f"level IN ({told}) AND {_UNANSWERED}"
    unit = desk = ""
    if department is not None:
        values.append(department)
        unit, desk = f" AND department = ${len(values)}", f" AND desk_task.department = ${len(values)}"
    sql = _WAITING.format(
        unit=unit, desk=desk, open=_OPEN, wanted=f"({_TO_SETTLE} OR ({wanted}))" if settles else wanted, levels=told,
        running=_FILTERS["running"].format("1"),
    )  # fmt: skip
    return sql, values


async def change(tx: Transaction, card_id: str, states: Sequence[str], values: Mapping[str, object], *, unless: str = "") -> Row | None:
    """Change a card that is in one of these states and has no `unless` yet; the row as it stands then, or None."""
    places_of_states = ", ".join(f"${n}" for n in range(2, 2 + len(states)))
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, start=2 + len(states)))
    guard = f" AND {unless} IS NULL" if unless else ""
    sql = f"UPDATE supervision_card SET {sets} WHERE id = $1 AND state IN ({places_of_states}){guard} RETURNING *"  # noqa: S608 - names of ours
    return await tx.one(sql, card_id, *states, *values.values())
