"""Cases: the row, its events, materials and tasks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from storage.database import Queries, Row, Transaction
from storage.rows import flat, places

_COLUMNS = (
    "id, number, resident_id, item_code, item_version, department, area, state, version, events, form_sealed, card, correction, "
    "decision, reason, receipt_version, created_at, updated_at, submitted_at, accepted_at, decided_at, completed_at, "
    "promised_on, legal_on, is_provisional, umbrella_id, priority, corrections, is_owing, is_by_agent"
)
_INSERT = f"INSERT INTO cases ({_COLUMNS}) VALUES ({', '.join(f'${n}' for n in range(1, 31))})"  # noqa: S608 - constants only
_NAMES = tuple(_COLUMNS.replace(" ", "").split(","))
_CHANGEABLE = tuple(name for name in _NAMES if name not in {"id", "resident_id", "item_code", "version", "created_at"})
_SAVE = (
    "UPDATE cases SET "  # noqa: S608 - constants only
    + ", ".join(f"{name} = ${n}" for n, name in enumerate(_CHANGEABLE, start=2))
    + " WHERE id = $1"
)


def topic(case_id: str) -> str:
    """The bell topic that sounds when a case has changed."""
    return f"case:{case_id}"


async def insert(tx: Transaction, row: Mapping[str, object]) -> None:
    """A new case row; `row` has every column."""
    await tx.execute(_INSERT, *(row[name] for name in _NAMES))


async def take(tx: Transaction, case_id: str) -> Row | None:
    """Lock a case for change and count its version up; the row as it now stands, or None."""
    return await tx.one(f"UPDATE cases SET version = version + 1 WHERE id = $1 RETURNING {_COLUMNS}", case_id)  # noqa: S608


async def hold(tx: Transaction, case_id: str) -> Row | None:
    """Lock a case without changing it: its version stays, so that pages which show it stay good."""
    return await tx.one(f"UPDATE cases SET version = version WHERE id = $1 RETURNING {_COLUMNS}", case_id)  # noqa: S608 - constants only


async def save(tx: Transaction, row: Mapping[str, object]) -> None:
    """Write the changed columns of a case taken before."""
    await tx.execute(_SAVE, row["id"], *(row[name] for name in _CHANGEABLE))


async def by_id(db: Queries, case_id: str) -> Row | None:
    """One case row."""
    return await db.one(f"SELECT {_COLUMNS} FROM cases WHERE id = $1", case_id)  # noqa: S608


async def by_number(db: Queries, number: str) -> Row | None:
    """One case row by its case number."""
    return await db.one(f"SELECT {_COLUMNS} FROM cases WHERE number = $1", number)  # noqa: S608


def _one_of(states: Sequence[str], first: int) -> str:
    return ", ".join(f"${n}" for n in range(first, first + len(states)))


_OF_MAKER = f"SELECT {_COLUMNS} FROM cases WHERE resident_id = $1"  # noqa: S608 - constants only
_OF_PRINCIPAL = f"SELECT {_COLUMNS} FROM cases WHERE id IN (SELECT case_id FROM case_agent WHERE principal_id = $1)"  # noqa: S608
_NOT_WAITING = " AND (state <> 'draft' OR umbrella_id IS NULL)"
"""A part of a bundle whose turn has not come is shown with its bundle."""


async def of_resident(db: Queries, resident_id: str, states: Sequence[str], before: str | None, limit: int) -> list[Row]:
    """The cases a resident made, and those others made for him, newest first, from below id `before`."""
    rest = f" AND id < $2{_NOT_WAITING}" + (f" AND state IN ({_one_of(states, 4)})" if states else "") + " ORDER BY id DESC LIMIT $3"
    # Each half reads an index of its own from the end; an OR over both would read the whole table.
    halves = f"SELECT * FROM ({_OF_MAKER}{rest}) AS made UNION ALL SELECT * FROM ({_OF_PRINCIPAL}{rest}) AS for_him"  # noqa: S608
    sql = f"SELECT * FROM ({halves}) AS found ORDER BY id DESC LIMIT $3"  # noqa: S608 - constants only
    return await db.rows(sql, resident_id, before or "~", limit, *states)


async def of_umbrella(db: Queries, umbrella_id: str) -> list[Row]:
    """The cases that were applied for as one, in the order in which they were made."""
    return await db.rows(f"SELECT {_COLUMNS} FROM cases WHERE umbrella_id = $1 ORDER BY id", umbrella_id)  # noqa: S608 - constants only


_OF_DEPARTMENT = " AND (department = $n OR EXISTS (SELECT 1 FROM task WHERE task.case_id = cases.id AND task.department = $n))"


async def of_office(db: Queries, area: str, department: str | None, states: Sequence[str], after: str | None, limit: int) -> list[Row]:
    """Cases that an office works on, oldest first, from above id `after`; `department` None = every department."""
    sql = f"SELECT {_COLUMNS} FROM cases WHERE area = $1 AND id > $2 AND state IN ({_one_of(states, 4)})"  # noqa: S608 - constants only
    arguments: list[object] = [area, after or "", limit, *states]
    if department is not None:
        arguments.append(department)
        sql += _OF_DEPARTMENT.replace("$n", f"${len(arguments)}")
    return await db.rows(sql + " ORDER BY id LIMIT $3", *arguments)


async def add_events(tx: Transaction, rows: Sequence[Sequence[object]]) -> None:
    """Event rows: (id, case, seq, type, actor kind, actor id, organisation, time, reason, data, digest)."""
    columns = "id, case_id, seq, type, actor_kind, actor_id, organisation, occurred_at, reason, data, digest"
    await _insert_all(tx, "case_event", columns, rows)


async def events(db: Queries, case_id: str, after: int = 0, limit: int = 1000, without: Sequence[str] = ()) -> list[Row]:
    """A case's events in order, from above number `after`, those of the types `without` left out."""
    others = f"AND type NOT IN ({_one_of(without, 4)}) " if without else ""
    return await db.rows(
        "SELECT id, seq, type, actor_kind, actor_id, organisation, occurred_at, reason, data FROM case_event "  # noqa: S608 - placeholders
        f"WHERE case_id = $1 AND seq > $2 {others}ORDER BY seq LIMIT $3",
        case_id,
        after,
        limit,
        *without,
    )


async def has_acted(db: Queries, case_id: str, actor_id: str, types: Sequence[str]) -> bool:
    """Whether a member of staff did one of these acts in a case."""
    sql = "SELECT id FROM case_event WHERE case_id = $1 AND actor_kind = 'staff' AND actor_id = $2"
    return await db.one(f"{sql} AND type IN ({_one_of(types, 3)}) LIMIT 1", case_id, actor_id, *types) is not None


_UNANSWERED = "SELECT case_id FROM task WHERE step = 'accept' AND state IN ('requested', 'in_progress') AND requested_at < $1 LIMIT $2"
_UNCORRECTED = "SELECT case_id FROM task WHERE step = 'accept' AND state = 'correction' AND due_on < $1 LIMIT $2"


async def unanswered(db: Queries, before: dt.datetime, limit: int) -> list[str]:
    """Ids of cases whose papers came in before a moment, with neither acceptance nor correction notice."""
    return [str(row["case_id"]) for row in await db.rows(_UNANSWERED, before, limit)]


async def uncorrected(db: Queries, today: dt.date, limit: int) -> list[str]:
    """Ids of cases whose correction should have come in before today."""
    return [str(row["case_id"]) for row in await db.rows(_UNCORRECTED, today, limit)]


async def set_materials(tx: Transaction, case_id: str, rows: Sequence[Sequence[object]], *, fresh: bool) -> None:
    """Replace what was handed in: rows of (case, material, position, source, upload or None)."""
    if not fresh:
        await tx.execute("DELETE FROM case_material WHERE case_id = $1", case_id)
    await _insert_all(tx, "case_material", "case_id, material, position, source, upload_id", rows)


_TASKS = "SELECT * FROM task WHERE case_id = $1 ORDER BY CASE step WHEN 'accept' THEN 0 WHEN 'review' THEN 1 ELSE 2 END, position"


async def tasks(db: Queries, case_id: str) -> list[Row]:
    """Every task of a case in the order of its steps."""
    return await db.rows(_TASKS, case_id)


_TASK = (
    "id", "case_id", "department", "step", "position", "action", "state", "result", "opinion", "due_on",
    "created_at", "requested_at", "answered_at", "deemed_on", "answered_by",
)  # fmt: skip


async def case_of_task(db: Queries, task_id: str) -> str | None:
    """The id of the case that a task is part of."""
    row = await db.one("SELECT case_id FROM task WHERE id = $1", task_id)
    return str(row["case_id"]) if row else None


async def add_tasks(tx: Transaction, rows: Iterable[Mapping[str, object]]) -> None:
    """New tasks; each row has every column."""
    await _insert_all(tx, "task", ", ".join(_TASK), [[row[name] for name in _TASK] for row in rows])


async def save_task(tx: Transaction, row: Mapping[str, object]) -> None:
    """Write what may change of a task."""
    await tx.execute(
        "UPDATE task SET state = $2, result = $3, opinion = $4, due_on = $5, requested_at = $6, answered_at = $7, deemed_on = $8,"
        " answered_by = $9 WHERE id = $1",
        *(row[name] for name in ("id", "state", "result", "opinion", "due_on", "requested_at", "answered_at", "deemed_on", "answered_by")),
    )


async def add_evaluation(tx: Transaction, row: Sequence[object]) -> bool:
    """A rating: (id, case, item, department, level, tags, text, time); False if the case has one."""
    sql = (
        "INSERT INTO evaluation (id, case_id, item_code, department, level, tags, text, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (case_id) DO NOTHING RETURNING id"
    )
    return bool(await tx.rows(sql, *row))


async def stale_drafts(db: Queries, before: dt.datetime, limit: int) -> list[str]:
    """Ids of drafts untouched since `before`; a part of a bundle waits for its turn, however long."""
    sql = "SELECT id FROM cases WHERE state = 'draft' AND umbrella_id IS NULL AND updated_at < $1 ORDER BY id LIMIT $2"
    rows = await db.rows(sql, before, limit)
    return [str(row["id"]) for row in rows]


async def _insert_all(tx: Transaction, table: str, columns: str, rows: Sequence[Sequence[object]]) -> None:
    if rows:
        await tx.execute(f"INSERT INTO {table} ({columns}) VALUES {places(rows)}", *flat(rows))  # noqa: S608 - placeholders only
