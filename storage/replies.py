"""Reply templates: texts that the officers of a department use again."""

from __future__ import annotations

import datetime as dt

from storage.database import Queries, Row

MOST = 200
"""Templates of a department that are in use at once; a list longer than a page helps nobody."""

_NAMES = "id, department, kind, title, text, changed_by, changed_at"


async def insert(db: Queries, row: Row) -> bool:
    """A new template; False if the department has as many as it may."""
    sql = (
        f"INSERT INTO reply_template ({_NAMES}) SELECT $1, $2, $3, $4, $5, $6, $7 WHERE "  # noqa: S608 - constants only
        f"(SELECT count(*) FROM reply_template WHERE department = CAST($2 AS VARCHAR) AND is_active) < {MOST} RETURNING id"
    )
    return bool(await db.rows(sql, *(row[name] for name in _NAMES.split(", "))))


async def change(db: Queries, row: Row) -> bool:
    """Change a template of a department; False if there is none in use."""
    sql = (
        "UPDATE reply_template SET kind = $3, title = $4, text = $5, changed_by = $6, changed_at = $7 "
        "WHERE id = $1 AND department = $2 AND is_active RETURNING id"
    )
    return bool(await db.rows(sql, *(row[name] for name in _NAMES.split(", "))))


async def retire(db: Queries, template_id: str, department: str, by: str, at: dt.datetime) -> bool:
    """Take a template out of use; False if there is none."""
    sql = (
        "UPDATE reply_template SET is_active = FALSE, changed_by = $3, changed_at = $4 "
        "WHERE id = $1 AND department = $2 AND is_active RETURNING id"
    )
    return bool(await db.rows(sql, template_id, department, by, at))


async def of_department(db: Queries, department: str, kind: str = "") -> list[Row]:
    """The templates in use of a department, of one kind or all, by kind and title."""
    only, more = (" AND kind = $2", [kind]) if kind else ("", [])
    sql = f"SELECT * FROM reply_template WHERE department = $1 AND is_active{only} ORDER BY kind, title, id"  # noqa: S608 - constants only
    return await db.rows(sql, department, *more)
