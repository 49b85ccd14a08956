"""Every page on one screen."""

from __future__ import annotations

from mobile_api.pages import desk, hall, start
from mobile_api.pages.frame import Page

PAGES = [
    Page("GET", "/", start.start, staff=False),
    Page("GET", "/m/", start.residents, staff=False),
    Page("GET", "/m/config.json", start.resident_config, staff=False),
    Page("GET", "/r/{code}", start.receipt, staff=False),
    Page("GET", "/login", start.show_login, staff=False),
    Page("POST", "/login", start.login, staff=False),
    Page("POST", "/logout", start.logout, staff=True),
    Page("GET", "/favicon.ico", start.favicon, staff=False),
    Page("GET", "/hall", hall.show, staff=True),
    Page("POST", "/hall", hall.scan, staff=True),
    Page("GET", "/desk", desk.listing, staff=True),
    Page("GET", "/desk/cases/{id}", desk.show, staff=True),
    Page("POST", "/desk/cases/{id}", desk.act, staff=True),
    Page("GET", "/desk/cases/{id}/uploads/{upload}", desk.content, staff=True),
]
