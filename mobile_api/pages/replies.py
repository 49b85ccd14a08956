"""Reply templates: the list of a department with its forms, and filling one into a form of a case's page."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aiohttp import web
from yarl import URL

from handlers import replies
from handlers.access import Officer
from handlers.errors import Refused
from handlers.office import Office
from handlers.refusals import REFUSALS
from handlers.replies import GAPS, KINDS, Template
from mobile_api.pages.refusals import detail_of
from mobile_api.pages.rendering import page
from mobile_api.pages.session import officer, submitted
from mobile_api.web.keys import OFFICE

DONE = {"add": "模板已保存。", "change": "模板已修改。", "retire": "模板已停用。"}
OF_ACT = {"request_correction": "correction", "not_accept": "not_accept", "decide": "refuse", "opinion": "opinion", "note": "note"}
"""Which kind of template fits the form of which act."""

_ID = re.compile(r"[0-9a-f-]{36}")
_LONGEST = {"title": 60, "text": 2000}


async def listing(request: web.Request) -> web.StreamResponse:
    """The templates of the officer's department."""
    return await _listing(request, await officer(request), {}, done=DONE.get(request.query.get("done", ""), ""))


async def act(request: web.Request) -> web.StreamResponse:
    """Add, change or retire a template."""
    who, fields = await officer(request), await submitted(request)
    try:
        await _do(request.app[OFFICE], who, fields)
    except Refused as refused:
        if REFUSALS[refused.code].status != web.HTTPUnprocessableEntity.status_code:
            raise
        return await _listing(request, who, fields, problem=detail_of(refused))
    raise web.HTTPSeeOther(URL("/desk/templates").with_query(done=fields["act"]))


async def filled(office: Office, who: Officer, case_id: str, fields: Mapping[str, str]) -> str | None:
    """The text of a form with the chosen template behind what stands there; None if none was chosen."""
    found = await replies.for_case(office, who, case_id)
    chosen = next((one for one in found if one.id == fields.get("template") and one.kind == OF_ACT.get(fields.get("act", ""))), None)
    if chosen is None:
        return None
    written = fields.get("reason", "").strip()
    return f"{written}\n{chosen.text}" if written else chosen.text


async def _listing(
    request: web.Request, who: Officer, typed: Mapping[str, str], *, problem: str = "", done: str = ""
) -> web.Response:  # fmt: skip
    found = await replies.listing(request.app[OFFICE], who)
    status = 422 if problem else 200
    return await page(
        request, "templates.html", status=status, found=found, kinds=KINDS, gaps=GAPS, typed=typed, problem=problem, done=done
    )


async def _do(office: Office, who: Officer, fields: Mapping[str, str]) -> None:
    name, wanted = fields.get("act", ""), fields.get("id", "")
    if name not in DONE or (name != "add" and not _ID.fullmatch(wanted)):
        raise Refused("bad_request")
    if name == "retire":
        await replies.retire(office, who, wanted)
    elif name == "change":
        await replies.change(office, who, wanted, _template(fields))
    else:
        await replies.add(office, who, _template(fields))


def _template(fields: Mapping[str, str]) -> Template:
    title, text, kind = fields.get("title", ""), fields.get("text", ""), fields.get("kind", "")
    if kind not in KINDS or len(title) > _LONGEST["title"] or len(text) > _LONGEST["text"]:
        raise Refused("bad_request")
    return Template(kind, title, text)  # type: ignore[arg-type]  # one of KINDS
