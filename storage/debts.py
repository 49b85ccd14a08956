"""Papers that may follow a case: owed, tolerated as missing, or promised; and the ledger that officers keep of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from storage.database import Queries, Row, Transaction
from storage.rows import flat, places

_COLUMNS = ("id", "material", "kind", "text_version", "signed_at", "due_on", "reminded_at", "settled_at", "lapsed_at", "result", "note")
_CHANGING = ("id", "kind", "text_version", "signed_at", "due_on", "reminded_at", "settled_at", "lapsed_at", "result", "note")


async def save(tx: Transaction, case_id: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Write the papers of a case as they stand; there is one row a material."""
    if not rows:
        return
    values = [[case_id, *(row[name] for name in _COLUMNS)] for row in rows]
    changes = ", ".join(f"{name} = excluded.{name}" for name in _CHANGING)
    await tx.execute(
        f"INSERT INTO debt (case_id, {', '.join(_COLUMNS)}) VALUES {places(values)} "  # noqa: S608 - constants only
        f"ON CONFLICT (case_id, material) DO UPDATE SET {changes}",
        *flat(values),
    )


async def of_case(db: Queries, case_id: str) -> list[Row]:
    """The papers of a case."""
    return await db.rows("SELECT * FROM debt WHERE case_id = $1 ORDER BY due_on, id", case_id)


async def to_remind(db: Queries, until: dt.date, limit: int) -> list[str]:
    """Ids of cases with a paper due by a day, of which nobody was reminded yet."""
    sql = (
        "SELECT DISTINCT case_id FROM debt WHERE settled_at IS NULL AND due_on <= $1 "
        "AND lapsed_at IS NULL AND reminded_at IS NULL AND kind <> 'commitment' LIMIT $2"
    )
    return [str(row["case_id"]) for row in await db.rows(sql, until, limit)]


async def to_lapse(db: Queries, today: dt.date, limit: int) -> list[str]:
    """Ids of cases with a paper that should have come in before today."""
    sql = (
        "SELECT DISTINCT case_id FROM debt WHERE settled_at IS NULL AND due_on < $1 AND lapsed_at IS NULL AND kind <> 'commitment' LIMIT $2"
    )
    return [str(row["case_id"]) for row in await db.rows(sql, today, limit)]


_LEDGER = (
    "SELECT debt.id, debt.case_id, debt.material, debt.kind, debt.due_on, debt.signed_at, debt.reminded_at, debt.lapsed_at, "
    "debt.settled_at, debt.result, debt.note, cases.number, cases.item_code, cases.item_version, cases.department, cases.state, "
    "cases.decision FROM debt JOIN cases ON cases.id = debt.case_id WHERE cases.area = $1"
)
_SHOWN = {
    "open": " AND debt.settled_at IS NULL",
    "lapsed": " AND debt.settled_at IS NULL AND debt.lapsed_at IS NOT NULL",
    "broken": " AND debt.result = 'broken'",
    "settled": " AND debt.settled_at IS NOT NULL",
}


async def ledger(
    db: Queries, area: str, department: str | None, shown: str, after: tuple[dt.date, str] | None, limit: int
) -> list[Row]:  # fmt: skip
    """A page of the ledger, the earliest date first, from behind (date, id); `department` None = every department.

    `shown`: "open" (nobody has settled it), "lapsed" of these, "settled", or "broken" promises.
    """
    sql, arguments = _LEDGER + _SHOWN[shown], [area, limit]
    if department is not None:
        arguments.append(department)
        sql += f" AND cases.department = ${len(arguments)}"
    if after is not None:
        day, debt_id = len(arguments) + 1, len(arguments) + 2
        sql += f" AND (debt.due_on > ${day} OR (debt.due_on = ${day} AND debt.id > ${debt_id}))"
        arguments += after
    return await db.rows(sql + " ORDER BY debt.due_on, debt.id LIMIT $2", *arguments)
