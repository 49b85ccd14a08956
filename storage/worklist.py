"""What waits at which desk: one row a part of a case, read in the order of its urgency at the cost of what is shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.database import Queries, Row, Transaction
from storage.rows import flat, places

_COLUMNS = ("case_id", "department", "area", "item_code", "state", "step", "is_lead", "urgency", "due_on")
_CHANGING = ", ".join(f"{name} = excluded.{name}" for name in ("state", "step", "is_lead", "due_on"))
# The level is the sweep's of supervision; what is written here counts without a card.
_KEEP = (
    f"INSERT INTO desk_task ({', '.join(_COLUMNS)}) VALUES {{}} "  # noqa: S608 - constants only
    f"ON CONFLICT (case_id, department) DO UPDATE SET {_CHANGING}, urgency = excluded.urgency - desk_task.level"
)
_RATE = """
UPDATE desk_task SET level = now.level, urgency = desk_task.urgency + desk_task.level - now.level FROM (
    SELECT one.case_id, one.department,
        COALESCE(MAX(CASE card.level WHEN 'red' THEN 3 WHEN 'yellow' THEN 2 WHEN 'warning' THEN 1 END), 0) AS level
    FROM desk_task AS one LEFT JOIN supervision_card AS card ON card.case_id = one.case_id AND card.department = one.department
        AND card.state IN ('pending', 'issued', 'supervised')
    WHERE one.case_id IN ({}) GROUP BY one.case_id, one.department
) AS now WHERE desk_task.case_id = now.case_id AND desk_task.department = now.department AND desk_task.level <> now.level
"""
_SHOWN = (
    "SELECT found.*, cases.id, cases.number, cases.version, cases.item_version, cases.priority, cases.submitted_at, cases.promised_on, "
    "cases.is_by_agent, cases.card, "
    "claim.staff_id AS holder_id, claim.until_at, claim.assigned_by, staff.name AS holder_name FROM ({}) AS found "
    "JOIN cases ON cases.id = found.case_id "
    "LEFT JOIN claim ON claim.case_id = found.case_id AND claim.department = found.department "
    "LEFT JOIN staff ON staff.id = claim.staff_id"
)
_PART = ", ".join(f"desk_task.{name}" for name in (*_COLUMNS[:2], *_COLUMNS[3:], "level"))
_ORDER, _LATE_ORDER = "urgency, due_on, case_id", "due_on, case_id"
_OF_CLAIM = "FROM claim JOIN desk_task ON desk_task.case_id = claim.case_id AND desk_task.department = claim.department"
_NOT_FREE = "SELECT 1 FROM claim WHERE claim.case_id = desk_task.case_id AND claim.department = desk_task.department"

Place = tuple[int, dt.date, str]
"""Where a page ended: urgency, day, case id."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which parts: `department` None = the lead departments' parts of the whole area. "" and None leave a filter out.

    `staff_id` is who asks: what was given to him comes by `given`, not by `waiting`. `late_on`: only what was due before this day.
    """

    area: str
    department: str | None
    staff_id: str
    now: dt.datetime
    steps: Sequence[str]
    state: str = ""
    item: str = ""
    late_on: dt.date | None = None
    free: bool = False


class _Values:
    """Arguments of a statement, each in the place where it is named."""

    def __init__(self) -> None:
        self.given: list[object] = []

    def add(self, value: object) -> str:
        self.given.append(value)
        return f"${len(self.given)}"


_OF_CASE = (
    "SELECT desk_task.*, claim.staff_id AS holder_id FROM desk_task LEFT JOIN claim ON claim.case_id = desk_task.case_id "
    "AND claim.department = desk_task.department WHERE desk_task.case_id = $1"
)


async def of_case(db: Queries, case_id: str) -> list[Row]:
    """The parts of a case that wait at a desk, each with who holds it, whether his lease has lapsed or not (None = nobody)."""
    return await db.rows(_OF_CASE, case_id)


async def part(db: Queries, case_id: str, department: str) -> Row | None:
    """One department's part."""
    return await db.one("SELECT * FROM desk_task WHERE case_id = $1 AND department = $2", case_id, department)


async def keep(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    """Write parts as they stand; `urgency` is counted without a card."""
    if rows:
        values = [[row[name] for name in _COLUMNS] for row in rows]
        await tx.execute(_KEEP.format(places(values)), *flat(values))


async def drop(tx: Transaction, case_id: str, department: str) -> None:
    """Nothing waits at this desk any more."""
    await tx.execute("DELETE FROM desk_task WHERE case_id = $1 AND department = $2", case_id, department)


async def rate(tx: Transaction, case_ids: Sequence[str]) -> None:
    """Move these cases to the place that their supervision cards give them."""
    if case_ids:
        await tx.execute(_RATE.format(", ".join(f"${n}" for n in range(1, len(case_ids) + 1))), *case_ids)


async def waiting(db: Queries, wanted: Wanted, after: Place | None, limit: int) -> list[Row]:
    """What waits, the most urgent first, from behind `after`."""
    sql, values = statement(wanted, after, limit)
    return await db.rows(sql, *values)


def statement(wanted: Wanted, after: Place | None, limit: int) -> tuple[str, list[object]]:
    """The SQL of a page and its values: each step is read by itself from an index in its order, and the pages are merged."""
    values = _Values()
    steps = [_of_step(wanted, step, after, limit, values) for step in wanted.steps]
    found = " UNION ALL ".join(f"SELECT * FROM ({part}) AS part_{n}" for n, part in enumerate(steps))  # noqa: S608 - placeholders only
    return _page(f"SELECT * FROM ({found}) AS steps", wanted, limit, values)  # noqa: S608 - placeholders only


async def held(db: Queries, wanted: Wanted, after: Place | None, limit: int, *, given: bool) -> list[Row]:
    """What somebody holds, the most urgent first: `given` to him by others, also when the lease has run out, or else claimed by himself."""
    values = _Values()
    whose = f"claim.staff_id = {values.add(wanted.staff_id)} AND {_reach(wanted, values)}"
    kind = "claim.assigned_by IS NOT NULL" if given else f"claim.assigned_by IS NULL AND claim.until_at > {values.add(wanted.now)}"
    found = f"SELECT {_PART} {_OF_CLAIM} WHERE {whose} AND {kind}{_filters(wanted, values)}{_behind(wanted, after, values)}"
    sql, arguments = _page(found, wanted, limit, values)
    return await db.rows(sql, *arguments)


def _page(found: str, wanted: Wanted, limit: int, values: _Values) -> tuple[str, list[object]]:
    """The page is cut before it is joined with what is shown beside it: a planner that expects more rows would read whole tables."""
    order = _LATE_ORDER if wanted.late_on else _ORDER
    page = f"SELECT * FROM ({found}) AS page ORDER BY {order} LIMIT {values.add(limit)}"  # noqa: S608 - placeholders only
    return f"{_SHOWN.format(page)} ORDER BY {order.replace('case_id', 'found.case_id')}", values.given


def _of_step(wanted: Wanted, step: str, after: Place | None, limit: int, values: _Values) -> str:
    where = f"{_reach(wanted, values)} AND desk_task.step = {values.add(step)}"
    where += _filters(wanted, values)
    mine = f"{_NOT_FREE} AND claim.staff_id = {values.add(wanted.staff_id)} AND claim.assigned_by IS NOT NULL"
    where += f" AND NOT EXISTS ({mine})"
    if wanted.free:
        where += f" AND NOT EXISTS ({_NOT_FREE} AND claim.until_at > {values.add(wanted.now)})"
    order = _LATE_ORDER if wanted.late_on else _ORDER
    return f"SELECT {_PART} FROM desk_task WHERE {where}{_behind(wanted, after, values)} ORDER BY {order} LIMIT {values.add(limit)}"  # noqa: S608


def _reach(wanted: Wanted, values: _Values) -> str:
    area = f"desk_task.area = {values.add(wanted.area)}"
    return f"{area} AND " + (
        "desk_task.is_lead" if wanted.department is None else f"desk_task.department = {values.add(wanted.department)}"
    )


def _filters(wanted: Wanted, values: _Values) -> str:
    more = ""
    if wanted.state:
        more += f" AND desk_task.state = {values.add(wanted.state)}"
    if wanted.item:
        more += f" AND desk_task.item_code = {values.add(wanted.item)}"
    if wanted.late_on:
        more += f" AND desk_task.due_on < {values.add(wanted.late_on)}"
    return more


def _behind(wanted: Wanted, after: Place | None, values: _Values) -> str:
    if after is None:
        return ""
    urgency, due_on, case_id = after
    if wanted.late_on:
        return f" AND (desk_task.due_on, desk_task.case_id) > ({values.add(due_on)}, {values.add(case_id)})"
    place = f"{values.add(urgency)}, {values.add(due_on)}, {values.add(case_id)}"
    return f" AND (desk_task.urgency, desk_task.due_on, desk_task.case_id) > ({place})"
