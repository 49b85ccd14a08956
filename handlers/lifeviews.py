"""What people see of a case's life beyond its state: special procedures, extensions, delivery, remedies. The structs are the answers."""

from __future__ import annotations

import datetime as dt

import msgspec

from handlers.cards import Card
from handlers.clocks import local_date
from handlers.documents import Remedy, remedy
from handlers.office import Office
from storage.database import Row


class ProcedureView(msgspec.Struct, frozen=True):
    """A special procedure that stops the clocks; `due_on` is its own limit, `ended_at` null while it lasts."""

    id: str
    name: str
    department: str
    began_at: dt.datetime
    due_on: dt.date | None
    ended_at: dt.datetime | None


class ExtensionView(msgspec.Struct, frozen=True):
    """An extension that was granted: by so many days, on that day."""

    days: int
    granted_on: dt.date


class DeliveryView(msgspec.Struct, frozen=True):
    """Where the result is: counter, post or electronic; `due_on` by the law, `sent_at` posted or laid ready.

    `provisional`: the result is still awaited, in a year whose holidays are not known yet.
    """

    method: str
    due_on: dt.date | None
    provisional: bool
    carrier: str | None
    tracking: str | None
    sent_at: dt.datetime | None
    delivered_at: dt.datetime | None


def procedures(office: Office, card: Card) -> tuple[ProcedureView, ...]:
    """Every special procedure of a case, in the order in which they began."""
    departments = office.catalogue.departments
    return tuple(
        ProcedureView(
            pause.id, pause.name, departments[pause.department].name if pause.department in departments else pause.department,
            pause.start, pause.due_on, pause.end,
        )
        for pause in card.pauses
    )  # fmt: skip


def extensions(card: Card) -> tuple[ExtensionView, ...]:
    """The extensions granted so far."""
    return tuple(ExtensionView(one.days, one.on) for one in card.extensions)


def delivery(office: Office, card: Card) -> DeliveryView | None:
    """How the result reaches the applicant; None until somebody says so."""
    one = card.delivery
    if one is None:
        return None
    provisional = one.delivered_at is None and is_provisional(office, one.due_on)
    return DeliveryView(one.method, one.due_on, provisional, one.carrier, one.tracking, one.sent_at, one.delivered_at)


def is_provisional(office: Office, due_on: dt.date | None) -> bool:
    """Whether a date lies in a year whose holidays are not known yet, so that it may still move."""
    return due_on is not None and not office.calendar.covers(due_on.year)


def remedy_of(office: Office, row: Row) -> Remedy | None:
    """How to object to a refusal or a non-acceptance, and until when."""
    if row["state"] == "not_accepted":
        return remedy(local_date(row["completed_at"]), office.calendar)
    return remedy(local_date(row["decided_at"]), office.calendar) if row["decision"] == "refused" else None


def correction_due_on(card: Card) -> dt.date | None:
    """Until when a correction notice waits for its answer."""
    return next((task.due_on for task in card.tasks if task.step == "accept" and task.state == "correction"), None)
