"""Cases for their resident: apply, follow, correct, withdraw, evaluate."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from aiohttp import web

from handlers import bundles, cases, papers, timeline
from handlers.access import own_case
from handlers.bundleviews import UmbrellaView
from handlers.cases import Application, Change, Evaluation
from handlers.caseviews import CaseSummary, CaseView, summary
from handlers.office import Office
from handlers.receipts import ReceiptFile, receipt_of_case
from handlers.timeline import CaseEvent, DueDates
from handlers.transitions import PUBLIC_STATES
from mobile_api.glances import Glances
from mobile_api.web.caller import Caller
from mobile_api.web.idempotency import Once
from mobile_api.web.operation import Answer


class CasesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`state` is one of the five public states; `cursor` comes from the last page."""

    state: Literal["", "draft", "with_office", "needs_you", "decided", "completed"] = ""
    cursor: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class EventsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of a case's history, oldest first."""

    cursor: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 100


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, in the resident's words; may be empty."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class CasePage(msgspec.Struct, frozen=True):
    """A page of cases, newest first."""

    items: list[CaseSummary]
    next_cursor: str | None


class EventPage(msgspec.Struct, frozen=True):
    """A page of a case's history."""

    items: list[CaseEvent]
    next_cursor: int | None


async def create(body: Application, caller: Caller, office: Office, once: Once) -> Answer[CaseView | UmbrellaView]:
    """Apply: draft or submitted at once; a bundle gives an umbrella with its parts."""
    if body.bundle:
        return await once.settled(lambda settle: bundles.apply(office, caller.account_id, body, settle), _umbrella)
    return await once.settled(lambda settle: cases.apply(office, caller.account_id, body, settle), _created)


async def listing(query: CasesQuery, caller: Caller, office: Office) -> CasePage:
    """My cases."""
    states = [state for state, public in PUBLIC_STATES.items() if public == query.state]
    rows = await cases.mine(office, caller.account_id, states, query.cursor, query.limit)
    return CasePage([summary(office, row) for row in rows], rows[-1]["id"] if len(rows) == query.limit else None)


async def show(id: str, caller: Caller, office: Office, glances: Glances) -> Answer[CaseView]:  # noqa: A002 - the path's own word
    """One case, whole."""
    return await glances.look(caller.account_id, id, lambda: cases.show(office, caller.account_id, id))


async def change(id: str, body: Change, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Change a draft."""
    return _answer(await cases.change_draft(office, caller.account_id, id, if_match, body))


async def submit(id: str, if_match: int | None, caller: Caller, office: Office, once: Once) -> Answer[CaseView]:  # noqa: A002
    """Submit a draft."""
    return await once.settled(lambda settle: cases.submit(office, caller.account_id, id, settle, if_match), _answer)


async def withdraw(id: str, body: Reason, if_match: int | None, caller: Caller, office: Office, once: Once) -> Answer[CaseView]:  # noqa: A002
    """Take the application back."""
    return await once.settled(lambda settle: cases.withdraw(office, caller.account_id, id, body.reason, settle, if_match), _answer)


async def correct(id: str, body: Change, if_match: int | None, caller: Caller, office: Office, once: Once) -> Answer[CaseView]:  # noqa: A002
    """Hand in what was asked for."""
    return await once.settled(lambda settle: cases.correct(office, caller.account_id, id, body, settle, if_match), _answer)


async def supply(id: str, body: papers.Supply, caller: Caller, office: Office, once: Once) -> Answer[CaseView]:  # noqa: A002
    """Hand in papers that were owed."""
    return await once.settled(lambda settle: papers.supply(office, caller.account_id, id, body, settle), _answer)


async def evaluate(id: str, body: Evaluation, caller: Caller, office: Office, once: Once) -> Answer[CaseView]:  # noqa: A002
    """Rate a finished case."""
    return await once.settled(lambda settle: cases.evaluate(office, caller.account_id, id, body, settle), _answer)


async def events(id: str, query: EventsQuery, caller: Caller, office: Office) -> EventPage:  # noqa: A002
    """The case's history, as far as it is the resident's."""
    await own_case(office, caller.account_id, id)
    found = await timeline.history(office, id, query.cursor, query.limit, timeline.INTERNAL)
    return EventPage(found, found[-1].seq if len(found) == query.limit else None)


async def due_dates(id: str, caller: Caller, office: Office) -> DueDates:  # noqa: A002
    """Both due dates, explained line by line."""
    return await timeline.due_dates(office, await own_case(office, caller.account_id, id))


async def receipt_png(id: str, caller: Caller, office: Office) -> web.Response:  # noqa: A002
    """The receipt's QR code as a picture."""
    return _file(await receipt_of_case(office, await own_case(office, caller.account_id, id), "png"))


async def receipt_pdf(id: str, caller: Caller, office: Office) -> web.Response:  # noqa: A002
    """The receipt to print."""
    return _file(await receipt_of_case(office, await own_case(office, caller.account_id, id), "pdf"))


def _file(file: ReceiptFile) -> web.Response:
    headers = {"Content-Disposition": f'inline; filename="{file.name}"'}
    return web.Response(body=file.body, content_type=file.media_type, headers=headers)


def _answer(view: CaseView) -> Answer[CaseView]:
    return Answer(view, etag=view.version)


def _umbrella(view: UmbrellaView) -> Answer[CaseView | UmbrellaView]:
    return Answer(view, status=201, headers={"Location": f"/api/v1/umbrellas/{view.id}"})


def _created(view: CaseView) -> Answer[CaseView | UmbrellaView]:
    return Answer(view, status=201, headers={"Location": f"/api/v1/cases/{view.id}"}, etag=view.version)
