"""Logging in and out, residents and staff."""

from __future__ import annotations

from typing import Annotated

import msgspec

from handlers import residents, sessions, staff
from handlers.office import Office
from handlers.residents import LoginPlatform, Resident
from handlers.sessions import Device
from handlers.staff import StaffMember
from mobile_api.identity import Identity, Tokens
from mobile_api.web.caller import Caller

DeviceName = Annotated[str, msgspec.Meta(max_length=200)]
"""What a phone or browser calls itself."""


class WechatLogin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code of wx.login and a name for the device."""

    code: Annotated[str, msgspec.Meta(max_length=256)]
    device: DeviceName = ""


class StaffLogin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member of staff's credentials."""

    username: Annotated[str, msgspec.Meta(max_length=64)]
    password: Annotated[str, msgspec.Meta(max_length=256)]
    totp: Annotated[str, msgspec.Meta(max_length=10)] | None = None
    device: DeviceName = ""


class Refresh(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A refresh token, used once."""

    refresh_token: str


class ResidentTokens(Tokens, frozen=True):
    """Tokens and the resident they belong to."""

    resident: Resident


class StaffTokens(Tokens, frozen=True):
    """Tokens and the member of staff they belong to."""

    staff: StaffMember


class Devices(msgspec.Struct, frozen=True):
    """Every device an account is logged in on, on one page."""

    items: list[Device]
    next_cursor: None = None


async def wechat(body: WechatLogin, office: Office, identity: Identity, platform: LoginPlatform) -> ResidentTokens:
    """Log a resident in."""
    opened, resident = await residents.log_in(office, platform, body.code, body.device)
    return ResidentTokens(**msgspec.structs.asdict(identity.issue(opened)), resident=resident)


async def staff_login(body: StaffLogin, office: Office, identity: Identity) -> StaffTokens:
    """Log a member of staff in."""
    opened, member = await staff.log_in(office, body.username, body.password, body.totp or "", body.device)
    return StaffTokens(**msgspec.structs.asdict(identity.issue(opened)), staff=member)


async def refresh(body: Refresh, office: Office, identity: Identity) -> ResidentTokens | StaffTokens:
    """Exchange a refresh token."""
    opened = await sessions.renew(office, body.refresh_token)
    tokens = msgspec.structs.asdict(identity.issue(opened))
    if opened.kind == "staff":
        return StaffTokens(**tokens, staff=await staff.show(office, opened.account_id))
    return ResidentTokens(**tokens, resident=await residents.show(office, opened.account_id))


async def logout(caller: Caller, office: Office, identity: Identity) -> None:
    """End this log-in."""
    await end_session(caller.session_id, caller, office, identity)


async def list_sessions(caller: Caller, office: Office) -> Devices:
    """Where this account is logged in."""
    return Devices(await sessions.devices(office, caller.account_id, caller.session_id))


async def end_session(id: str, caller: Caller, office: Office, identity: Identity) -> None:  # noqa: A002 - the path's own word
    """Log out one device."""
    await sessions.close(office, caller.account_id, id)
    identity.forget(id)
