"""Every page on one screen; who is not logged in is sent to the log-in by the pages that ask who is there."""

from __future__ import annotations

from mobile_api.pages import admin, departments, desk, hall, papers, proxies, reports, setaside, start, supervision, verify
from mobile_api.pages.frame import Page

_ID = r"[A-Za-z0-9_-]{1,36}"

PAGES = [
    Page("GET", "/", start.start),
    Page("GET", "/m", start.to_residents),
    Page("GET", "/m/", start.residents),
    Page("GET", "/m/config.json", start.resident_config),
    Page("GET", r"/m/assets/{name:[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}}", start.resident_asset),
    Page("GET", "/r/{code}", start.receipt),
    Page("GET", "/login", start.show_login),
    Page("POST", "/login", start.login),
    Page("POST", "/logout", start.logout),
    Page("GET", "/favicon.ico", start.favicon),
    Page("GET", "/hall", hall.show),
    Page("POST", "/hall", hall.scan),
    Page("GET", "/verify", verify.show),
    Page("POST", "/verify", verify.check),
    Page("GET", "/admin", admin.show),
    Page("GET", "/supervision", supervision.overview),
    Page("GET", "/supervision/reports", reports.show),
    Page("GET", r"/supervision/reports.{kind:csv|xlsx}", reports.download),
    Page("GET", "/supervision/new", supervision.show_issue),
    Page("POST", "/supervision/new", supervision.issue),
    Page("GET", "/supervision/cards", supervision.listing),
    Page("GET", rf"/supervision/cards/{{id:{_ID}}}", supervision.show),
    Page("POST", rf"/supervision/cards/{{id:{_ID}}}", supervision.act),
    Page("GET", "/desk", desk.listing),
    Page("GET", "/desk/debts", papers.listing),
    Page("GET", "/desk/proxies", proxies.listing),
    Page("GET", rf"/desk/proxies/{{id:{_ID}}}", proxies.show),
    Page("POST", rf"/desk/proxies/{{id:{_ID}}}", proxies.act),
    Page("GET", rf"/desk/proxies/{{id:{_ID}}}/document", proxies.document),
    Page("GET", "/desk/departments", departments.listing),
    Page("POST", r"/desk/departments/{code:[A-Z0-9_-]{1,16}}", departments.act),
    Page("GET", "/desk/messages", setaside.listing),
    Page("GET", rf"/desk/messages/{{id:{_ID}}}", setaside.show),
    Page("POST", rf"/desk/messages/{{id:{_ID}}}", setaside.act),
    Page("GET", rf"/desk/cases/{{id:{_ID}}}", desk.show),
    Page("POST", rf"/desk/cases/{{id:{_ID}}}", desk.act),
    Page("GET", rf"/desk/cases/{{id:{_ID}}}/uploads/{{upload:{_ID}}}", desk.content),
]
