"""Cases for officers and clerks."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from handlers import desk
from handlers.access import Officer
from handlers.caseviews import CaseSummary, CaseView
from handlers.office import Office
from handlers.procedure import Correction
from mobile_api.web.caller import Caller
from mobile_api.web.operation import Answer

Text = Annotated[str, msgspec.Meta(max_length=2000)]


class DeskQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`state` is one state of the case, empty for every open one."""

    state: str = ""
    cursor: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class Refusing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why acceptance is refused."""

    reason: Annotated[Text, msgspec.Meta(min_length=1)]


class Deciding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The decision; a refusal says why."""

    result: Literal["granted", "refused"]
    reason: Text = ""


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


async def accept(id: str, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Accept a case."""
    return _answer(await desk.accept(office, officer(caller), id, if_match))


async def reject(id: str, body: Refusing, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Refuse acceptance."""
    return _answer(await desk.not_accept(office, officer(caller), id, if_match, body.reason))


async def request_correction(id: str, body: Correction, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Ask for corrections, all at once."""
    return _answer(await desk.request_correction(office, officer(caller), id, if_match, body))


async def decide(id: str, body: Deciding, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Decide a case."""
    return _answer(await desk.decide(office, officer(caller), id, if_match, body.result, body.reason))


async def opinion(id: str, body: Opinion, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Give a department's opinion by hand."""
    return _answer(await desk.give_opinion(office, officer(caller), id, body.case_id, if_match, body.result, body.opinion))


def _answer(view: CaseView) -> Answer[CaseView]:
    return Answer(view, etag=view.version)
