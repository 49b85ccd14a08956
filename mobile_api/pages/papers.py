"""Papers that may follow, at the desk: the part of a case's page about them, and the ledger (容缺台账)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from handlers import paperdesk, priorities
from handlers.access import Officer
from handlers.caseviews import CaseView
from handlers.errors import Refused
from handlers.office import Office
from handlers.papers import Finding, Waiver
from handlers.policy import scope_of
from handlers.priorities import GROUPS, Marking
from mobile_api.pages.rendering import page
from mobile_api.pages.session import officer
from mobile_api.web.keys import OFFICE

Fields = Mapping[str, str]
Act = Callable[[Office, Officer, str, int, Fields], Awaitable[CaseView]]

PAGE = 50
KINDS = {"owed": "急办后补", "tolerated": "容缺后补", "commitment": "告知承诺"}
STATES = {
    "open": "待补", "lapsed": "逾期未补", "supplied": "已补交", "kept": "核查属实", "broken": "核查不实", "waived": "免予补交",
}  # fmt: skip
SHOWN = {"open": "未了结", "lapsed": "逾期未补", "broken": "承诺不实", "settled": "已了结"}
DONE = {
    "decide_first": "已先行决定，欠交的材料和期限已告知申请人。",
    "waive_paper": "已免予补交，已告知申请人。",
    "check_promise": "核查结果已登记，已告知申请人。",
    "revoke": "决定已撤销，理由和救济途径已告知申请人。",
    "set_priority": "优先办理已登记。",
}
PROBLEMS = {"evidence_missing": "请写明凭什么证件或情况列为优先。"}
NEEDS_REASON = frozenset({"decide_first", "waive_paper", "check_promise", "revoke"})

_CURSOR = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}_[0-9a-f-]{1,36}")
_UNDER_WAY = frozenset({"submitted", "correction_requested", "accepted", "in_review", "forwarded"})
_SHORT = 300


async def listing(request: web.Request) -> web.StreamResponse:
    """The ledger, the earliest date first."""
    who, office = await officer(request), request.app[OFFICE]
    shown, after = request.query.get("shown", "open"), request.query.get("after")
    if shown not in SHOWN or (after is not None and not _CURSOR.fullmatch(after)):
        raise Refused("bad_request")
    lines = await paperdesk.ledger(office, who, shown, after, PAGE)
    more = paperdesk.cursor(lines[-1]) if len(lines) == PAGE else ""
    return await page(request, "debts.html", lines=lines, shown=shown, shows=SHOWN, kinds=KINDS, states=STATES, more=more)


def of_case(who: Officer, case: CaseView, *, green: bool) -> dict[str, object]:
    """What the part of a case's page about papers shows, and which of its acts this officer has; the handlers check again."""
    found = {"set_priority"} if case.state in _UNDER_WAY else set()
    found |= {"decide_first"} if green and case.state in {"in_review", "forwarded"} else set()
    for one in case.debts:
        if one.open:
            found |= {"check_promise" if one.kind == "commitment" else "waive_paper"} if case.accepted_at else set()
    defaulted = any(one.state in {"lapsed", "broken"} for one in case.debts)
    found |= {"revoke"} if defaulted and case.decision == "granted" and case.revocation is None else set()
    may = {act for act in found if _may(who, act, case)}
    return {"may": may, "kinds": KINDS, "states": STATES, "groups": GROUPS}


async def _decide_first(office: Office, who: Officer, case_id: str, version: int, fields: Fields) -> CaseView:
    return await paperdesk.decide_first(office, who, case_id, version, _text(fields, "reason"))


async def _waive(office: Office, who: Officer, case_id: str, version: int, fields: Fields) -> CaseView:
    return await paperdesk.waive(office, who, case_id, version, Waiver(_text(fields, "material"), _short(fields)))


async def _check(office: Office, who: Officer, case_id: str, version: int, fields: Fields) -> CaseView:
    result = _text(fields, "result")
    if result not in {"kept", "broken"}:
        raise Refused("bad_request")
    finding = Finding(_text(fields, "material"), result, _short(fields))  # type: ignore[arg-type]  # one of the two
    return await paperdesk.check(office, who, case_id, version, finding)


async def _revoke(office: Office, who: Officer, case_id: str, version: int, fields: Fields) -> CaseView:
    return await paperdesk.revoke(office, who, case_id, version, _text(fields, "reason"))


async def _mark(office: Office, who: Officer, case_id: str, version: int, fields: Fields) -> CaseView:
    group = _text(fields, "group")
    if group and group not in priorities.GROUPS:
        raise Refused("bad_request")
    marking = Marking(group, _text(fields, "evidence")[:100])  # type: ignore[arg-type]  # one of the groups
    return await paperdesk.mark(office, who, case_id, version, marking)


ACTS: dict[str, Act] = {
    "decide_first": _decide_first,
    "waive_paper": _waive,
    "check_promise": _check,
    "revoke": _revoke,
    "set_priority": _mark,
}


def _may(who: Officer, act: str, case: CaseView) -> bool:
    scope = scope_of(who.role, act)
    return scope == "area" or (scope == "department" and who.department == case.department.code)


def _text(fields: Fields, name: str) -> str:
    return fields.get(name, "").strip()


def _short(fields: Fields) -> str:
    return _text(fields, "reason")[:_SHORT]
