"""Members of staff: accounts, and the log-in by password and one-time code (ASVS 6.2, 6.3, 6.5).

Guessing is slowed, nobody is locked out (ASVS 6.3.1): after five failures, and until the owner comes in, one attempt in five
seconds is looked at; the others are answered as if they were wrong. The answer is always `login_failed`, so that it tells nobody
which names exist. A lock of minutes would let anybody keep a member of staff from work with five wrong passwords. Beside this
stand the pace of log-ins per address, Argon2id, and the record of every failure; accounts that decide should have one-time codes.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
import hmac
import secrets
import struct
import unicodedata
from functools import cache
from typing import Literal

import argon2
import msgspec

from handlers.complaints import complaint
from handlers.errors import Refused
from handlers.office import Office
from handlers.sessions import Opened, open_session
from storage import audit, staff
from storage.database import Row
from storage.ids import uuid7

Role = Literal["clerk", "officer", "approver", "supervisor", "administrator"]

SLOW_AFTER = 5  # failures without a success
SLOW_EVERY = dt.timedelta(seconds=5)
SHORTEST_PASSWORD = 8
_STEP_SECONDS = 30

# OWASP's second choice of Argon2id parameters; at most two at once, so that log-ins never starve the requests beside them.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_TURNS = asyncio.Semaphore(2)


class StaffMember(msgspec.Struct, frozen=True):
    """A member of staff as pages show him."""

    id: str
    username: str
    name: str
    role: Role
    department: str
    hall: str


async def add(
    office: Office, *, username: str, name: str, role: Role, password: str, department: str = "", hall: str = "", totp: bool = False
) -> str | None:
    """A new account; gives the secret of its one-time codes (base32) if asked for. Refuses a taken name or a short password."""
    hashed = await password_hash(password)
    staff_id, secret = uuid7(), secrets.token_bytes(20) if totp else None
    sealed = office.keys.sealer.seal(secret, f"staff.totp_sealed:{staff_id}") if secret else None
    made = await staff.insert(
        office.database,
        {
            "id": staff_id, "username": username, "name": name, "role": role, "department": department or None,
            "hall": hall or None, "area": office.division, "password_hash": hashed, "totp_sealed": sealed,
            "created_at": office.clock.now(),
        },
    )  # fmt: skip
    if not made:
        raise Refused("username_taken")
    return base64.b32encode(secret).decode() if secret else None


async def log_in(office: Office, username: str, password: str, totp: str, device: str, *, page: bool = False) -> tuple[Opened, StaffMember]:
    """Log a member of staff in; the same answer and time for unknown names, wrong passwords and codes, and attempts too many."""
    row = await staff.by_username(office.database, username)
    heard = row is not None and await _is_heard(office, row)
    matches = await _matches(row["password_hash"] if row is not None and heard else _nobody(), password)
    if row is None or not row["is_active"]:
        raise Refused("login_failed")
    step = _totp_step(office, row, totp) if heard and matches else None
    if step is None or not await staff.succeeded(office.database, row["id"], step):
        await _count_failure(office, row, heard=heard)
        raise Refused("login_failed")
    opened = await open_session(office, row["id"], "staff", device, page=page)
    return opened, _member(row)


async def show(office: Office, staff_id: str) -> StaffMember:
    """A member of staff who still works here."""
    row = await staff.by_id(office.database, staff_id)
    if row is None or not row["is_active"]:
        raise Refused("not_logged_in")
    return _member(row)


async def _is_heard(office: Office, row: Row) -> bool:
    """Whether this attempt is looked at: always below so many failures, then one in SLOW_EVERY."""
    if row["failed_logins"] < SLOW_AFTER:
        return True
    now = office.clock.now()
    return await staff.take_turn(office.database, row["id"], now, now + SLOW_EVERY)


async def _count_failure(office: Office, row: Row, *, heard: bool) -> None:
    now = office.clock.now()
    await staff.failed(office.database, row["id"])
    await audit.record(
        office.database, at=now, actor_kind="staff", actor_id=row["id"], action="staff.login",
        object_kind="staff", object_id=row["id"], outcome="refused", data={"heard": heard},
    )  # fmt: skip


def _member(row: Row) -> StaffMember:
    return StaffMember(row["id"], row["username"], row["name"], row["role"], row["department"] or "", row["hall"] or "")


@cache
def _nobody() -> str:
    """The hash of a password that nobody has; made when it is first asked for, since most processes log nobody in."""
    return _HASHER.hash(secrets.token_urlsafe(16))


async def password_hash(password: str) -> str:
    """What is kept of a password; refuses a short one."""
    if len(password) < SHORTEST_PASSWORD:
        raise Refused("invalid_form", errors=[complaint("/password", "too_short", least=SHORTEST_PASSWORD)])
    return await asyncio.to_thread(_HASHER.hash, password)


async def _matches(hashed: str, password: str) -> bool:
    async with _TURNS:
        return await asyncio.to_thread(_verify, hashed, password)


def _verify(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except argon2.exceptions.VerificationError:
        return False


def _totp_step(office: Office, row: Row, code: str) -> int | None:
    """The time step of a right code (RFC 6238, one step to either side), 0 for an account without codes, None if wrong."""
    if row["totp_sealed"] is None:
        return 0
    typed = unicodedata.normalize("NFKC", code).strip()  # phones and input methods write full-width digits
    if not typed.isascii():
        return None
    secret = office.keys.sealer.unseal(row["totp_sealed"], f"staff.totp_sealed:{row['id']}")
    now = int(office.clock.now().timestamp()) // _STEP_SECONDS
    steps = (now, now - 1, now + 1)
    return next((step for step in steps if hmac.compare_digest(one_time_code(secret, step), typed)), None)


def one_time_code(secret: bytes, step: int) -> str:
    """The six digits of a time step (RFC 4226 section 5.3)."""
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0xF
    return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"
