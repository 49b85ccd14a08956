"""Authorities to act for others, at the counter's desk: the list, one with its paper, and the decisions (代办授权)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from aiohttp import web
from yarl import URL

from handlers import proxydesk
from handlers.access import Officer
from handlers.errors import Refused
from handlers.office import Office
from handlers.policy import scope_of
from handlers.proxyviews import STATE_NAMES, ProxyDeskView
from mobile_api.pages.rendering import page
from mobile_api.pages.session import officer, submitted
from mobile_api.views.uploads import send
from mobile_api.web.keys import OFFICE

PAGE = 50
DONE = {
    "approve": "授权已通过，已告知代办人。",
    "refuse": "授权未通过，理由已告知代办人。",
    "revoke": "授权已收回，已告知代办人和被代办人。",
    "unlink": "已解除，该账号不能再查看或者办理被代办人的办件。",
}
_PROBLEM = "请先写明理由，再提交。"
_CURSOR = re.compile(r"[0-9a-f-]{1,36}")
_LONGEST = 300

Act = Callable[[Office, Officer, str, str], Awaitable[ProxyDeskView]]


async def _approve(office: Office, who: Officer, proxy_id: str, _reason: str) -> ProxyDeskView:
    return await proxydesk.approve(office, who, proxy_id)


_ACTS: dict[str, Act] = {"approve": _approve, "refuse": proxydesk.refuse, "revoke": proxydesk.revoke, "unlink": proxydesk.unlink}


async def listing(request: web.Request) -> web.StreamResponse:
    """Authorities in a state, those that wait first of all."""
    who, office = await officer(request), request.app[OFFICE]
    state, after = request.query.get("state", "asked"), request.query.get("after", "")
    if state not in STATE_NAMES or (after and not _CURSOR.fullmatch(after)):
        raise Refused("bad_request")
    found = await proxydesk.listing(office, who, state, after, PAGE)
    more = found[-1].id if len(found) == PAGE else ""
    return await page(request, "proxies.html", proxies=found, state=state, states=STATE_NAMES, more=more)


async def show(request: web.Request) -> web.StreamResponse:
    """One authority; `?done=` names the act that led here."""
    return await _proxy(request, await officer(request), done=DONE.get(request.query.get("done", ""), ""))


async def act(request: web.Request) -> web.StreamResponse:
    """Approve, refuse or take back, as the pressed button says."""
    who, fields = await officer(request), await submitted(request)
    name, reason = fields.get("act", ""), fields.get("reason", "").strip()
    if name not in _ACTS or len(reason) > _LONGEST:
        raise Refused("bad_request")
    if name != "approve" and not reason:
        return await _proxy(request, who, problem=_PROBLEM, tried=name)
    wanted = request.match_info["id"]
    await _ACTS[name](request.app[OFFICE], who, wanted, reason)
    raise web.HTTPSeeOther(URL(f"/desk/proxies/{wanted}").with_query(done=name))


async def document(request: web.Request) -> web.StreamResponse:
    """The paper that shows the authority."""
    who = await officer(request)
    upload, blocks = await proxydesk.document(request.app[OFFICE], who, request.match_info["id"])
    return await send(request, upload, blocks)


async def _proxy(request: web.Request, who: Officer, *, problem: str = "", tried: str = "", done: str = "") -> web.Response:
    one = await proxydesk.show(request.app[OFFICE], who, request.match_info["id"])
    return await page(
        request,
        "proxy.html",
        status=422 if problem else 200,
        one=one,
        may=scope_of(who.role, "settle_proxy") != "none",
        problem=problem,
        tried=tried,
        done=done,
    )
