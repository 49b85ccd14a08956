"""Papers that may follow: the texts people sign, the ledger, and what officers do about them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from handlers import paperdesk
from handlers.caseviews import CaseView
from handlers.commitments import CommitmentText
from handlers.debtviews import LedgerLine
from handlers.limits import local_date
from handlers.office import Office
from handlers.papers import Finding, Waiver
from handlers.priorities import Marking
from mobile_api.views.desk import Reason, officer
from mobile_api.web.caller import Caller
from mobile_api.web.operation import Answer


class LedgerQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`shown`: open ones, of these the lapsed, the settled, or promises that were broken; `cursor` comes from the last page."""

    shown: Literal["open", "lapsed", "settled", "broken"] = "open"
    cursor: Annotated[str, msgspec.Meta(max_length=60)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class Ledger(msgspec.Struct, frozen=True):
    """A page of the ledger, the earliest date first."""

    items: list[LedgerLine]
    next_cursor: str | None


class TextQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`version`: the text that was signed in a case, also when there is a newer one; empty for those in force today."""

    version: Annotated[str, msgspec.Meta(max_length=40)] = ""


class CommitmentList(msgspec.Struct, frozen=True):
    """Texts that applicants sign."""

    items: list[CommitmentText]
    next_cursor: None = None


async def commitments(query: TextQuery, office: Office) -> CommitmentList:
    """What an applicant signs when a paper is to follow or is replaced by a promise."""
    if query.version:
        return CommitmentList([one for one in office.commitments.texts.values() if one.version == query.version])
    return CommitmentList(office.commitments.all_current(local_date(office.clock.now())))


async def ledger(query: LedgerQuery, caller: Caller, office: Office) -> Ledger:
    """The ledger of papers that may follow."""
    items = await paperdesk.ledger(office, officer(caller), query.shown, query.cursor, query.limit)
    return Ledger(items, paperdesk.cursor(items[-1]) if len(items) == query.limit else None)


async def decide_first(id: str, body: Reason, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Grant urgent aid before its papers are there."""
    return _answer(await paperdesk.decide_first(office, officer(caller), id, if_match, body.reason))


async def waive(id: str, body: Waiver, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """A paper need not come in after all."""
    return _answer(await paperdesk.waive(office, officer(caller), id, if_match, body))


async def check(id: str, body: Finding, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """What the check of a promise found."""
    return _answer(await paperdesk.check(office, officer(caller), id, if_match, body))


async def revoke(id: str, body: Reason, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Take back a decision whose papers did not come or whose promise was broken."""
    return _answer(await paperdesk.revoke(office, officer(caller), id, if_match, body.reason))


async def mark(id: str, body: Marking, if_match: int, caller: Caller, office: Office) -> Answer[CaseView]:  # noqa: A002
    """Put a case first, or back in its place."""
    return _answer(await paperdesk.mark(office, officer(caller), id, if_match, body))


def _answer(view: CaseView) -> Answer[CaseView]:
    return Answer(view, etag=view.version)
