"""Cases for officers and clerks."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from handlers import desk, particulars
from handlers.access import Officer
from handlers.caseviews import CaseSummary, CaseView
from handlers.corrections import Correction
from handlers.extensions import Asking
from handlers.handovers import Dispatch
from handlers.office import Office
from handlers.particulars import Particulars
from handlers.specials import Special
from mobile_api.web.caller import Caller
from mobile_api.web.operation import Answer

Text = Annotated[str, msgspec.Meta(max_length=2000)]


class DeskQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`state` is one state of the case, empty for every open one."""

    state: str = ""
    cursor: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class Refusing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why acceptance is refused, and which office is competent instead, where there is one."""

    reason: Annotated[Text, msgspec.Meta(min_length=1)]
    competent: Annotated[str, msgspec.Meta(max_length=100)] = ""


class Deciding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The decision; a refusal says why."""

    result: Literal["granted", "refused"]
    reason: Text = ""


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a request is turned down."""

    reason: Annotated[Text, msgspec.Meta(min_length=1)]


class Resuming(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which special procedure is over (`procedures[].id` of the case), and what came of it."""

    id: str
    result: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Forwarding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The town's opinion, sent up with the case."""

    opinion: Text = ""


class Signing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who signed for the result."""

    signed_by: Annotated[str, msgspec.Meta(max_length=50)] = ""


class Opinion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One department's opinion on its part of a case."""

    case_id: str
    result: Literal["agreed", "disagreed"]
    opinion: Text = ""


class DeskPage(msgspec.Struct, frozen=True):
    """A page of cases, oldest first."""

    items: list[CaseSummary]
    next_cursor: str | None


def officer(caller: Caller) -> Officer:
    """The caller as the policy table sees him."""
    return Officer(caller.account_id, caller.role, caller.department, caller.hall, caller.area)


async def listing(query: DeskQuery, caller: Caller, office: Office) -> DeskPage:
    """Cases waiting."""
    states = [query.state] if query.state else []
    items = await desk.waiting(office, officer(caller), states, query.cursor, query.limit)
    return DeskPage(items, items[-1].id if len(items) == query.limit else None)


async def show(id: str, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002 - the path's own word
    """One case."""
    return _answer(await desk.show(office, officer(caller), id))


async def show_particulars(id: str, caller: Caller, office: Office) -> Particulars:  # noqa: A002
    """What officers need to go on with a case."""
    return await particulars.show(office, officer(caller), id)


async def accept(id: str, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Accept a case."""
    return _answer(await desk.accept(office, officer(caller), id, if_match))


async def reject(id: str, body: Refusing, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Refuse acceptance."""
    return _answer(await desk.not_accept(office, officer(caller), id, if_match, body.reason, body.competent))


async def request_correction(id: str, body: Correction, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Ask for corrections, all at once."""
    return _answer(await desk.request_correction(office, officer(caller), id, if_match, body))


async def decide(id: str, body: Deciding, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Decide a case."""
    return _answer(await desk.decide(office, officer(caller), id, if_match, body.result, body.reason))


async def suspend(id: str, body: Special, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Begin a special procedure."""
    return _answer(await desk.suspend(office, officer(caller), id, if_match, body))


async def resume(id: str, body: Resuming, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """End a special procedure."""
    return _answer(await desk.resume(office, officer(caller), id, if_match, body.id, body.result))


async def extend(id: str, body: Asking, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Ask for an extension of the limits."""
    return _answer(await desk.ask_extension(office, officer(caller), id, if_match, body))


async def approve_extension(id: str, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Approve the extension that was asked for."""
    return _answer(await desk.approve_extension(office, officer(caller), id, if_match))


async def refuse_extension(id: str, body: Reason, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Turn down the extension that was asked for."""
    return _answer(await desk.refuse_extension(office, officer(caller), id, if_match, body.reason))


async def forward(id: str, body: Forwarding, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Send a reviewed case up to the level that decides."""
    return _answer(await desk.forward(office, officer(caller), id, if_match, body.opinion))


async def deliver(id: str, body: Dispatch, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Send the result, or lay it ready at the counter."""
    return _answer(await desk.deliver(office, officer(caller), id, if_match, body))


async def complete(id: str, body: Signing, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """The applicant has the result."""
    return _answer(await desk.complete(office, officer(caller), id, if_match, body.signed_by))


async def opinion(id: str, body: Opinion, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Give a department's opinion by hand."""
    return _answer(await desk.give_opinion(office, officer(caller), id, body.case_id, if_match, body.result, body.opinion))


def _answer(view: CaseView) -> Answer[CaseView]:
    return Answer(view, etag=view.version)
