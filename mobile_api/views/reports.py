"""The reports of e-supervision, as JSON and as tables to take along."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from aiohttp import hdrs, web

from handlers import reports
from handlers.office import Office
from handlers.reports import Group, Report, Wanted
from mobile_api.views.desk import officer
from mobile_api.web.caller import Caller
from mobile_api.web.sheets import CSV, XLSX, csv_file, xlsx_file

Month = Annotated[str, msgspec.Meta(pattern=r"^(20[0-9]{2}-(0[1-9]|1[0-2]))?$")]


class ReportQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From month `since` to month `until` (`2026-03`), both this month if left out; `department` empty = all that the caller may see."""

    since: Month = ""
    until: Month = ""
    group: Group = "department"
    department: Annotated[str, msgspec.Meta(max_length=16)] = ""


async def show(query: ReportQuery, caller: Caller, office: Office) -> Report:
    """A report."""
    return await reports.report(office, officer(caller), wanted(query, office))


async def as_csv(query: ReportQuery, caller: Caller, office: Office) -> web.Response:
    """A report as CSV."""
    return csv_of(await show(query, caller, office))


async def as_xlsx(query: ReportQuery, caller: Caller, office: Office) -> web.Response:
    """A report as XLSX."""
    return xlsx_of(await show(query, caller, office))


def wanted(query: ReportQuery, office: Office) -> Wanted:
    """What a query asks for."""
    until = _month(query.until, office)
    return Wanted(_month(query.since, office) if query.since else until, until, query.group, query.department)


def csv_of(report: Report) -> web.Response:
    """A report's table as a file for any spreadsheet."""
    return _file(csv_file(reports.titles(report), reports.rows(report)), CSV, f"{_name(report)}.csv")


def xlsx_of(report: Report) -> web.Response:
    """A report's table as a workbook."""
    body = xlsx_file(f"{report.since} {report.until}", reports.titles(report), reports.rows(report))
    return _file(body, XLSX, f"{_name(report)}.xlsx")


def _name(report: Report) -> str:
    return f"report-{report.group}-{report.since}-{report.until}"


def _file(body: bytes, media_type: str, name: str) -> web.Response:
    headers = {hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"', hdrs.CACHE_CONTROL: "no-store"}
    charset = "utf-8" if media_type == CSV else None
    return web.Response(body=body, content_type=media_type, charset=charset, headers=headers)


def _month(text: str, office: Office) -> dt.date:
    return dt.date.fromisoformat(f"{text}-01") if text else reports.this_month(office)
