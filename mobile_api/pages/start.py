"""The start page, the staff log-in, and what a printed receipt leads to."""

from __future__ import annotations

import re

import msgspec
from aiohttp import web

from handlers import codes, sessions, staff
from handlers.errors import REFUSALS, Refused
from mobile_api.pages.frame import STATIC, page
from mobile_api.pages.session import COOKIE, keep, submitted
from mobile_api.web.keys import OFFICE

TLS: web.AppKey[bool] = web.AppKey("tls", bool)
DEMO: web.AppKey[bool] = web.AppKey("demo", bool)

DEMO_RESIDENTS = (
    {"user": "zhang", "name": "张秀英（老人）"},
    {"user": "li", "name": "李建国（店主）"},
    {"user": "wang", "name": "王小梅（年轻妈妈）"},
)
_PHONE = re.compile(r"Mobile|Android|iPhone|MicroMessenger")
_LOCAL = re.compile(r"/(hall|desk)(/[\w/-]*)?")


async def start(request: web.Request) -> web.StreamResponse:
    """Phones go to the residents' page; others choose."""
    if _PHONE.search(request.headers.get("User-Agent", "")):
        raise web.HTTPSeeOther("/m/")
    return await page(request, "start.html", demo=request.app[DEMO])


async def show_login(request: web.Request) -> web.StreamResponse:
    """The log-in form."""
    return await page(request, "login.html", next=_next(request.query.get("next", "")), problem="", username="", demo=request.app[DEMO])


async def login(request: web.Request) -> web.StreamResponse:
    """Log a member of staff in."""
    fields = {name: str(value) for name, value in (await request.post()).items()}
    try:
        opened, _ = await staff.log_in(
            request.app[OFFICE], fields.get("username", ""), fields.get("password", ""), fields.get("totp", ""), "browser"
        )
    except Refused as refused:
        values = {"next": _next(fields.get("next", "")), "problem": REFUSALS[refused.code].detail, "username": fields.get("username", "")}
        return await page(request, "login.html", status=REFUSALS[refused.code].status, demo=request.app[DEMO], **values)
    answer = web.HTTPSeeOther(_next(fields.get("next", "")))
    keep(answer, opened.refresh_token, tls=request.app[TLS])
    return answer


async def logout(request: web.Request) -> web.StreamResponse:
    """Log out of the pages."""
    await submitted(request)
    office = request.app[OFFICE]
    standing = await sessions.recognise(office, request.cookies[COOKIE])
    if standing is not None:
        await sessions.close(office, standing.account_id, standing.session_id)
    answer = web.HTTPSeeOther("/")
    answer.del_cookie(COOKIE, path="/")
    return answer


async def receipt(request: web.Request) -> web.StreamResponse:
    """What anybody who holds a printed receipt may know."""
    return await page(request, "receipt.html", receipt=await codes.read_public(request.app[OFFICE], request.match_info["code"]))


async def residents(request: web.Request) -> web.StreamResponse:
    """The residents' page (H5), built by `./run`."""
    index = STATIC / "m" / "index.html"
    if not index.exists():
        return await page(request, "not_built.html", status=503)
    return web.FileResponse(index, headers={"Cache-Control": "no-cache"})


async def resident_config(request: web.Request) -> web.StreamResponse:
    """What the residents' page must know before it talks to the API."""
    demo = request.app[DEMO]
    office = request.app[OFFICE]
    known = {"demo": demo, "demo_residents": DEMO_RESIDENTS if demo else (), "api_base": "", "town": office.town, "hotline": office.hotline}
    return web.Response(body=msgspec.json.encode(known), content_type="application/json", headers={"Cache-Control": "no-store"})


async def favicon(_request: web.Request) -> web.StreamResponse:
    """The town's sign in the browser's tab."""
    return web.FileResponse(STATIC / "pages" / "favicon.svg", headers={"Content-Type": "image/svg+xml"})


def _next(wanted: str) -> str:
    """Where to go after the log-in: a page of ours, never an address somebody sent along."""
    return wanted if _LOCAL.fullmatch(wanted) else "/hall"
