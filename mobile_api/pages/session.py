"""Staff log-in on pages: an opaque token in a strict cookie, and a form token against forged requests (ASVS 3.5)."""

from __future__ import annotations

import hashlib
import hmac
import re

from aiohttp import web

from backoffice.setaside import ACTION
from handlers import sessions, supervision_cards
from handlers.access import Officer
from handlers.errors import Refused
from handlers.invisible import visible_in
from handlers.limits import LOCAL
from handlers.office import Office
from handlers.policy import scope_of
from handlers.sessions import Standing
from mobile_api.web.keys import OFFICE
from mobile_api.web.pace import RoutePace

COOKIE = "staff"
_FORM = "application/x-www-form-urlencoded"
_NO_TEXT = re.compile("[\\x00\\ud800-\\udfff]")  # what a database or an encoder would choke on
LOGIN_PACE: web.AppKey[RoutePace] = web.AppKey("login_pace", RoutePace)


class NeedsLogin(Exception):
    """The page is for staff who are logged in."""


async def officer(request: web.Request) -> Officer:
    """The member of staff behind the cookie, who asks for a page in text alone; raises NeedsLogin, Refused "bad_request"."""
    if any(_NO_TEXT.search(text) for named in request.query.items() for text in named):
        raise Refused("bad_request")
    return _officer(await needed_standing(request))


def _officer(standing: Standing) -> Officer:
    return Officer(standing.account_id, standing.role, standing.department, standing.hall, standing.area)


async def submitted(request: web.Request) -> dict[str, str]:
    """The fields of a form sent by a page of ours to its own reader; refused as "forged_form" otherwise."""
    standing = await needed_standing(request)
    fields = await posted(request)
    sent, wanted = fields.pop("form_token", ""), form_token(request.app[OFFICE], standing)
    if not hmac.compare_digest(sent.encode(), wanted.encode()):
        raise Refused("forged_form")
    return fields


async def posted(request: web.Request) -> dict[str, str]:
    """The fields of a form as our pages send it, UTF-8 text alone; refused as "bad_request" otherwise."""
    if request.content_type != _FORM or (request.charset or "utf-8").lower() != "utf-8":
        raise Refused("bad_request")
    try:
        sent = await request.post()
    except (ValueError, LookupError, RuntimeError, web.RequestPayloadError):
        raise Refused("bad_request") from None
    fields = {name: value for name, value in sent.items() if isinstance(value, str)}
    if any(_NO_TEXT.search(text) for field in fields.items() for text in field):
        raise Refused("bad_request")
    found: dict[str, str] = visible_in(fields)
    return found


def check_origin(request: web.Request) -> None:
    """Refuse what another site makes a browser send; browsers older than this header still meet the form token."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Refused("forged_form")


def form_token(office: Office, standing: Standing) -> str:
    """What every form of this log-in carries."""
    key = office.keys.token_keys[office.keys.token_current]
    return hmac.new(key, b"form:" + standing.session_id.encode(), hashlib.sha256).hexdigest()


def anybodys_values(request: web.Request) -> dict[str, object]:
    """What a page shows without asking any store: the town and the day."""
    office = request.app[OFFICE]
    today = office.clock.now().astimezone(LOCAL).date()
    nobody = {
        "standing": None,
        "form_token": "",
        "scans": False,
        "sees_cases": False,
        "sees_proxies": False,
        "settles": False,
        "watches": False,
        "sees_cards": False,
        "cards_waiting": 0,
        "sees_reports": False,
        "administers": False,
        "home": "/",
        "searches": False,
    }
    return {"town": office.town, "hotline": office.hotline, "today": today, **nobody}


async def page_values(request: web.Request) -> dict[str, object]:
    """What every page shows: the town, who is logged in, and whether he works at the counter."""
    values = anybodys_values(request)
    standing = await standing_of(request)
    if standing is None:
        return values
    role = standing.role
    rooms = {
        "scans": scans(role),
        "sees_cases": scope_of(role, "see_case") != "none",
        "sees_proxies": scope_of(role, "see_proxy") != "none",
        "settles": scope_of(role, ACTION) != "none",
        "watches": scope_of(role, "watch_exchange") != "none",
        "sees_cards": scope_of(role, "see_card") != "none",
        "cards_waiting": await supervision_cards.waiting(request.app[OFFICE], _officer(standing)),
        "sees_reports": scope_of(role, "see_report") != "none",
        "administers": scope_of(role, "administer") != "none",
        "home": home_of(role),
        "searches": scope_of(role, "search_cases") != "none",
    }
    return {**values, "standing": standing, "form_token": form_token(request.app[OFFICE], standing), **rooms}


def scans(role: str) -> bool:
    """Whether the role works with codes, and so begins at the counter."""
    return scope_of(role, "scan_code") != "none"


def home_of(role: str) -> str:
    """The page where the day of a role begins."""
    if scans(role):
        return "/hall"
    return "/admin" if scope_of(role, "administer") != "none" else "/desk"


def keep(response: web.StreamResponse, token: str, *, tls: bool) -> None:
    """Give the browser the log-in."""
    response.set_cookie(COOKIE, token, httponly=True, samesite="Strict", secure=tls, path="/")


async def standing_of(request: web.Request) -> Standing | None:
    """The staff log-in behind the cookie, if it is in force."""
    token = request.cookies.get(COOKIE)
    standing = await sessions.recognise(request.app[OFFICE], token) if token else None
    return standing if standing is not None and standing.kind == "staff" else None


async def needed_standing(request: web.Request) -> Standing:
    """The staff log-in behind the cookie; raises NeedsLogin."""
    standing = await standing_of(request)
    if standing is None:
        raise NeedsLogin
    return standing
