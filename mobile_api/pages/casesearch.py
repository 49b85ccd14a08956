"""Finding a case at the desk. The form is posted, so that neither addresses nor their logs keep what was looked for."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from aiohttp import web

from handlers import casesearch
from handlers.access import Officer
from handlers.casesearch import PURPOSES, Hit, Search
from handlers.errors import Refused
from handlers.policy import scope_of
from handlers.refusals import REFUSALS
from mobile_api.pages.refusals import detail_of
from mobile_api.pages.rendering import page
from mobile_api.pages.session import officer, submitted
from mobile_api.web.keys import OFFICE

PAGE = 20
_ITEM = re.compile(r"[A-Z0-9-]{0,16}")
_CURSOR = re.compile(r"(\d{4}-\d{2}-\d{2}_[0-9A-Za-z-]{1,36})?")
_LONGEST = {"code": 200, "applicant": 100}


async def show(request: web.Request) -> web.StreamResponse:
    """The empty form."""
    who = await officer(request)
    if scope_of(who.role, "search_cases") == "none":
        raise Refused("forbidden")
    return await _page(request, {}, None)


async def search(request: web.Request) -> web.StreamResponse:
    """What was found."""
    who, fields = await officer(request), await submitted(request)
    try:
        hits, more = await _search(request, who, fields)
    except Refused as refused:
        if REFUSALS[refused.code].status != web.HTTPUnprocessableEntity.status_code:
            raise
        return await _page(request, fields, None, problem=detail_of(refused))
    return await _page(request, fields, hits, more=more)


async def _search(request: web.Request, who: Officer, fields: Mapping[str, str]) -> tuple[list[Hit], str]:
    purpose, item, cursor = fields.get("purpose", ""), fields.get("item", ""), fields.get("cursor", "")
    short = all(len(fields.get(name, "")) <= most for name, most in _LONGEST.items())
    if purpose not in PURPOSES or not _ITEM.fullmatch(item) or not _CURSOR.fullmatch(cursor) or not short:
        raise Refused("bad_request")
    wanted = Search(
        purpose,  # type: ignore[arg-type]  # one of PURPOSES
        fields.get("code", ""), fields.get("applicant", ""), item, _day(fields, "since"), _day(fields, "until"), cursor, PAGE,
    )  # fmt: skip
    return await casesearch.search(request.app[OFFICE], who, wanted)


async def _page(
    request: web.Request, typed: Mapping[str, str], hits: list[Hit] | None, *, more: str = "", problem: str = ""
) -> web.Response:  # fmt: skip
    items = {code: item.name for code, item in sorted(request.app[OFFICE].catalogue.items.items())}
    status = 422 if problem else 200
    return await page(
        request, "casesearch.html", status=status, typed=typed, hits=hits, more=more, problem=problem, items=items, purposes=PURPOSES
    )


def _day(fields: Mapping[str, str], name: str) -> dt.date | None:
    text = fields.get(name, "").strip()
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise Refused("bad_request") from None
