"""Bundles somebody applied for: the umbrella with its parts, and taking it back."""

from __future__ import annotations

from typing import Annotated

import msgspec

from handlers import bundles
from handlers.bundleviews import UmbrellaView
from handlers.office import Office
from mobile_api.views.cases import Reason
from mobile_api.web.caller import Caller
from mobile_api.web.idempotency import Once
from mobile_api.web.operation import Answer


class UmbrellasQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`cursor` comes from the last page."""

    cursor: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class UmbrellaPage(msgspec.Struct, frozen=True):
    """A page of umbrellas, newest first."""

    items: list[UmbrellaView]
    next_cursor: str | None


async def listing(query: UmbrellasQuery, caller: Caller, office: Office) -> UmbrellaPage:
    """My bundles."""
    return UmbrellaPage(*await bundles.mine(office, caller.account_id, query.cursor, query.limit))


async def show(id: str, caller: Caller, office: Office) -> UmbrellaView:  # noqa: A002 - the path's own word
    """One bundle with its parts."""
    return await bundles.show(office, caller.account_id, id)


async def withdraw(id: str, body: Reason, caller: Caller, office: Office, once: Once) -> Answer[UmbrellaView]:  # noqa: A002
    """Take back every part that is not decided."""
    return await once.settled(lambda settle: bundles.withdraw(office, caller.account_id, id, body.reason, settle), Answer)
