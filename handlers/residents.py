"""Residents: log-in by WeChat, what they told about themselves, how they want to be spoken to."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from handlers.errors import Refused
from handlers.numbers import mask_phone
from handlers.office import Office
from handlers.sessions import Opened, open_session
from storage import residents
from storage.database import Row
from storage.ids import uuid7


class Preferences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a resident wants to be served; kept with the account so that every phone obeys it."""

    large_text: bool = False
    language: Literal["zh", "en"] = "zh"
    push: bool = True


class Resident(msgspec.Struct, frozen=True):
    """A resident as his own phone sees him; the telephone number is masked."""

    id: str
    name: str
    phone: str
    identity_level: int
    preferences: Preferences


class LoginPlatform(Protocol):
    """Who turns a log-in code of the phone into the openid of its owner (the WeChat platform)."""

    async def openid(self, code: str) -> str:
        """The openid; raises Refused("login_code_invalid") or another refusal that says what to do."""
        ...


async def log_in(office: Office, platform: LoginPlatform, code: str, device: str) -> tuple[Opened, Resident]:
    """Log a resident in with a code of wx.login; the first time makes the account."""
    openid = await platform.openid(code)
    row = await residents.of_openid(office.database, uuid7(), openid, office.clock.now())
    if row["closed_at"] is not None:
        raise Refused("account_closed")
    return await open_session(office, row["id"], "resident", device), _resident(office, row)


async def show(office: Office, resident_id: str) -> Resident:
    """The resident himself."""
    row = await residents.by_id(office.database, resident_id)
    if row is None:
        raise Refused("not_found")
    return _resident(office, row)


async def prefer(office: Office, resident_id: str, preferences: Preferences) -> Preferences:
    """Keep a resident's preferences."""
    await residents.save_preferences(office.database, resident_id, msgspec.json.encode(preferences).decode())
    return preferences


def _resident(office: Office, row: Row) -> Resident:
    return Resident(
        id=row["id"],
        name=_unseal(office, row, "name_sealed"),
        phone=mask_phone(phone) if (phone := _unseal(office, row, "phone_sealed")) else "",
        identity_level=row["identity_level"],
        preferences=msgspec.json.decode(row["preferences"], type=Preferences),
    )


def _unseal(office: Office, row: Row, column: str) -> str:
    if row[column] is None:
        return ""
    return office.keys.sealer.unseal(row[column], f"resident.{column}:{row['id']}").decode()
