"""Who works on a case: claim, release, assign, hand over."""

from __future__ import annotations

import msgspec

from handlers import claims
from handlers.claims import Claiming, ClaimView, Colleague, Passing
from handlers.office import Office
from mobile_api.views.desk import officer
from mobile_api.web.caller import Caller


class Colleagues(msgspec.Struct, frozen=True):
    """Whom a case may be given to."""

    items: list[Colleague]
    next_cursor: None = None


async def show(id: str, caller: Caller, office: Office) -> ClaimView:  # noqa: A002 - the path's own word
    """Who holds the caller's part of a case."""
    return await claims.show(office, officer(caller), id)


async def claim(id: str, body: Claiming, caller: Caller, office: Office) -> ClaimView:  # noqa: A002
    """Claim a case, or take it over with a reason."""
    return await claims.claim(office, officer(caller), id, body.reason)


async def claim_task(id: str, body: Claiming, caller: Caller, office: Office) -> ClaimView:  # noqa: A002
    """The same by the id of one of its tasks."""
    return await claims.claim_task(office, officer(caller), id, body.reason)


async def release(id: str, caller: Caller, office: Office) -> ClaimView:  # noqa: A002
    """Give a case back."""
    return await claims.release(office, officer(caller), id)


async def assign(id: str, body: Passing, caller: Caller, office: Office) -> ClaimView:  # noqa: A002
    """Give a case to an officer of one's department."""
    return await claims.assign(office, officer(caller), id, body)


async def hand_over(id: str, body: Passing, caller: Caller, office: Office) -> ClaimView:  # noqa: A002
    """Give what one holds to a colleague."""
    return await claims.hand_over(office, officer(caller), id, body)


async def colleagues(id: str, caller: Caller, office: Office) -> Colleagues:  # noqa: A002
    """Whom the caller may give his part of the case to."""
    return Colleagues(await claims.colleagues(office, officer(caller), id))
