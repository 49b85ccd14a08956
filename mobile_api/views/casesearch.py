"""Finding a case at the desk."""

from __future__ import annotations

import msgspec

from handlers import casesearch
from handlers.casesearch import Hit, Search
from handlers.office import Office
from mobile_api.views.desk import officer
from mobile_api.web.caller import Caller


class Hits(msgspec.Struct, frozen=True):
    """A page of what was found, the latest submitted first."""

    items: list[Hit]
    next_cursor: str | None


async def search(body: Search, caller: Caller, office: Office) -> Hits:
    """Find cases; the words are in the body, so that no log of addresses keeps them."""
    items, more = await casesearch.search(office, officer(caller), body)
    return Hits(items, more or None)
