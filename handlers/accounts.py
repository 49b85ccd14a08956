"""Keeping the accounts of staff: who there is, who goes, comes back, moves to another place or forgets his password.

Done at the command line by whoever runs the town; each act is in the audit log.
"""

from __future__ import annotations

import base64
import secrets

import msgspec

from handlers import staff as members
from handlers.complaints import complaint
from handlers.errors import Refused
from handlers.office import Office
from storage import audit, sessions, staff
from storage.database import Queries, Row


class Account(msgspec.Struct, frozen=True):
    """An account as a list of all shows it."""

    username: str
    name: str
    role: str
    department: str
    hall: str
    active: bool
    totp: bool


async def everybody(office: Office) -> list[Account]:
    """Every account of this town, closed ones too."""
    return [
        Account(
            row["username"], row["name"], row["role"], row["department"] or "", row["hall"] or "", row["is_active"],
            row["totp_sealed"] is not None,
        )
        for row in await staff.all_of(office.database, office.division)
    ]  # fmt: skip


async def change(
    office: Office, username: str, *, name: str | None, role: str | None, department: str | None, hall: str | None
) -> None:  # fmt: skip
    """Another name, role, department or hall; None leaves one as it is, an empty text takes it away."""
    async with office.database.transaction() as tx:
        row = await _account(tx, username)
        wanted = {"name": name, "role": role, "department": department, "hall": hall}
        values = {key: row[key] if value is None else value or None for key, value in wanted.items()}
        await staff.change(tx, username, values["name"] or row["name"], values["role"] or row["role"], values["department"], values["hall"])
        await _note(office, tx, row, "staff.changed")


async def close(office: Office, username: str) -> None:
    """He works here no longer: logged out everywhere, his name stays in the records."""
    async with office.database.transaction() as tx:
        row = await _account(tx, username)
        await staff.set_active(tx, username, active=False)
        await sessions.revoke_all(tx, row["id"], office.clock.now())
        await _note(office, tx, row, "staff.closed")


async def reopen(office: Office, username: str) -> None:
    """He is back, with the password he had."""
    async with office.database.transaction() as tx:
        row = await _account(tx, username)
        await staff.set_active(tx, username, active=True)
        await _note(office, tx, row, "staff.reopened")


async def set_password(office: Office, username: str, password: str, *, totp: bool) -> str | None:
    """A new password; everything logged in with the old one is logged out. Gives the new secret of one-time codes if wanted."""
    hashed = await members.password_hash(password)
    async with office.database.transaction() as tx:
        row = await _account(tx, username)
        secret = secrets.token_bytes(20) if totp else None
        sealed = office.keys.sealer.seal(secret, f"staff.totp_sealed:{row['id']}") if secret else None
        await staff.set_password(tx, username, hashed, sealed)
        await sessions.revoke_all(tx, row["id"], office.clock.now())
        await _note(office, tx, row, "staff.password_set")
    return base64.b32encode(secret).decode() if secret else None


async def check_place(office: Office, role: str, department: str) -> None:
    """Refuse an account that could see nothing: an officer of no department, or of one that does not exist."""
    if department and department not in office.catalogue.departments:
        raise Refused(
            "invalid_form", errors=[complaint("/department", "no_such_department", known="、".join(sorted(office.catalogue.departments)))]
        )
    if role in {"officer", "approver"} and not department:
        raise Refused("invalid_form", errors=[complaint("/department", "department_needed")])


async def _account(db: Queries, username: str) -> Row:
    row = await staff.by_username(db, username)
    if row is None:
        raise Refused("not_found")
    return row


async def _note(office: Office, db: Queries, row: Row, action: str) -> None:
    await audit.record(
        db, at=office.clock.now(), actor_kind="system", actor_id="mobile-api user", action=action,
        object_kind="staff", object_id=row["id"], outcome="done", data={},
    )  # fmt: skip
