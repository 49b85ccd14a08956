"""One case at the desk with everything on it, and the acts open to this officer."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web
from yarl import URL

from handlers import desk, particulars, timeline, uploads
from handlers import replies as templates
from handlers.access import Officer
from handlers.caseviews import CaseView
from handlers.catalogue import ServiceItem
from handlers.corrections import Correction, FieldNote, MaterialNote
from handlers.errors import Refused
from handlers.policy import scope_of
from handlers.refusals import REFUSALS
from handlers.tasks import LIVE
from mobile_api.pages import claims, life, papers, replies
from mobile_api.pages.refusals import detail_of
from mobile_api.pages.rendering import page
from mobile_api.pages.session import officer, submitted
from mobile_api.pages.words import DELIVERY_METHODS, said
from mobile_api.views.uploads import send
from mobile_api.web.keys import OFFICE

DONE = {
    "accept": "已受理，已通知申请人和各部门。",
    "not_accept": "已作出不予受理，理由已告知申请人。",
    "request_correction": "补正告知已发出，等待申请人补正。",
    "decide": "决定已作出，结果已告知申请人。",
    "opinion": "审查意见已提交。",
    **life.DONE,
    **claims.DONE,
}
_RESULTS = {"decide": {"granted", "refused"}, "opinion": {"agreed", "disagreed"}}
_NEEDS_REASON = {"not_accept", "request_correction", *life.NEEDS_REASON, *claims.NEEDS_REASON}
_PROBLEMS = {
    "reason_missing": "请先写明理由，再提交。",
    "correction_unknown": "请至少指明一项需要补正的材料或内容。",
    **life.PROBLEMS,
    **claims.PROBLEMS,
}
_VERSION = re.compile(r"[0-9]{1,9}")
_LONGEST = 2000  # characters of a text, as in the API


async def show(request: web.Request) -> web.StreamResponse:
    """One case; `?done=` names the act that led here."""
    return await _case(request, await officer(request), {}, done=DONE.get(request.query.get("done", ""), ""))


async def act(request: web.Request) -> web.StreamResponse:
    """Do what the pressed button says, on the version of the case that the page showed."""
    who, fields, case_id = await officer(request), await submitted(request), request.match_info["id"]
    if "fill" in fields:
        return await _fill(request, who, fields)
    try:
        await _do(request, who, case_id, fields)
    except Refused as refused:
        if REFUSALS[refused.code].status != web.HTTPUnprocessableEntity.status_code:
            raise
        return await _case(request, who, fields, problem=_PROBLEMS.get(refused.code) or detail_of(refused))
    raise web.HTTPSeeOther(URL(f"/desk/cases/{case_id}").with_query(done=fields["act"]))


async def _fill(request: web.Request, who: Officer, fields: dict[str, str]) -> web.Response:
    """Put the chosen template into the form; nothing is done yet."""
    text = await replies.filled(request.app[OFFICE], who, request.match_info["id"], fields)
    if text is None:
        return await _case(request, who, fields, problem="请先选择模板，再套用。")
    return await _case(request, who, {**fields, "reason": text[:_LONGEST]})


async def content(request: web.Request) -> web.StreamResponse:
    """A file that was handed in, for those who may see its case."""
    who, office = await officer(request), request.app[OFFICE]
    case = await desk.show(office, who, request.match_info["id"])
    wanted = request.match_info["upload"]
    if not any(upload.id == wanted for material in case.materials for upload in material.uploads):
        more = await particulars.of_case(office, who, case.id)
        if more.agent is None or more.agent.document != wanted:  # the paper by which somebody acts is of the case too
            raise Refused("not_found")
    upload, blocks = await uploads.open_for_office(office, wanted)
    return await send(request, upload, blocks)


async def _case(request: web.Request, who: Officer, typed: dict[str, str], *, problem: str = "", done: str = "") -> web.Response:
    """The page of a case; `typed` is what stood in a form that was refused, and stands there again."""
    office = request.app[OFFICE]
    case = await desk.show(office, who, request.match_info["id"])
    item = await office.catalogue.version(office.database, case.item.code, case.item.version)
    more = await particulars.of_case(office, who, case.id)
    return await page(
        request,
        "case.html",
        status=422 if problem else 200,
        case=case,
        item=item,
        answers=_answers(item, case.form),
        labels={field.name: field.label for field in item.form.fields} | {rule.code: rule.name for rule in item.materials},
        history=await timeline.history(office, case.id, 0, 200),
        due=await timeline.due_dates_of(office, case.id),
        acts=_acts(who, case),
        life=life.open_acts(who, case, more),
        more=more,
        papers=papers.of_case(who, case, green=item.green_channel),
        desk=await claims.of_case(office, who, case.id),
        templates=await templates.for_case(office, who, case.id),
        given={one.task_id: one for one in more.opinions},
        delivery_methods=DELIVERY_METHODS,
        own_tasks=_own_tasks(who, case),
        typed=typed,
        problem=problem,
        done=done,
    )


def _checked(fields: dict[str, str]) -> tuple[str, int, str]:
    """The act that the pressed button says, the version it is for, and its result; refused if no button of ours says so."""
    name = fields.get("act", "")
    version = int(fields["version"]) if _VERSION.fullmatch(fields.get("version", "")) else 0
    result = fields.get("result", "") if name not in {*life.ACTS, *claims.ACTS} else ""
    if name not in DONE or result not in _RESULTS.get(name, {""}) or any(len(text) > _LONGEST for text in fields.values()):
        raise Refused("bad_request")
    if name in _NEEDS_REASON and not fields.get("reason", "").strip():
        raise Refused("reason_missing")
    return name, version, result


async def _do(request: web.Request, who: Officer, case_id: str, fields: dict[str, str]) -> None:
    office, reason = request.app[OFFICE], fields.get("reason", "").strip()
    name, version, result = _checked(fields)
    if name in claims.ACTS:
        await claims.ACTS[name](office, who, case_id, fields)
        return
    match name:
        case "accept":
            await desk.accept(office, who, case_id, version)
        case "not_accept":
            await desk.not_accept(office, who, case_id, version, reason, fields.get("competent", "").strip()[:100])
        case "request_correction":
            await desk.request_correction(office, who, case_id, version, _correction(fields, reason))
        case "decide":
            await desk.decide(office, who, case_id, version, result, reason)
        case "opinion":
            await desk.give_opinion(office, who, fields.get("task", ""), case_id, version, result, reason)
        case _:
            await life.ACTS[name](office, who, case_id, version, fields)


def _answers(item: ServiceItem, form: dict[str, Any]) -> list[tuple[str, object]]:
    """What was filled in, in the words of the form."""
    labels = {field.name: field.label for field in item.form.fields}
    options = {(field.name, option.value): option.label for field in item.form.fields for option in field.options}
    return [(labels.get(name, name), options.get((name, str(value)), said(value))) for name, value in form.items()]


def _correction(fields: dict[str, str], reason: str) -> Correction:
    notes = [(name.partition(":")[::2], text.strip()) for name, text in fields.items() if text.strip()]
    return Correction(
        reason,
        tuple(FieldNote(name, text) for (kind, name), text in notes if kind == "field"),
        tuple(MaterialNote(name, text) for (kind, name), text in notes if kind == "material"),
    )


def _acts(who: Officer, case: CaseView) -> set[str]:
    """The buttons to show; the handlers check again."""
    own = who.department == case.department.code
    may = {act for act in ("accept", "not_accept", "request_correction", "decide") if _reaches(who, act, own=own)}
    open_now = {"accept", "not_accept", "request_correction"} if case.state == "submitted" else set()
    open_now |= {"decide"} if case.state in {"in_review", "forwarded"} and any(task.step == "decide" for task in case.tasks) else set()
    return may & open_now


def _reaches(who: Officer, act: str, *, own: bool) -> bool:
    scope = scope_of(who.role, act)
    return scope == "area" or (scope == "department" and own)


def _own_tasks(who: Officer, case: CaseView) -> set[str]:
    """The reviews that wait for this officer's opinion."""
    if scope_of(who.role, "give_opinion") == "none":
        return set()
    return {task.id for task in case.tasks if task.step == "review" and task.department.code == who.department and task.state in LIVE}
