"""Authorities to act for others: the resident's own, and those that officers look at."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from aiohttp import web

from handlers import proxies, proxydesk
from handlers.office import Office
from handlers.proxies import Asking, Confirming
from handlers.proxyviews import ProxyDeskView, ProxyLine, ProxyView
from mobile_api.views.desk import officer
from mobile_api.views.uploads import send
from mobile_api.web.caller import Caller
from mobile_api.web.idempotency import Once
from mobile_api.web.operation import Answer


class ProxyList(msgspec.Struct, frozen=True):
    """Every authority of an account, newest first."""

    items: list[ProxyView]
    next_cursor: None = None


class ProxiesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`cursor` comes from the last page."""

    state: Literal["asked", "active", "refused", "revoked", "ended"] = "asked"
    cursor: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class Ending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an authority does not hold; both persons read it."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class ProxyPage(msgspec.Struct, frozen=True):
    """A page of authorities, the oldest first."""

    items: list[ProxyLine]
    next_cursor: str | None


async def mine(caller: Caller, office: Office) -> ProxyList:
    """The authorities I have for others, and those I gave."""
    return ProxyList(await proxies.mine(office, caller.account_id))


async def ask(body: Asking, caller: Caller, office: Office, once: Once) -> Answer[ProxyView]:
    """Ask for an authority."""
    return await once.settled(lambda settle: proxies.ask(office, caller.account_id, body, settle), _created)


async def confirm(body: Confirming, caller: Caller, office: Office, once: Once) -> Answer[ProxyView]:
    """Agree as the principal."""
    return await once.settled(lambda settle: proxies.confirm(office, caller.account_id, body, settle), Answer)


async def revoke(id: str, caller: Caller, office: Office) -> None:  # noqa: A002 - the path's own word
    """Give an authority back, or take it away."""
    await proxies.revoke(office, caller.account_id, id)


async def listing(query: ProxiesQuery, caller: Caller, office: Office) -> ProxyPage:
    """Authorities to look at."""
    items = await proxydesk.listing(office, officer(caller), query.state, query.cursor or "", query.limit)
    return ProxyPage(items, items[-1].id if len(items) == query.limit else None)


async def show(id: str, caller: Caller, office: Office) -> ProxyDeskView:  # noqa: A002
    """One authority with both persons."""
    return await proxydesk.show(office, officer(caller), id)


async def document(id: str, request: web.Request, caller: Caller, office: Office) -> web.StreamResponse:  # noqa: A002
    """The paper that shows the authority."""
    upload, blocks = await proxydesk.document(office, officer(caller), id)
    return await send(request, upload, blocks)


async def approve(id: str, caller: Caller, office: Office) -> ProxyDeskView:  # noqa: A002
    """The paper is in order."""
    return await proxydesk.approve(office, officer(caller), id)


async def refuse(id: str, body: Ending, caller: Caller, office: Office) -> ProxyDeskView:  # noqa: A002
    """The paper does not show an authority."""
    return await proxydesk.refuse(office, officer(caller), id, body.reason)


async def take_back(id: str, body: Ending, caller: Caller, office: Office) -> ProxyDeskView:  # noqa: A002
    """Take an authority back."""
    return await proxydesk.revoke(office, officer(caller), id, body.reason)


async def unlink(id: str, body: Ending, caller: Caller, office: Office) -> ProxyDeskView:  # noqa: A002
    """The account that confirmed is not the principal's."""
    return await proxydesk.unlink(office, officer(caller), id, body.reason)


def _created(view: ProxyView) -> Answer[ProxyView]:
    return Answer(view, status=201)
