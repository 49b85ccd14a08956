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


class Card(msgspec.Struct, frozen=True):
    """Materials, tasks and pauses of a case, as last written."""

    materials: tuple[CardMaterial, ...] = ()
    tasks: tuple[CardTask, ...] = ()
    pauses: tuple[CardPause, ...] = ()
    evaluation: int | None = None


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
