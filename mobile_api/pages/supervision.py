"""Supervision for people: what waits for a decision, what is late, what will be late, and one card with its explanation."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web
from yarl import URL

from handlers import supervision_cards as cards
from handlers import supervision_views as views
from handlers.access import Officer
from handlers.errors import Refused
from handlers.policy import scope_of
from handlers.supervision_cards import APPEAL_RESULTS, STATE_NAMES, Manual, Wanted
from handlers.supervision_rules import LEVEL_NAMES, LEVELS
from mobile_api.pages.refusals import detail_of
from mobile_api.pages.rendering import page
from mobile_api.pages.session import officer, submitted
from mobile_api.web.keys import OFFICE

PAGE = 50
FEW = 20
DAYS_AHEAD = 3

DONE = {
    "issue": "牌已发出，记录在案。",
    "confirm": "牌已发出，责任单位可以看到并反馈。",
    "drop": "已决定不予发牌，理由记录在案。",
    "supervise": "已列为督办。",
    "revoke": "已撤销，牌和理由保留在案。",
    "settle_appeal": "申诉已处理。",
    "feedback": "反馈已提交。",
    "appeal": "申诉已提交，等待监察人员处理。",
}
_ID = re.compile(r"[0-9a-f-]{1,36}")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_LONGEST = {"feedback": 1000, "appeal": 1000}
_LONGEST_REASON = 500
_LONGEST_GROUND = 200
_SILENT = {"confirm"}  # the only act that needs no words


async def overview(request: web.Request) -> web.StreamResponse:
    """What a supervisor looks at in the morning; a unit sees its own."""
    who, office = await officer(request), request.app[OFFICE]
    parts = {
        "pending": cards.wanted(state="pending"), "appeals": cards.wanted(open_appeal=True), "pressed": cards.wanted(state="supervised"),
        "reds": cards.wanted(level="red", state="issued"), "yellows": cards.wanted(level="yellow", state="issued"),
        "warned": cards.wanted(level="warning", state="issued", running=True),
    }  # fmt: skip
    found: dict[str, Any] = {name: await _listed(request, who, wanted, None, FEW) for name, wanted in parts.items()}
    ahead = await views.outlook(office, who, DAYS_AHEAD)
    return await page(
        request, "supervision.html", ahead=ahead, days=DAYS_AHEAD, sees_all=_sees_all(who), settles_cards=_settles(who), **found
    )


async def listing(request: web.Request) -> web.StreamResponse:
    """Cards, filtered; the newest first."""
    who, office = await officer(request), request.app[OFFICE]
    only = {name: request.query.get(name, "") for name in ("level", "state", "department", "month")}
    after = request.query.get("after")
    if (after is not None and not _ID.fullmatch(after)) or (only["month"] and not _MONTH.fullmatch(only["month"])):
        raise Refused("bad_request")
    found = await _listed(
        request,
        who,
        cards.wanted(level=only["level"], state=only["state"], department=only["department"], month=only["month"]),
        after,
        PAGE,
    )
    more = str(URL("/supervision/cards").with_query({**only, "after": found[-1].id})) if len(found) == PAGE else ""
    departments = {code: one.name for code, one in office.catalogue.departments.items()} if _sees_all(who) else {}
    return await page(
        request,
        "supervision_cards.html",
        cards=found,
        only=only,
        more=more,
        levels=LEVEL_NAMES,
        states=STATE_NAMES,
        departments=departments,
    )


async def show(request: web.Request) -> web.StreamResponse:
    """One card; `?done=` names the act that led here."""
    return await _card(request, await officer(request), {}, done=DONE.get(request.query.get("done", ""), ""))


async def act(request: web.Request) -> web.StreamResponse:
    """Do what the pressed button says."""
    who, fields = await officer(request), await submitted(request)
    name, text = fields.get("act", ""), fields.get("text", "").strip()
    if name not in cards.ACTS or len(text) > _LONGEST.get(name, _LONGEST_REASON):
        raise Refused("bad_request")
    if not text and name not in _SILENT:
        return await _card(request, who, fields, problem="请先写明理由或内容，再提交。")
    await _do(request, who, name, text, fields.get("result", ""))
    raise web.HTTPSeeOther(URL(f"/supervision/cards/{request.match_info['id']}").with_query(done=name))


async def show_issue(request: web.Request) -> web.StreamResponse:
    """The form for a card by hand."""
    return await _by_hand(request, await officer(request), {})


async def issue(request: web.Request) -> web.StreamResponse:
    """Give a card by hand."""
    who, fields = await officer(request), await submitted(request)
    number, ground, level, reason = (fields.get(name, "").strip() for name in ("number", "ground", "level", "reason"))
    if len(reason) > _LONGEST_GROUND:
        raise Refused("bad_request")
    if not number or not reason or level not in LEVELS:
        return await _by_hand(request, who, fields, "请写明办件编号、级别和具体情况，再提交。")
    manual = Manual(number.replace(" ", ""), ground, next(one for one in LEVELS if one == level), reason)
    try:
        row = await cards.issue_by_hand(request.app[OFFICE], who, manual)
    except Refused as refused:
        if refused.code == "forbidden":
            raise
        said = "没有这个编号的办件，请核对。" if refused.code == "not_found" else detail_of(refused)
        return await _by_hand(request, who, fields, said)
    raise web.HTTPSeeOther(URL(f"/supervision/cards/{row['id']}").with_query(done="issue"))


async def _do(request: web.Request, who: Officer, name: str, text: str, result: str) -> None:
    office, card_id = request.app[OFFICE], request.match_info["id"]
    if name == "confirm":
        await cards.confirm(office, who, card_id)
    elif name == "settle_appeal":
        if result not in APPEAL_RESULTS:
            raise Refused("bad_request")
        await cards.settle_appeal(office, who, card_id, result, text)
    else:
        acts = {
            "drop": cards.drop, "supervise": cards.supervise, "revoke": cards.revoke, "feedback": cards.feedback, "appeal": cards.appeal,
        }  # fmt: skip
        await acts[name](office, who, card_id, text)


async def _card(request: web.Request, who: Officer, typed: dict[str, str], *, problem: str = "", done: str = "") -> web.Response:
    office = request.app[OFFICE]
    detail = await views.detail(office, who, await cards.show(office, who, request.match_info["id"]))
    sees_case = scope_of(who.role, "see_case") != "none" and detail.card.case_id is not None
    return await page(
        request, "supervision_card.html", status=422 if problem else 200, detail=detail, card=detail.card, names=cards.ACTS,
        results=APPEAL_RESULTS, typed=typed, problem=problem, done=done, sees_case=sees_case,
    )  # fmt: skip


async def _by_hand(request: web.Request, who: Officer, typed: dict[str, str], problem: str = "") -> web.Response:
    if not _settles(who):
        raise Refused("forbidden")
    grounds, status = request.app[OFFICE].supervision.grounds, 422 if problem else 200
    return await page(request, "supervision_issue.html", status=status, grounds=grounds, levels=LEVEL_NAMES, typed=typed, problem=problem)


async def _listed(request: web.Request, who: Officer, wanted: Wanted, after: str | None, limit: int) -> list[views.CardItem]:
    office = request.app[OFFICE]
    return [views.item(office, row) for row in await cards.listing(office, who, wanted, after, limit)]


def _settles(who: Officer) -> bool:
    return scope_of(who.role, "settle_card") != "none"


def _sees_all(who: Officer) -> bool:
    return scope_of(who.role, "see_card") == "area"
