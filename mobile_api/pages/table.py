"""Every page on one screen; who is not logged in is sent to the log-in by the pages that ask who is there."""

from __future__ import annotations

from mobile_api.pages import desk, hall, start
from mobile_api.pages.frame import Page

PAGES = [
    Page("GET", "/", start.start),
    Page("GET", "/m", start.to_residents),
    Page("GET", "/m/", start.residents),
    Page("GET", "/m/config.json", start.resident_config),
    Page("GET", r"/m/assets/{name:[\w-][\w.-]*}", start.resident_asset),
    Page("GET", "/r/{code}", start.receipt),
    Page("GET", "/login", start.show_login),
    Page("POST", "/login", start.login),
    Page("POST", "/logout", start.logout),
    Page("GET", "/favicon.ico", start.favicon),
    Page("GET", "/hall", hall.show),
    Page("POST", "/hall", hall.scan),
    Page("GET", "/desk", desk.listing),
    Page("GET", "/desk/cases/{id}", desk.show),
    Page("POST", "/desk/cases/{id}", desk.act),
    Page("GET", "/desk/cases/{id}/uploads/{upload}", desk.content),
]
