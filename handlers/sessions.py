"""Log-ins: opening, renewing, listing and ending them.

A refresh token is `<session id>.<secret>`: one that names a living log-in with a secret out of use is noticed however old it is.
The token in a page's cookie begins with `p.`; it is never exchanged, so that a cookie cannot become a program's log-in.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Literal

import msgspec

from handlers.errors import Refused
from handlers.office import Office
from storage import account_events, audit, sessions
from storage.ids import uuid7

GRACE = dt.timedelta(seconds=10)
LIFETIME = {"resident": dt.timedelta(days=30), "staff": dt.timedelta(hours=12)}

AccountKind = Literal["resident", "staff"]

_TOKEN = re.compile(r"(?P<page>p\.)?(?P<session>[0-9a-f-]{36})\.[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Standing:
    """Who a living log-in belongs to, as the next request must see it."""

    session_id: str
    account_id: str
    kind: AccountKind
    name: str
    role: str
    department: str
    hall: str
    area: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A log-in just opened or renewed, with the only copy of its refresh token."""

    session_id: str
    account_id: str
    kind: AccountKind
    refresh_token: str


class Device(msgspec.Struct, frozen=True):
    """One device that is logged in."""

    id: str
    device: str
    created_at: dt.datetime
    used_at: dt.datetime
    expires_at: dt.datetime
    current: bool


async def open_session(office: Office, account_id: str, kind: AccountKind, device: str, *, page: bool = False) -> Opened:
    """Log an account in on a device; `page` for the cookie of a browser, whose token stays the same and cannot be exchanged."""
    now, session_id = office.clock.now(), uuid7()
    token = f"{'p.' if page else ''}{session_id}.{secrets.token_urlsafe(32)}"
    await sessions.insert(
        office.database,
        {
            "id": session_id, "account_id": account_id, "account_kind": kind, "device": device[:200],
            "refresh_hash": _digest(token), "rotated_at": now, "created_at": now, "expires_at": now + LIFETIME[kind],
        },
    )  # fmt: skip
    await _note(office, kind, account_id, "session.opened", session_id)
    return Opened(session_id, account_id, kind, token)


async def standing(office: Office, session_id: str) -> Standing | None:
    """Whose log-in this is, or None once it ended."""
    row = await sessions.standing(office.database, session_id, office.clock.now())
    if row is None:
        return None
    texts = (row["name"], row["role"], row["department"], row["hall"], row["area"])
    return Standing(row["id"], row["account_id"], row["account_kind"], *(text or "" for text in texts))


async def recognise(office: Office, token: str) -> Standing | None:
    """Whose log-in the token in a page's cookie belongs to."""
    named = _TOKEN.fullmatch(token)
    if named is None or not named["page"]:
        return None
    row = await sessions.by_id(office.database, named["session"])
    if row is None or not hmac.compare_digest(row["refresh_hash"], _digest(token)):
        return None
    return await standing(office, row["id"])


async def renew(office: Office, refresh_token: str) -> Opened:
    """Exchange a refresh token for its successor; a token used again after the grace time ends the log-in."""
    named, now = _TOKEN.fullmatch(refresh_token), office.clock.now()
    if named is None or named["page"]:
        raise Refused("not_logged_in")
    row = await sessions.by_id(office.database, named["session"])
    if row is None or row["revoked_at"] is not None or row["expires_at"] <= now:
        raise Refused("not_logged_in")
    digest, successor = _digest(refresh_token), _successor(office, row["id"], refresh_token)
    if not await sessions.rotate(office.database, row["id"], digest, _digest(successor), now):
        await _check_grace(office, row["id"], digest, now)
    return Opened(row["id"], row["account_id"], row["account_kind"], successor)


async def close(office: Office, account_id: str, session_id: str) -> None:
    """Log out one device of an account."""
    if not await _end(office, account_id, session_id):
        raise Refused("not_found")


async def devices(office: Office, account_id: str, current: str) -> list[Device]:
    """Where an account is logged in."""
    rows = await sessions.of_account(office.database, account_id, office.clock.now())
    return [Device(row["id"], row["device"], row["created_at"], row["rotated_at"], row["expires_at"], row["id"] == current) for row in rows]


async def _check_grace(office: Office, session_id: str, digest: str, now: dt.datetime) -> None:
    """Two requests of one phone may race; any other secret is a thief's or his victim's, and both are logged out."""
    row = await sessions.by_id(office.database, session_id)
    if row is None or row["revoked_at"] is not None:
        raise Refused("not_logged_in")
    if row["previous_hash"] == digest and now - row["rotated_at"] <= GRACE:
        return
    await _end(office, row["account_id"], session_id)
    await _note(office, row["account_kind"], row["account_id"], "session.reuse_detected", session_id)
    raise Refused("not_logged_in")


async def _end(office: Office, account_id: str, session_id: str) -> bool:
    """End a log-in and wake whoever waits for the account's events, so that its sockets look whether they may stay."""
    ended = await sessions.revoke(office.database, session_id, account_id, office.clock.now())
    if ended:
        office.bell.ring(account_events.topic(account_id))
    return ended


async def _note(office: Office, kind: str, account_id: str, action: str, session_id: str) -> None:
    await audit.record(
        office.database, at=office.clock.now(), actor_kind=kind, actor_id=account_id, action=action,
        object_kind="session", object_id=session_id, outcome="done", data={},
    )  # fmt: skip


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _successor(office: Office, session_id: str, token: str) -> str:
    """Made from its predecessor, so that requests which race with the same token get the same answer."""
    key = office.keys.token_keys[office.keys.token_current]
    secret = urlsafe_b64encode(hmac.new(key, b"refresh:" + token.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
    return f"{session_id}.{secret}"
