"""The desk: what is waiting, one case with everything on it, and the acts open to this officer."""

from __future__ import annotations

from aiohttp import web

from handlers import desk, timeline, uploads
from handlers.access import Officer
from handlers.caseviews import CaseView
from handlers.policy import scope_of
from handlers.procedure import Correction, FieldNote, MaterialNote
from handlers.transitions import OPEN_STATES, STATE_NAMES
from mobile_api.pages.frame import page
from mobile_api.pages.session import officer, submitted
from mobile_api.views.uploads import send
from mobile_api.web.keys import OFFICE

PAGE = 50


async def listing(request: web.Request) -> web.StreamResponse:
    """Cases waiting, oldest first."""
    who = await officer(request)
    state = request.query.get("state", "")
    found = await desk.waiting(request.app[OFFICE], who, [state] if state in STATE_NAMES else [], request.query.get("after"), PAGE)
    more = found[-1].id if len(found) == PAGE else ""
    states = {state: STATE_NAMES[state] for state in OPEN_STATES}
    return await page(request, "desk.html", cases=found, state=state, states=states, more=more)


async def show(request: web.Request) -> web.StreamResponse:
    """One case."""
    who, office = await officer(request), request.app[OFFICE]
    case = await desk.show(office, who, request.match_info["id"])
    history = await timeline.history(office, case.id, 0, 200)
    item = await office.catalogue.version(office.database, case.item.code, case.item.version)
    labels = {field.name: field.label for field in item.form.fields}
    return await page(request, "case.html", case=case, history=history, labels=labels, item=item, acts=_acts(who, case), me=who)


async def act(request: web.Request) -> web.StreamResponse:
    """Do what the pressed button says, on the version of the case that the page showed."""
    who, fields, case_id = await officer(request), await submitted(request), request.match_info["id"]
    version = int(fields["version"]) if fields.get("version", "").isdigit() else 0
    await _do(request, who, case_id, version, fields)
    raise web.HTTPSeeOther(f"/desk/cases/{case_id}")


async def content(request: web.Request) -> web.StreamResponse:
    """A file that was handed in, for those who may see its case."""
    who, office = await officer(request), request.app[OFFICE]
    case = await desk.show(office, who, request.match_info["id"])
    wanted = request.match_info["upload"]
    if not any(upload.id == wanted for material in case.materials for upload in material.uploads):
        raise web.HTTPNotFound
    upload, blocks = await uploads.open_for_office(office, wanted)
    return await send(request, upload, blocks)


async def _do(request: web.Request, who: Officer, case_id: str, version: int, fields: dict[str, str]) -> None:
    office, text = request.app[OFFICE], fields.get("reason", "").strip()
    match fields.get("act"):
        case "accept":
            await desk.accept(office, who, case_id, version)
        case "not_accept":
            await desk.not_accept(office, who, case_id, version, text)
        case "request_correction":
            await desk.request_correction(office, who, case_id, version, _correction(fields, text))
        case "decide":
            await desk.decide(office, who, case_id, version, fields.get("result", ""), text)
        case "opinion":
            await desk.give_opinion(office, who, fields.get("task", ""), case_id, version, fields.get("result", ""), text)
        case _:
            raise web.HTTPBadRequest


def _correction(fields: dict[str, str], reason: str) -> Correction:
    notes = {name.partition(":")[::2]: text.strip() for name, text in fields.items() if text.strip()}
    return Correction(
        reason,
        tuple(FieldNote(name, text) for (kind, name), text in notes.items() if kind == "field"),
        tuple(MaterialNote(name, text) for (kind, name), text in notes.items() if kind == "material"),
    )


def _acts(who: Officer, case: CaseView) -> set[str]:
    """The buttons to show; the handlers check again."""
    own = who.department == case.department.code
    may = {act for act in ("accept", "not_accept", "request_correction", "decide") if _reaches(who, act, own=own)}
    open_now = {"accept", "not_accept", "request_correction"} if case.state == "submitted" else set()
    open_now |= {"decide"} if case.state == "in_review" and any(task.step == "decide" for task in case.tasks) else set()
    return may & open_now


def _reaches(who: Officer, act: str, *, own: bool) -> bool:
    scope = scope_of(who.role, act)
    return scope == "area" or (scope == "department" and own)
