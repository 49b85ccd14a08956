"""Members of staff and what protects their log-in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from storage.database import Queries, Row

_NAMES = ("id", "username", "name", "role", "department", "hall", "area", "password_hash", "totp_sealed", "created_at")


async def insert(db: Queries, row: Mapping[str, object]) -> bool:
    """A new member of staff; False if the user name is taken."""
    places = ", ".join(f"${n}" for n in range(1, len(_NAMES) + 1))
    sql = f"INSERT INTO staff ({', '.join(_NAMES)}) VALUES ({places}) ON CONFLICT (username) DO NOTHING RETURNING id"  # noqa: S608
    return bool(await db.rows(sql, *(row[name] for name in _NAMES)))


async def by_username(db: Queries, username: str) -> Row | None:
    """One staff row."""
    return await db.one("SELECT * FROM staff WHERE username = $1", username)


async def by_id(db: Queries, staff_id: str) -> Row | None:
    """One staff row."""
    return await db.one("SELECT * FROM staff WHERE id = $1", staff_id)


async def failed(db: Queries, staff_id: str) -> None:
    """Count a failed log-in."""
    await db.execute("UPDATE staff SET failed_logins = failed_logins + 1 WHERE id = $1", staff_id)


async def take_turn(db: Queries, staff_id: str, now: dt.datetime, until: dt.datetime) -> bool:
    """Take the account's next log-in attempt and close it to others until then; False while it is closed."""
    sql = "UPDATE staff SET locked_until_at = $3 WHERE id = $1 AND (locked_until_at IS NULL OR locked_until_at <= $2) RETURNING id"
    return bool(await db.rows(sql, staff_id, now, until))


async def succeeded(db: Queries, staff_id: str, totp_step: int) -> bool:
    """Clear the failures and use up the one-time code's step; False if that step was used before."""
    sql = (
        "UPDATE staff SET failed_logins = 0, locked_until_at = NULL, totp_last_step = $2 "
        "WHERE id = $1 AND (totp_last_step < $2 OR $2 = 0) RETURNING id"
    )
    return bool(await db.rows(sql, staff_id, totp_step))


async def colleagues(db: Queries, area: str, department: str | None, roles: Sequence[str]) -> list[Row]:
    """The active staff of an area in these roles, by name; `department` None = those of no department."""
    arguments: list[object] = [area, *roles]
    sql = f"SELECT * FROM staff WHERE area = $1 AND is_active AND role IN ({', '.join(f'${n}' for n in range(2, 2 + len(roles)))})"  # noqa: S608
    if department is None:
        sql += " AND department IS NULL"
    else:
        arguments.append(department)
        sql += f" AND department = ${len(arguments)}"
    return await db.rows(f"{sql} ORDER BY name, id", *arguments)


async def names(db: Queries, staff_ids: Sequence[str]) -> dict[str, str]:
    """The names of members of staff by their ids."""
    if not staff_ids:
        return {}
    wanted = ", ".join(f"${n}" for n in range(1, len(staff_ids) + 1))
    rows = await db.rows(f"SELECT id, name FROM staff WHERE id IN ({wanted})", *staff_ids)  # noqa: S608 - placeholders only
    return {row["id"]: row["name"] for row in rows}


async def all_of(db: Queries, area: str) -> list[Row]:
    """Everybody who works or worked in an area, by user name."""
    return await db.rows("SELECT * FROM staff WHERE area = $1 ORDER BY username", area)


async def change(db: Queries, username: str, name: str, role: str, department: str | None, hall: str | None) -> None:
    """Another name, role, department or hall."""
    await db.execute(
        "UPDATE staff SET name = $2, role = $3, department = $4, hall = $5 WHERE username = $1", username, name, role, department, hall
    )


async def set_active(db: Queries, username: str, *, active: bool) -> None:
    """Close an account, or open it again."""
    await db.execute("UPDATE staff SET is_active = $2 WHERE username = $1", username, active)


async def set_password(db: Queries, username: str, password_hash: str, totp_sealed: bytes | None) -> None:
    """A new password and secret of one-time codes (None: without codes); failures before it count no longer."""
    sql = (
        "UPDATE staff SET password_hash = $2, totp_sealed = $3, totp_last_step = 0, failed_logins = 0, locked_until_at = NULL "
        "WHERE username = $1"
    )
    await db.execute(sql, username, password_hash, totp_sealed)
