"""What the administrator looks after, on one page: departments, what the town offers, its calendar, accounts."""

from __future__ import annotations

from aiohttp import web

from handlers.errors import Refused
from handlers.limits import LOCAL
from handlers.policy import scope_of
from mobile_api.pages.rendering import page
from mobile_api.pages.session import officer
from mobile_api.web.keys import OFFICE

ACTION = "administer"


async def show(request: web.Request) -> web.StreamResponse:
    """The state of the town, and the way to each thing that can be done about it."""
    who = await officer(request)
    if scope_of(who.role, ACTION) == "none":
        raise Refused("forbidden")
    office = request.app[OFFICE]
    catalogue, years = office.catalogue, sorted(office.calendar.tables)
    counts = {
        "事项": len(catalogue.items),
        "一件事": len(catalogue.bundles),
        "部门": len(catalogue.departments),
        "证照种类": len(catalogue.certificates),
    }
    this_year = office.clock.now().astimezone(LOCAL).year
    missing = [year for year in (this_year, this_year + 1) if year not in office.calendar.tables]
    return await page(request, "admin.html", counts=counts, years=years, missing=missing)
