"""How the exchange with each department is doing, and what an administrator may do: pause a link, wake it, give up a refused message."""

from __future__ import annotations

import datetime as dt

from aiohttp import web
from yarl import URL

from backoffice import link_acts
from backoffice.setaside import ACTION
from backoffice.watching import DepartmentFigures, Watch
from handlers.errors import Refused
from handlers.policy import scope_of
from mobile_api.pages.rendering import page
from mobile_api.pages.session import officer, submitted
from mobile_api.web.keys import OFFICE

WATCH: web.AppKey[Watch] = web.AppKey("watch", Watch)
DONE = {
    "pause": "已暂停。消息留在本系统，恢复后按顺序送出。",
    "wake": "已恢复，正在送出等待的消息。",
    "pass_over": "已放弃这一条，该办件后面的消息继续送出。",
}
LINKS = {"queue": "消息队列", "pull": "部门来取", "webhook": "推送", "files": "文件交换", "desk": "在本系统办理"}
STATES = {"working": "正常", "resting": "对方无应答，稍后再试", "paused": "已暂停"}
_LATE = dt.timedelta(minutes=10)
_LONGEST = 300


async def listing(request: web.Request) -> web.StreamResponse:
    """Every department; what waits long stands first."""
    who = await officer(request)
    figures = await request.app[WATCH].show(who)
    items = sorted(figures.items, key=lambda one: (-_urgency(one), one.department))
    return await page(
        request,
        "departments.html",
        items=[one for one in items if one.link != "desk"],
        held={one.department: await link_acts.held(request.app[OFFICE], one.department) for one in items if one.held},
        is_redis_there=figures.is_redis_there,
        late=_LATE.total_seconds(),
        links=LINKS,
        states=STATES,
        journals=link_acts.JOURNALS,
        settles_links=scope_of(who.role, ACTION) == "area",
        done=DONE.get(request.query.get("done", ""), ""),
    )


async def act(request: web.Request) -> web.StreamResponse:
    """Pause a link, wake it, or give up a message that was refused; for those who may settle messages of every department."""
    who, fields = await officer(request), await submitted(request)
    name, reason = fields.get("act", ""), fields.get("reason", "").strip()
    if scope_of(who.role, ACTION) != "area":
        raise Refused("forbidden")
    if name not in DONE or len(reason) > _LONGEST:
        raise Refused("bad_request")
    office, code = request.app[OFFICE], request.match_info["code"]
    if name == "pause":
        await link_acts.pause(office, code, reason or "由管理员暂停", by=who.actor)
    elif name == "wake":
        await link_acts.wake(office, code, by=who.actor)
    else:
        await link_acts.pass_over(office, fields.get("message", ""), by=who.actor)
    request.app[WATCH].look_again()
    raise web.HTTPSeeOther(URL("/desk/departments").with_query(done=name))


def _urgency(one: DepartmentFigures) -> float:
    return max(one.oldest_unsent_seconds, one.oldest_unconfirmed_seconds, one.oldest_set_aside_seconds, float(one.state != "working"))
