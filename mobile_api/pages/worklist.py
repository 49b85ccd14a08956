"""The inbox at the desk: what waits by urgency, who has it, and one act on many cases at once."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiohttp import web

from handlers import batches, worklist_views
from handlers.access import Officer
from handlers.batches import DEED_NAMES, DEEDS, MOST, Batch, Chosen, Outcome
from handlers.errors import Refused
from handlers.policy import scope_of
from handlers.refusals import REFUSALS
from handlers.supervision_rules import LEVEL_NAMES
from handlers.transitions import OPEN_STATES, STATE_NAMES
from handlers.worklist import steps_of
from handlers.worklist_views import Query, TaskItem
from mobile_api.pages.refusals import detail_of
from mobile_api.pages.rendering import page
from mobile_api.pages.session import officer, submitted
from mobile_api.pages.words import DELIVERY_METHODS
from mobile_api.web.keys import OFFICE
from storage.ids import uuid7

PAGE = 50
SHOWS = {"todo": "待我办理", "mine": "我领取的", "free": "无人领取的", "all": "全部在办"}

_BATCH_STEPS = {"accept": "accept", "review": "agree", "deliver": "deliver"}
_CURSOR = re.compile(r"[01]\.\d{1,3}\.\d{4}-\d{2}-\d{2}\.[0-9A-Za-z-]{1,36}")
_ITEM = re.compile(r"[A-Z0-9-]{1,16}")
_CASE = re.compile(r"case:([A-Za-z0-9_-]{1,36})")
_VERSION = re.compile(r"[0-9]{1,9}")
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one case of a batch, in words."""

    case_id: str
    number: str
    said: str
    done: bool


async def listing(request: web.Request) -> web.StreamResponse:
    """What waits, the most urgent first."""
    return await _inbox(request, await officer(request), [])


async def act(request: web.Request) -> web.StreamResponse:
    """Do one act on the cases that are ticked, and say of each what became of it."""
    who, fields = await officer(request), await submitted(request)
    try:
        batch, key = _batch(fields), fields["key"]
    except (KeyError, ValueError):
        raise Refused("bad_request") from None
    if not batch.cases:
        return await _inbox(request, who, [], problem="请先勾选要办理的办件，再选择办什么。")
    if len(batch.cases) > MOST:
        return await _inbox(request, who, [], problem=f"一次最多办理 {MOST} 件，请分几次。")
    outcomes = await batches.run(request.app[OFFICE], who, batch, key)
    numbers = {name.removeprefix("number:"): text for name, text in fields.items() if name.startswith("number:")}
    return await _inbox(request, who, [_line(one, numbers.get(one.case_id, "")) for one in outcomes])


def deeds_of(who: Officer) -> dict[str, str]:
    """What this officer may do to many at once, by name."""
    return {deed: DEED_NAMES[deed] for deed, act in DEEDS.items() if scope_of(who.role, act) != "none"}


async def _inbox(request: web.Request, who: Officer, lines: list[Line], *, problem: str = "") -> web.Response:
    office, deeds = request.app[OFFICE], deeds_of(who)
    query, after = _query(request, who)
    items, more = await worklist_views.inbox(office, who, query, after, PAGE)
    return await page(
        request,
        "desk.html",
        status=422 if problem else 200,
        tasks=items,
        query=query,
        shows=SHOWS,
        states={state: STATE_NAMES[state] for state in OPEN_STATES},
        items={code: item.name for code, item in sorted(office.catalogue.items.items())},
        levels=LEVEL_NAMES,
        tickable={one.case_id for one in items if _may_tick(one, deeds)},
        deeds=deeds,
        methods={name: DELIVERY_METHODS[name] for name in ("counter", "electronic")},
        key=uuid7(),
        lines=lines,
        problem=problem,
        more=more,
        writes_templates=bool(who.department) and scope_of(who.role, "write_template") != "none",
    )


def _query(request: web.Request, who: Officer) -> tuple[Query, str]:
    asked = request.query
    show = asked.get("show") or ("todo" if steps_of(who.role) else "all")
    state, item, after = asked.get("state", ""), asked.get("item", ""), asked.get("after", "")
    if show not in SHOWS or (item and not _ITEM.fullmatch(item)) or (after and not _CURSOR.fullmatch(after)):
        raise Refused("bad_request")
    known = state if state in OPEN_STATES else ""
    return Query(show, known, item, late=asked.get("late") == "1"), after  # type: ignore[arg-type]  # one of SHOWS


def _may_tick(one: TaskItem, deeds: dict[str, str]) -> bool:
    free = one.holder is None or one.holder.own or not one.holder.live
    return free and _BATCH_STEPS.get(one.step) in deeds


def _batch(fields: dict[str, str]) -> Batch:
    """The batch as the form says it; raises ValueError or KeyError for what no form of ours sends."""
    ticked = [(found[1], version) for name, version in fields.items() if (found := _CASE.fullmatch(name))]
    if any(not _VERSION.fullmatch(version) for _, version in ticked) or not 0 < len(fields["key"]) <= 64:  # noqa: PLR2004
        raise ValueError("no form of ours")
    deed, method, opinion = fields["deed"], fields.get("method", "counter"), fields.get("opinion", "")
    if deed not in DEEDS or method not in {"counter", "electronic"} or len(opinion) > _LONGEST:
        raise ValueError("no form of ours")
    chosen = tuple(Chosen(case_id, int(version)) for case_id, version in ticked)
    return Batch(deed, chosen, opinion, method)  # type: ignore[arg-type]  # checked above


def _line(outcome: Outcome, number: str) -> Line:
    if outcome.refused is None:
        return Line(outcome.case_id, number, "已办理", done=True)
    refused = outcome.refused
    return Line(outcome.case_id, number, f"{REFUSALS[refused.code].title}：{detail_of(refused)}", done=False)
