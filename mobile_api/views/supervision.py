"""Electronic supervision for supervisors and units: cards, what is done with them, and what will be late."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from handlers import supervision_cards as cards
from handlers import supervision_views as views
from handlers.office import Office
from handlers.supervision_cards import Manual
from handlers.supervision_rules import Kind
from handlers.supervision_views import Ahead, CardDetail, CardItem
from mobile_api.views.desk import officer
from mobile_api.web.caller import Caller

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class CardQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Each filter may be left out; `month` is that in which the card was earned, e.g. 2026-03."""

    level: Literal["", "warning", "yellow", "red"] = ""
    state: Literal["", "pending", "issued", "supervised", "revoked", "dropped"] = ""
    kind: Literal["", Kind] = ""
    department: Annotated[str, msgspec.Meta(max_length=16)] = ""
    month: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{4}-[0-9]{2})?$")] = ""
    cursor: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class CardPage(msgspec.Struct, frozen=True):
    """A page of cards, newest first."""

    items: list[CardItem]
    next_cursor: str | None


class Because(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is decided so; it stays with the card."""

    reason: Reason


class Saying(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the unit says."""

    text: Words


class Settling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to an appeal: the card falls, it stands, or the county is asked."""

    result: Literal["revoked", "rejected", "reported"]
    reason: Reason


class Issuing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card by hand; `ground` is the code of one of the grounds."""

    case_number: Annotated[str, msgspec.Meta(min_length=1, max_length=24)]
    ground: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    level: Literal["warning", "yellow", "red"]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class OutlookQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many working days to look ahead."""

    days: Annotated[int, msgspec.Meta(ge=0, le=30)] = 3


class Outlook(msgspec.Struct, frozen=True):
    """What will earn a card if nothing is done, the soonest first; at most 200."""

    items: list[Ahead]
    next_cursor: None = None


class GroundView(msgspec.Struct, frozen=True):
    """What a card may be given for by hand."""

    code: str
    name: str


class Grounds(msgspec.Struct, frozen=True):
    """All grounds."""

    items: list[GroundView]
    next_cursor: None = None


async def listing(query: CardQuery, caller: Caller, office: Office) -> CardPage:
    """The cards that the caller may see."""
    wanted = cards.wanted(level=query.level, state=query.state, kind=query.kind, department=query.department, month=query.month)
    rows = await cards.listing(office, officer(caller), wanted, query.cursor, query.limit)
    return CardPage([views.item(office, row) for row in rows], rows[-1]["id"] if len(rows) == query.limit else None)


async def show(id: str, caller: Caller, office: Office) -> CardDetail:  # noqa: A002 - the path's own word
    """One card with its explanation."""
    return await _detail(caller, office, await cards.show(office, officer(caller), id))


async def issue(body: Issuing, caller: Caller, office: Office) -> CardDetail:
    """Give a card by hand."""
    manual = Manual(body.case_number, body.ground, body.level, body.reason)
    return await _detail(caller, office, await cards.issue_by_hand(office, officer(caller), manual))


async def confirm(id: str, caller: Caller, office: Office) -> CardDetail:  # noqa: A002
    """Issue a card that waited for it."""
    return await _detail(caller, office, await cards.confirm(office, officer(caller), id))


async def drop(id: str, body: Because, caller: Caller, office: Office) -> CardDetail:  # noqa: A002
    """Do not issue a card that waited for it."""
    return await _detail(caller, office, await cards.drop(office, officer(caller), id, body.reason))


async def supervise(id: str, body: Because, caller: Caller, office: Office) -> CardDetail:  # noqa: A002
    """Press for the matter itself."""
    return await _detail(caller, office, await cards.supervise(office, officer(caller), id, body.reason))


async def revoke(id: str, body: Because, caller: Caller, office: Office) -> CardDetail:  # noqa: A002
    """Take a card back."""
    return await _detail(caller, office, await cards.revoke(office, officer(caller), id, body.reason))


async def feedback(id: str, body: Saying, caller: Caller, office: Office) -> CardDetail:  # noqa: A002
    """The unit's answer."""
    return await _detail(caller, office, await cards.feedback(office, officer(caller), id, body.text))


async def appeal(id: str, body: Saying, caller: Caller, office: Office) -> CardDetail:  # noqa: A002
    """The unit's appeal."""
    return await _detail(caller, office, await cards.appeal(office, officer(caller), id, body.text))


async def settle_appeal(id: str, body: Settling, caller: Caller, office: Office) -> CardDetail:  # noqa: A002
    """The answer to an appeal."""
    return await _detail(caller, office, await cards.settle_appeal(office, officer(caller), id, body.result, body.reason))


async def outlook(query: OutlookQuery, caller: Caller, office: Office) -> Outlook:
    """What will be late."""
    return Outlook(await views.outlook(office, officer(caller), query.days))


async def grounds(office: Office) -> Grounds:
    """What a card may be given for by hand."""
    return Grounds([GroundView(ground.code, ground.name) for ground in office.supervision.grounds])


async def _detail(caller: Caller, office: Office, row: dict[str, Any]) -> CardDetail:
    return await views.detail(office, officer(caller), row)
