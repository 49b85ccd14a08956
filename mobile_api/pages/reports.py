"""The reports of e-supervision as a page, with the same table to take along."""

from __future__ import annotations

import msgspec
from aiohttp import web

from handlers import reports
from handlers.access import Officer
from handlers.errors import Refused
from handlers.reports import GROUPS, Report
from mobile_api.pages.refusals import detail_of
from mobile_api.pages.rendering import page
from mobile_api.pages.session import officer
from mobile_api.views.reports import ReportQuery, csv_of, wanted, xlsx_of
from mobile_api.web.keys import OFFICE

_FILES = {"csv": csv_of, "xlsx": xlsx_of}


async def show(request: web.Request) -> web.StreamResponse:
    """The table of the months and the grouping that the form asks for."""
    who, query, problem, found = await officer(request), _query(request), "", None
    try:
        found = await _report(request, who, query)
    except Refused as refused:
        if refused.code != "report_span":
            raise
        problem = detail_of(refused)
    office = request.app[OFFICE]
    departments = {code: one.name for code, one in office.catalogue.departments.items()}
    this_month = f"{reports.this_month(office):%Y-%m}"
    return await page(
        request,
        "reports.html",
        status=422 if problem else 200,
        problem=problem,
        report=found,
        lines=[*found.lines, found.total] if found else [],
        figures=list(reports.TITLES.items())[1:],
        groups=GROUPS,
        sees_all_reports=reports.sees_all(who),
        departments=departments,
        asked={"since": query.since or this_month, "until": query.until or this_month, "group": query.group, "of": query.department},
        files={kind: f"/supervision/reports.{kind}?{request.query_string}" for kind in _FILES},
    )


async def download(request: web.Request) -> web.StreamResponse:
    """The table as a file."""
    return _FILES[request.match_info["kind"]](await _report(request, await officer(request), _query(request)))


async def _report(request: web.Request, who: Officer, query: ReportQuery) -> Report:
    office = request.app[OFFICE]
    return await reports.report(office, who, wanted(query, office))


def _query(request: web.Request) -> ReportQuery:
    try:
        return msgspec.convert(dict(request.query), ReportQuery)
    except msgspec.ValidationError:
        raise Refused("bad_request") from None
