"""The start page, the staff log-in, and what a printed receipt leads to."""

from __future__ import annotations

import re

import msgspec
from aiohttp import web

from handlers import codes, sessions, staff
from handlers.errors import Refused
from handlers.refusals import REFUSALS
from mobile_api.pages.refusals import detail_of
from mobile_api.pages.rendering import STATIC, page
from mobile_api.pages.session import COOKIE, LOGIN_PACE, home_of, keep, needed_standing, posted, scans, standing_of, submitted
from mobile_api.web.caller import ANONYMOUS
from mobile_api.web.headers import PAGE_POLICY
from mobile_api.web.keys import OFFICE

TLS: web.AppKey[bool] = web.AppKey("tls", bool)
DEMO: web.AppKey[bool] = web.AppKey("demo", bool)
PRETEND: web.AppKey[str] = web.AppKey("pretend", str)
"""Where the pretend WeChat listens: in a demo the residents' page stands in for the WeChat program on the phone, and taps there."""

DEMO_RESIDENTS = (
    {"user": "zhang", "name": "张秀英（老人）"},
    {"user": "li", "name": "李建国（店主）"},
    {"user": "wang", "name": "王小梅（年轻妈妈）"},
)
DEMO_STAFF = (
    {"username": "clerk", "password": "demo-clerk", "what": "便民服务大厅窗口"},
    {"username": "officer", "password": "demo-officer", "what": "民政经办"},
    {"username": "approver", "password": "demo-approver", "what": "民政审批"},
    {"username": "education", "password": "demo-education", "what": "教育审批（部门没有自己的系统）"},
    {"username": "supervisor", "password": "demo-supervisor", "what": "督办"},
    {"username": "administrator", "password": "demo-administrator", "what": "系统管理"},
)
"""As sandbox.demo makes them."""

_PHONE = re.compile(r"Mobile|Android|iPhone|MicroMessenger")
_LOCAL = re.compile(r"/(hall|desk|supervision|admin)(/[\w/-]*)?")


async def start(request: web.Request) -> web.StreamResponse:
    """Phones go to the residents' page; others choose."""
    if _PHONE.search(request.headers.get("User-Agent", "")):
        raise web.HTTPSeeOther("/m/")
    return await page(request, "start.html", demo=request.app[DEMO])


async def show_login(request: web.Request) -> web.StreamResponse:
    """The log-in form; who is logged in already goes on."""
    wanted, standing = request.query.get("next", ""), await standing_of(request)
    if standing is not None:
        raise web.HTTPSeeOther(_next(wanted, standing.role))
    return await _login_form(request, {"next": wanted})


async def login(request: web.Request) -> web.StreamResponse:
    """Log a member of staff in."""
    if (waiting := request.app[LOGIN_PACE].check(request, ANONYMOUS)) is not None:
        await waiting
    fields = await posted(request)
    username, password, totp = (fields.get(name, "") for name in ("username", "password", "totp"))
    try:
        opened, member = await staff.log_in(request.app[OFFICE], username, password, totp, "browser", page=True)
    except Refused as refused:
        return await _login_form(request, fields, refused)
    answer = web.HTTPSeeOther(_next(fields.get("next", ""), member.role))
    keep(answer, opened.refresh_token, tls=request.app[TLS])
    raise answer


async def logout(request: web.Request) -> web.StreamResponse:
    """Log out of the pages."""
    await submitted(request)
    standing = await needed_standing(request)
    await sessions.close(request.app[OFFICE], standing.account_id, standing.session_id)
    answer = web.HTTPSeeOther("/login")
    answer.del_cookie(COOKIE, path="/")
    raise answer


async def receipt(request: web.Request) -> web.StreamResponse:
    """What anybody who holds a printed receipt may know."""
    office = request.app[OFFICE]
    found = await codes.read_public(office, request.match_info["code"])
    return await page(request, "receipt.html", receipt=found, now=office.clock.now())


async def residents(request: web.Request) -> web.StreamResponse:
    """The residents' page (H5), built by `./run`."""
    index = STATIC / "m" / "index.html"
    if not index.exists():
        return await page(request, "not_built.html", status=503)
    # said here, because an answer "not modified" has no content type and browsers take over its policy all the same
    policy = PAGE_POLICY.replace("connect-src 'self'", f"connect-src 'self' {request.app.get(PRETEND, '')}".rstrip())
    return web.FileResponse(index, headers={"Cache-Control": "no-cache", "Content-Security-Policy": policy})


async def to_residents(_request: web.Request) -> web.StreamResponse:
    """The address as people type it."""
    raise web.HTTPSeeOther("/m/")


async def resident_asset(request: web.Request) -> web.StreamResponse:
    """A part of the residents' page; its name changes with its content, so it is kept for good."""
    path = STATIC / "m" / "assets" / request.match_info["name"]
    if not path.is_file():
        raise Refused("not_found")
    return web.FileResponse(path, headers={"Cache-Control": "public, max-age=31536000, immutable"})


async def resident_config(request: web.Request) -> web.StreamResponse:
    """What the residents' page must know before it talks to the API."""
    demo = request.app[DEMO]
    office = request.app[OFFICE]
    known = {
        "demo": demo,
        "demo_residents": DEMO_RESIDENTS if demo else (),
        "pretend_wechat": request.app.get(PRETEND, ""),
        "api_base": "",
        "town": office.town,
        "hotline": office.hotline,
    }
    return web.Response(body=msgspec.json.encode(known), content_type="application/json", headers={"Cache-Control": "no-store"})


async def favicon(_request: web.Request) -> web.StreamResponse:
    """The town's sign in the browser's tab."""
    return web.FileResponse(STATIC / "pages" / "favicon.svg", headers={"Content-Type": "image/svg+xml"})


async def _login_form(request: web.Request, fields: dict[str, str], refused: Refused | None = None) -> web.Response:
    return await page(
        request,
        "login.html",
        status=REFUSALS[refused.code].status if refused else 200,
        problem=detail_of(refused) if refused else "",
        next=fields.get("next", ""),
        username=fields.get("username", ""),
        demo=request.app[DEMO],
        accounts=DEMO_STAFF,
    )


def _next(wanted: str, role: str) -> str:
    """Where to go after the log-in: a page of ours, never an address somebody sent along."""
    if _LOCAL.fullmatch(wanted) and (scans(role) or not wanted.startswith("/hall")):
        return wanted
    return home_of(role)
