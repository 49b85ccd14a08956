"""Staff log-in on pages: an opaque token in a strict cookie, and a form token against forged requests (ASVS 3.5)."""

from __future__ import annotations

import hashlib
import hmac

from aiohttp import web

from handlers import sessions
from handlers.access import Officer
from handlers.errors import Refused
from handlers.office import Office
from handlers.sessions import Standing
from mobile_api.web.keys import OFFICE

COOKIE = "staff"


class NeedsLogin(Exception):
    """The page is for staff who are logged in."""


async def officer(request: web.Request) -> Officer:
    """The member of staff behind the cookie; raises NeedsLogin."""
    standing = await _standing(request)
    return Officer(standing.account_id, standing.role, standing.department, standing.hall, standing.area)


async def submitted(request: web.Request) -> dict[str, str]:
    """The fields of a form sent by a page of ours to its own reader; refused as "forged_form" otherwise."""
    standing = await _standing(request)
    fields = {name: str(value) for name, value in (await request.post()).items()}
    sent, wanted = fields.pop("form_token", ""), form_token(request.app[OFFICE], standing)
    if not hmac.compare_digest(sent, wanted) or request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Refused("forged_form")
    return fields


def form_token(office: Office, standing: Standing) -> str:
    """What every form of this log-in carries."""
    key = office.keys.token_keys[office.keys.token_current]
    return hmac.new(key, b"form:" + standing.session_id.encode(), hashlib.sha256).hexdigest()


async def page_values(request: web.Request) -> dict[str, object]:
    """What every page shows: the town, and who is logged in."""
    office = request.app[OFFICE]
    values: dict[str, object] = {"town": office.town, "hotline": office.hotline, "standing": None, "form_token": ""}
    try:
        standing = await _standing(request)
    except NeedsLogin:
        return values
    return {**values, "standing": standing, "form_token": form_token(office, standing)}


def keep(response: web.StreamResponse, token: str, *, tls: bool) -> None:
    """Give the browser the log-in."""
    response.set_cookie(COOKIE, token, httponly=True, samesite="Strict", secure=tls, path="/")


async def _standing(request: web.Request) -> Standing:
    token = request.cookies.get(COOKIE)
    standing = await sessions.recognise(request.app[OFFICE], token) if token else None
    if standing is None or standing.kind != "staff":
        raise NeedsLogin
    return standing
