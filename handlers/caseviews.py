"""What people see of a case: its resident whole, an officer with the tasks, a list in short. The structs are the answers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from handlers import debtviews, lifeviews, proxyviews
from handlers.cards import Card, CardMaterial, CardTask, read_card
from handlers.casefile import open_form
from handlers.catalogue import ServiceItem
from handlers.corrections import Correction
from handlers.documents import Remedy
from handlers.office import Office
from handlers.shortcodes import receipt_code
from handlers.transitions import PUBLIC_STATES, STATE_NAMES
from storage.database import Row


class DepartmentRef(msgspec.Struct, frozen=True):
    """A department by code and name."""

    code: str
    name: str


class ItemRef(msgspec.Struct, frozen=True):
    """A service item in the version a case was submitted under."""

    code: str
    name: str
    version: int


class TaskView(msgspec.Struct, frozen=True):
    """One department's part."""

    id: str
    department: DepartmentRef
    step: str
    action: str
    state: str
    result: str | None
    opinion: str | None
    due_on: dt.date | None
    answered_at: dt.datetime | None


class EvaluationView(msgspec.Struct, frozen=True):
    """The rating given."""

    level: int


class CaseSummary(msgspec.Struct, frozen=True):
    """A case in a list; `paused`: its clocks stand still, so `promised_on` is the date without the time since.

    `on_behalf_of`: where somebody acts for somebody, with masked names.
    """

    id: str
    number: str | None
    item: ItemRef
    state: str
    state_name: str
    public_state: str
    submitted_at: dt.datetime | None
    promised_on: dt.date | None
    updated_at: dt.datetime
    owing: bool
    priority: int
    on_behalf_of: proxyviews.BehalfView | None
    paused: bool


class CaseView(msgspec.Struct, frozen=True, tag_field="kind", tag="case"):
    """A case, whole; `umbrella_id` names the bundle it belongs to, if any; `owing`: papers are still to come in (`debts`).

    `paused`: a special procedure lasts and the clocks stand still; `promised_on` and `legal_on` move when it is over.
    """

    id: str
    number: str | None
    item: ItemRef
    department: DepartmentRef
    state: str
    state_name: str
    public_state: str
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime
    submitted_at: dt.datetime | None
    accepted_at: dt.datetime | None
    promised_on: dt.date | None
    legal_on: dt.date | None
    provisional: bool
    decision: str | None
    reason: str | None
    decided_at: dt.datetime | None
    completed_at: dt.datetime | None
    correction: Correction | None
    correction_due_on: dt.date | None
    corrections: int
    procedures: tuple[lifeviews.ProcedureView, ...]
    extensions: tuple[lifeviews.ExtensionView, ...]
    delivery: lifeviews.DeliveryView | None
    remedy: Remedy | None
    form: dict[str, Any]
    materials: tuple[CardMaterial, ...]
    tasks: tuple[TaskView, ...]
    receipt_code: str | None
    evaluation: EvaluationView | None
    umbrella_id: str | None
    owing: bool
    paused: bool
    debts: tuple[debtviews.DebtView, ...]
    urgency: debtviews.UrgencyView | None
    priority: debtviews.PriorityView | None
    revocation: debtviews.RevocationView | None
    on_behalf_of: proxyviews.BehalfView | None


def view_case(office: Office, row: Row, item: ServiceItem) -> CaseView:
    """A case row as its resident and its officers see it."""
    card = read_card(row)
    return CaseView(
        id=row["id"],
        number=row["number"],
        item=ItemRef(row["item_code"], item.name, row["item_version"]),
        department=department_ref(office, row["department"]),
        state=row["state"],
        state_name=debtviews.state_name(STATE_NAMES[row["state"]], row, card),
        public_state=PUBLIC_STATES[row["state"]],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        submitted_at=row["submitted_at"],
        accepted_at=row["accepted_at"],
        promised_on=row["promised_on"],
        legal_on=row["legal_on"],
        provisional=row["is_provisional"],
        decision=row["decision"],
        reason=row["reason"],
        decided_at=row["decided_at"],
        completed_at=row["completed_at"],
        correction=msgspec.json.decode(row["correction"], type=Correction) if row["correction"] else None,
        correction_due_on=lifeviews.correction_due_on(card),
        corrections=row["corrections"],
        procedures=lifeviews.procedures(office, card),
        extensions=lifeviews.extensions(card),
        delivery=lifeviews.delivery(office, card),
        remedy=lifeviews.remedy_of(office, row),
        form=open_form(office, row),
        materials=card.materials,
        tasks=_tasks(office, card),
        receipt_code=receipt_code(office.keys, row["number"], row["receipt_version"]) if row["number"] else None,
        evaluation=EvaluationView(card.evaluation) if card.evaluation else None,
        umbrella_id=row["umbrella_id"],
        owing=row["is_owing"],
        paused=card.is_paused,
        debts=debtviews.debts(office, card),
        urgency=debtviews.urgency(card),
        priority=debtviews.priority(card),
        revocation=debtviews.revocation(office, card),
        on_behalf_of=proxyviews.behalf(office, row, card),
    )


def summary(office: Office, row: Row) -> CaseSummary:
    """A case row in a list."""
    item = office.catalogue.items.get(row["item_code"])
    return CaseSummary(
        id=row["id"],
        number=row["number"],
        item=ItemRef(row["item_code"], item.name if item else row["item_code"], row["item_version"]),
        state=row["state"],
        state_name=STATE_NAMES[row["state"]],
        public_state=PUBLIC_STATES[row["state"]],
        submitted_at=row["submitted_at"],
        promised_on=row["promised_on"],
        updated_at=row["updated_at"],
        owing=row["is_owing"],
        priority=row["priority"],
        on_behalf_of=proxyviews.behalf_of_row(office, row),
        paused=read_card(row).is_paused,
    )


def department_ref(office: Office, code: str) -> DepartmentRef:
    """A department by its code; one that has left the catalogue keeps its code for a name."""
    department = office.catalogue.departments.get(code)
    return DepartmentRef(code, department.name if department else code)


def _tasks(office: Office, card: Card) -> tuple[TaskView, ...]:
    return tuple(_task(office, task) for task in card.tasks)


def _task(office: Office, task: CardTask) -> TaskView:
    return TaskView(
        task.id,
        department_ref(office, task.department),
        task.step,
        task.action,
        task.state,
        task.result,
        task.opinion,
        task.due_on,
        task.answered_at,
    )
