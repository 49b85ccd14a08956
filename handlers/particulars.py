"""What officers need to go on with a case, beyond what its resident sees: what was asked, what is possible, where the result goes."""

from __future__ import annotations

import datetime as dt

import msgspec

from handlers import debtviews, handovers, proxyviews, specials
from handlers import extensions as rules
from handlers.access import Officer, check_officer
from handlers.cards import read_card
from handlers.errors import Refused
from handlers.office import Office
from handlers.policy import scope_of
from storage import audit, cases, extensions, staff
from storage import handovers as deliveries
from storage.database import Row


class AskedExtension(msgspec.Struct, frozen=True):
    """An extension that waits for its approval; `own` if the reader asked for it himself and so cannot approve."""

    days: int
    reason: str
    asked_at: dt.datetime
    own: bool


class OpinionBy(msgspec.Struct, frozen=True):
    """Who gave the answer to a task by hand, and when."""

    task_id: str
    name: str
    at: dt.datetime


class Particulars(msgspec.Struct, frozen=True):
    """What may be begun, what waits for approval, commitments signed, and for those who deliver the address and who signed.

    `extension_left`: days by which the legal limit may still be extended, with the approval of `extension_approver`; `agent`: where
    somebody acts for the applicant; `opinions`: who answered a task by hand.
    """

    procedures: list[str]
    extension_left: int
    extension_approver: str
    extension: AskedExtension | None
    address: str | None
    signed_by: str | None
    signatures: list[debtviews.SignatureView]
    agent: proxyviews.AgentParticulars | None
    opinions: list[OpinionBy]


async def show(office: Office, officer: Officer, case_id: str) -> Particulars:
    """The same for who asks for nothing but them; the look is in the record, for there are numbers and addresses among them."""
    found = await of_case(office, officer, case_id)
    await audit.record(
        office.database, at=office.clock.now(), actor_kind="staff", actor_id=officer.id, action="case.particulars_seen",
        object_kind="case", object_id=case_id, outcome="done", data={},
    )  # fmt: skip
    return found


async def of_case(office: Office, officer: Officer, case_id: str) -> Particulars:
    """The particulars of a case that this officer may see, as a part of the case's page, whose look is in the record."""
    row = await cases.by_id(office.database, case_id)
    if row is None:
        raise Refused("not_found")
    tasks = await cases.tasks(office.database, case_id)
    check_officer(officer, "see_case", row, {row["department"], *(task["department"] for task in tasks)})
    item = await office.catalogue.version(office.database, row["item_code"], row["item_version"])
    granted = sum(one.days for one in read_card(row).extensions)
    asked = await extensions.asked(office.database, case_id)
    delivery = await deliveries.of_case(office.database, case_id) if scope_of(officer.role, "deliver") != "none" else None
    return Particulars(
        procedures=specials.names(item),
        extension_left=max(rules.most(item) - granted, 0),
        extension_approver=rules.approved_by(item),
        extension=_asked(asked, officer) if asked else None,
        address=handovers.address(office, case_id, delivery["address_sealed"]) if delivery and delivery["address_sealed"] else None,
        signed_by=delivery["signed_by"] if delivery else None,
        signatures=debtviews.signatures(office, row, read_card(row)),
        agent=await proxyviews.agent_particulars(office, row, read_card(row)),
        opinions=await _by_hand(office, tasks),
    )


async def _by_hand(office: Office, tasks: list[Row]) -> list[OpinionBy]:
    answered = [task for task in tasks if task["answered_by"] is not None]
    names = await staff.names(office.database, sorted({task["answered_by"] for task in answered}))
    return [OpinionBy(task["id"], names.get(task["answered_by"], ""), task["answered_at"]) for task in answered]


def _asked(row: Row, officer: Officer) -> AskedExtension:
    return AskedExtension(row["days"], row["reason"], row["asked_at"], row["asked_by"] == officer.id)
