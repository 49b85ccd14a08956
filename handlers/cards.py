"""The card of a case: what lists and pages show of materials and tasks, kept with the case row and free of personal data."""

from __future__ import annotations

import datetime as dt

import msgspec

from storage.database import Row


class CardUpload(msgspec.Struct, frozen=True):
    """A file handed in."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str


class CardMaterial(msgspec.Struct, frozen=True):
    """One material as handed in: files, the form itself, or a signed commitment."""

    material: str
    name: str
    source: str
    uploads: tuple[CardUpload, ...] = ()


class CardTask(msgspec.Struct, frozen=True):
    """One department's part."""

    id: str
    department: str
    step: str
    action: str
    state: str
    result: str | None = None
    opinion: str | None = None
    due_on: dt.date | None = None
    answered_at: dt.datetime | None = None


class CardPause(msgspec.Struct, frozen=True):
    """A special procedure that stopped the clock; `end` is None while it lasts."""

    task: str
    name: str
    start: dt.datetime
    end: dt.datetime | None = None
    id: str = ""
    department: str = ""
    due_on: dt.date | None = None


class CardExtension(msgspec.Struct, frozen=True):
    """An extension that was granted: by so many days, decided on that day; `promise`: the promised limit moves too."""

    days: int
    on: dt.date
    promise: bool


class CardDelivery(msgspec.Struct, frozen=True):
    """How the result reaches the applicant, by when, and how far it is; the address is not on the card."""

    method: str
    due_on: dt.date | None = None
    carrier: str | None = None
    tracking: str | None = None
    sent_at: dt.datetime | None = None
    delivered_at: dt.datetime | None = None


class CardIssued(msgspec.Struct, frozen=True):
    """A certificate that came out of the case; its number is sealed, a later item of a bundle may need it."""

    certificate_type: str
    number_sealed: bytes


class CardSignature(msgspec.Struct, frozen=True):
    """A commitment that was signed: which text, when, and by what name; the name is sealed."""

    version: str
    at: dt.datetime
    name_sealed: bytes


class CardDebt(msgspec.Struct, frozen=True):
    """A paper that may follow (handlers/debts.py); `due_on` None until the case is accepted.

    `counted_from`: the day after which its working days are counted, where it has any.
    """

    id: str
    material: str
    name: str
    kind: str
    text_version: str
    signed_at: dt.datetime
    due_on: dt.date | None = None
    reminded_at: dt.datetime | None = None
    settled_at: dt.datetime | None = None
    lapsed_at: dt.datetime | None = None
    result: str | None = None
    note: str | None = None
    counted_from: dt.date | None = None


class CardUrgency(msgspec.Struct, frozen=True):
    """Urgent aid was asked for, and is to be decided by then; the hours begin anew when a correction came back."""

    asked_at: dt.datetime
    decide_by: dt.datetime


class CardPriority(msgspec.Struct, frozen=True):
    """Why a case goes first: the group of people, and what shows that the applicant belongs to it."""

    group: str
    evidence: str


class CardRevocation(msgspec.Struct, frozen=True):
    """The decision was taken back, for this reason."""

    at: dt.datetime
    reason: str


class CardAgent(msgspec.Struct, frozen=True):
    """Who acts for whom: the agent's account and the authority; both persons are sealed, `document` is what was shown for it."""

    account: str
    proxy: str
    kind: str
    relation: str
    minor: bool
    agent_sealed: bytes
    principal_sealed: bytes
    document: str | None = None


class Card(msgspec.Struct, frozen=True):
    """Materials, tasks, pauses, extensions and delivery of a case, as last written.

    `handed_in` names what came with the last correction: "field:phone", "material:id_card"; `waiting`: a part of a bundle whose turn
    has not come.
    """

    materials: tuple[CardMaterial, ...] = ()
    tasks: tuple[CardTask, ...] = ()
    pauses: tuple[CardPause, ...] = ()
    evaluation: int | None = None
    extensions: tuple[CardExtension, ...] = ()
    delivery: CardDelivery | None = None
    handed_in: tuple[str, ...] = ()
    issued: tuple[CardIssued, ...] = ()
    waiting: bool = False
    signatures: tuple[CardSignature, ...] = ()
    debts: tuple[CardDebt, ...] = ()
    urgency: CardUrgency | None = None
    priority: CardPriority | None = None
    revoked: CardRevocation | None = None
    agent: CardAgent | None = None

    @property
    def is_paused(self) -> bool:
        """Whether a special procedure lasts, so that no due date holds until it is over."""
        return any(pause.end is None for pause in self.pauses)


_DECODER = msgspec.json.Decoder(Card)
_ENCODER = msgspec.json.Encoder()


def read_card(row: Row) -> Card:
    """The card of a case row."""
    return _DECODER.decode(row["card"])


def write_card(card: Card) -> str:
    """JSON text for the case row."""
    return _ENCODER.encode(card).decode()


def card_task(row: Row) -> CardTask:
    """A task row as the card shows it."""
    return CardTask(
        row["id"],
        row["department"],
        row["step"],
        row["action"],
        row["state"],
        row["result"],
        row["opinion"],
        row["due_on"],
        row["answered_at"],
    )
