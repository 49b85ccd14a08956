"""How the result reaches the applicant: electronically at once, at the counter, or by post (行政许可法 art. 44)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import msgspec

from handlers import debts, guards, procedure, tasks
from handlers.actors import Actor
from handlers.cards import CardDelivery
from handlers.casefile import CaseFile
from handlers.errors import Refused
from handlers.office import Office
from storage import handovers

Method = Literal["counter", "post", "electronic"]
Short = Annotated[str, msgspec.Meta(max_length=64)]

DELIVERY_DAYS = 10
"""Working days from a positive decision to its delivery (行政许可法 art. 44, 82)."""


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the applicant wants the result; by post it needs an address."""

    method: Method
    address: Annotated[str, msgspec.Meta(max_length=300)] = ""


class Dispatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the result leaves the office; by post with carrier and tracking number."""

    method: Method
    carrier: Annotated[str, msgspec.Meta(max_length=50)] = ""
    tracking: Short = ""


def wish(file: CaseFile, wanted: Wish) -> None:
    """Keep how the applicant wants the result; the address is sealed."""
    if wanted.method == "post" and not wanted.address.strip():
        raise Refused("address_missing")
    sealed = _seal(file, wanted.address) if wanted.address else None
    _keep(file, CardDelivery(wanted.method))
    case_id = file.row["id"]
    file.write(lambda tx: handovers.set_address(tx, case_id, sealed))


def begin(file: CaseFile, actor: Actor) -> None:
    """After the decision: what is electronic is delivered with it and the case is complete; else the clock of the delivery starts."""
    delivery = file.card.delivery or CardDelivery("electronic")
    if file.row["decision"] == "granted":
        due_on = tasks.workday_after(file, file.now, DELIVERY_DAYS)
        delivery = msgspec.structs.replace(delivery, due_on=due_on)
    _keep(file, delivery)
    if delivery.method == "electronic":
        _keep(file, msgspec.structs.replace(delivery, sent_at=file.now, delivered_at=file.now))
        _finish(file, actor)


def send(file: CaseFile, actor: Actor, dispatch: Dispatch) -> None:
    """The result is on its way: in the post, or ready at the counter; again, if the post brought it back."""
    if dispatch.method == "post" and not (dispatch.carrier.strip() and dispatch.tracking.strip()):
        raise Refused("tracking_missing")
    file.act("deliver", actor)
    due_on = file.card.delivery.due_on if file.card.delivery else None
    carrier, tracking = dispatch.carrier.strip() or None, dispatch.tracking.strip() or None
    _keep(file, CardDelivery(dispatch.method, due_on, carrier, tracking, file.now))
    file.note("delivering", actor, method=dispatch.method, carrier=carrier, tracking=tracking)
    if dispatch.method == "electronic":
        sign(file, actor, "")


def sign(file: CaseFile, actor: Actor, signed_by: str) -> None:
    """The applicant has the result, and signed for it unless it is electronic; the case is complete."""
    guards.not_delivered(file)
    delivery = file.card.delivery or CardDelivery("counter")
    if delivery.method != "electronic" and not signed_by.strip():
        raise Refused("signature_name_missing")
    if delivery.method == "post" and delivery.sent_at is None:
        raise Refused("not_sent_yet")
    sent = delivery.sent_at or file.now
    _keep(file, msgspec.structs.replace(delivery, sent_at=sent, delivered_at=file.now), signed_by.strip() or None)
    _finish(file, actor)


def move(file: CaseFile, due_on: dt.date) -> None:
    """Give the delivery another last day."""
    if file.card.delivery is not None:
        _keep(file, msgspec.structs.replace(file.card.delivery, due_on=due_on))


def address(office: Office, case_id: str, sealed: bytes) -> str:
    """The address of a delivery in the clear."""
    return office.keys.sealer.unseal(bytes(sealed), _context(case_id)).decode()


def _finish(file: CaseFile, actor: Actor) -> None:
    """The result is with the applicant; while papers are owed the case stays "decided, papers owed" (绿色通道: 后补手续)."""
    if not debts.is_owing(file.row, file.card):
        procedure.complete(file, actor)


def _keep(file: CaseFile, delivery: CardDelivery, signed_by: str | None = None) -> None:
    file.card = msgspec.structs.replace(file.card, delivery=delivery)
    case_id, values = file.row["id"], msgspec.structs.asdict(delivery)
    file.write(lambda tx: handovers.save(tx, case_id, values, signed_by))


def _seal(file: CaseFile, text: str) -> bytes:
    return file.office.keys.sealer.seal(text.strip().encode(), _context(file.row["id"]))


def _context(case_id: str) -> str:
    return f"delivery.address_sealed:{case_id}"
