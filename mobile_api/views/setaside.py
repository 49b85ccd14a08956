"""Messages of departments that could not take effect, and what an officer decides about them."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Annotated, Literal

import msgspec

from backoffice import setaside
from backoffice.setaside import Decision
from handlers import reviews
from handlers.errors import Refused
from handlers.office import Office
from mobile_api.views.desk import officer
from mobile_api.web.caller import Caller

Kind = Literal["poison", "parked"]


class SetAsideQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`department` narrows the list to one department."""

    department: str = ""
    cursor: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class SetAsideMessage(msgspec.Struct, frozen=True):
    """A message that waits for a decision. "poison": it alone cannot take effect; "parked": its case line waits with it."""

    id: str
    department: str
    kind: Kind
    reason: str
    received_at: dt.datetime
    case_number: str | None = None
    sequence: int | None = None


class SetAsidePage(msgspec.Struct, frozen=True):
    """A page of messages, oldest first."""

    items: list[SetAsideMessage]
    next_cursor: str | None


class SetAsideDetail(msgspec.Struct, frozen=True):
    """One message with what it says, as text; what is no text is shown as it can be."""

    id: str
    department: str
    kind: Kind
    reason: str
    received_at: dt.datetime
    sequence: int | None
    text: str


class Settling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is decided so; it goes into the record."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Replayed(msgspec.Struct, frozen=True):
    """How many messages took effect: a parked one brings with it what was parked behind it."""

    messages: int


async def listing(query: SetAsideQuery, caller: Caller, office: Office) -> SetAsidePage:
    """What waits for a decision."""
    departments = [code for code in _departments(caller, office) if query.department in {"", code}]
    rows = await setaside.waiting(office.database, departments, query.cursor, query.limit)
    items = [
        SetAsideMessage(row["id"], row["department"], row["kind"], row["reason"], row["received_at"], row["number"], row["sequence"])
        for row in rows
    ]
    return SetAsidePage(items, items[-1].id if len(items) == query.limit else None)


async def show(id: str, caller: Caller, office: Office) -> SetAsideDetail:  # noqa: A002 - the path's own word
    """One message, with its text."""
    row = await setaside.show(
        office.database, office.clock, _departments(caller, office), id, by=caller.account_id, sealer=office.keys.sealer
    )
    text = bytes(row["body"]).decode("utf-8", "backslashreplace")
    return SetAsideDetail(row["id"], row["department"], row["kind"], row["reason"], row["received_at"], row["sequence"], text)


async def replay(id: str, body: Settling, caller: Caller, office: Office) -> Replayed:  # noqa: A002
    """Let it take effect after all; a parked line goes on, in order."""
    await setaside.show(office.database, office.clock, _departments(caller, office), id, by=caller.account_id, sealer=office.keys.sealer)
    decision = Decision(caller.account_id, body.reason)
    try:
        number = await setaside.replay(
            office.database, office.clock, partial(reviews.record, office), id, decision, sealer=office.keys.sealer
        )
    except setaside.StillFails as reason:
        raise Refused("message_still_fails", {"reason": str(reason)}) from reason
    return Replayed(number)


async def skip(id: str, body: Settling, caller: Caller, office: Office) -> None:  # noqa: A002
    """Settle it without effect."""
    await setaside.show(office.database, office.clock, _departments(caller, office), id, by=caller.account_id, sealer=office.keys.sealer)
    await setaside.skip(office.database, office.clock, id, Decision(caller.account_id, body.reason))


def _departments(caller: Caller, office: Office) -> list[str]:
    return setaside.departments_of(officer(caller), list(office.catalogue.departments))
