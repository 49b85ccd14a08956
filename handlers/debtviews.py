"""What people see of papers that may follow, of urgency and of a revocation; and the ledger of officers. The structs are the answers."""

from __future__ import annotations

import datetime as dt

import msgspec

from handlers.cards import Card, CardDebt
from handlers.debts import is_open, signer
from handlers.documents import Remedy, remedy
from handlers.lifeviews import is_provisional
from handlers.limits import local_date
from handlers.office import Office
from handlers.priorities import GROUPS
from storage.database import Row


class DebtView(msgspec.Struct, frozen=True):
    """A paper that may follow: `kind` owed (urgent aid), tolerated (容缺), commitment (告知承诺); `due_on` null until acceptance.

    `provisional`: to come in within a year whose holidays are not known yet.
    `state`: open, lapsed, supplied, kept, broken or waived; `open`: nobody has settled it, so that it may come in, even late.
    """

    material: str
    name: str
    kind: str
    text_version: str
    signed_at: dt.datetime
    due_on: dt.date | None
    provisional: bool
    state: str
    open: bool
    note: str | None


class UrgencyView(msgspec.Struct, frozen=True):
    """Urgent aid was asked for; it is to be decided by then."""

    asked_at: dt.datetime
    decide_by: dt.datetime


class PriorityView(msgspec.Struct, frozen=True):
    """Why the case goes first, and what shows it."""

    group: str
    name: str
    evidence: str


class RevocationView(msgspec.Struct, frozen=True):
    """The decision was taken back; how to object."""

    at: dt.datetime
    reason: str
    remedy: Remedy


class SignatureView(msgspec.Struct, frozen=True):
    """A commitment that was signed, with the very text, for the officers of the case."""

    version: str
    title: str
    text: str
    signed_by: str
    signed_at: dt.datetime


class LedgerLine(msgspec.Struct, frozen=True):
    """One paper in the ledger of officers, with its case."""

    id: str
    case_id: str
    number: str
    item_name: str
    department: str
    name: str
    kind: str
    due_on: dt.date
    state: str
    reminded_at: dt.datetime | None
    settled_at: dt.datetime | None
    note: str | None
    decided: bool


def debts(office: Office, card: Card) -> tuple[DebtView, ...]:
    """Every paper of a case that may follow, those that were settled too."""
    return tuple(
        DebtView(
            one.material, one.name, one.kind, one.text_version, one.signed_at, one.due_on,
            is_open(one) and is_provisional(office, one.due_on), _state(one), is_open(one), one.note,
        )
        for one in card.debts
    )  # fmt: skip


def urgency(card: Card) -> UrgencyView | None:
    """By when urgent aid is to be decided."""
    return UrgencyView(card.urgency.asked_at, card.urgency.decide_by) if card.urgency else None


def priority(card: Card) -> PriorityView | None:
    """Why the case goes first."""
    return PriorityView(card.priority.group, GROUPS[card.priority.group], card.priority.evidence) if card.priority else None


def revocation(office: Office, card: Card) -> RevocationView | None:
    """The revocation of the decision, if there was one."""
    if card.revoked is None:
        return None
    return RevocationView(card.revoked.at, card.revoked.reason, remedy(local_date(card.revoked.at), office.calendar))


def signatures(office: Office, row: Row, card: Card) -> list[SignatureView]:
    """What the applicant signed in a case; a text that has left the tables keeps its version for a title."""
    found = []
    for one in card.signatures:
        text = office.commitments.texts.get(one.version)
        title, words = (text.title, text.text) if text else (one.version, "")
        found.append(SignatureView(one.version, title, words, signer(office, row["id"], one), one.at))
    return found


def state_name(name: str, row: Row, card: Card) -> str:
    """A case's state in words; "decided, papers owed" has a name of its own (绿色通道)."""
    if card.revoked is not None:
        return "决定已撤销"
    return f"{name}，材料待补" if row["is_owing"] and row["state"] in {"decided", "delivering"} else name


def ledger_line(office: Office, row: Row) -> LedgerLine:
    """A row of the ledger; the material by the name that the item has for it today."""
    item, department = office.catalogue.items.get(row["item_code"]), office.catalogue.departments.get(row["department"])
    name = next((rule.name for rule in item.materials if rule.code == row["material"]), row["material"]) if item else row["material"]
    return LedgerLine(
        row["id"], row["case_id"], row["number"], item.name if item else row["item_code"],
        department.name if department else row["department"], name, row["kind"], row["due_on"],
        _state_of(row["settled_at"], row["lapsed_at"], row["result"]), row["reminded_at"], row["settled_at"], row["note"],
        row["decision"] is not None,
    )  # fmt: skip


def _state(debt: CardDebt) -> str:
    return _state_of(debt.settled_at, debt.lapsed_at, debt.result)


def _state_of(settled_at: dt.datetime | None, lapsed_at: dt.datetime | None, result: str | None) -> str:
    if settled_at is not None:
        return result or "waived"
    return "lapsed" if lapsed_at is not None else "open"
