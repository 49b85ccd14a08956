"""Internal notes: what officers write for each other about a case. Sealed at rest; no answer to a resident is made from them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec

from handlers.access import Officer, check_officer
from handlers.caseviews import department_ref
from handlers.errors import Refused
from handlers.office import Office
from handlers.policy import scope_of
from storage import audit, cases, notes
from storage.database import Queries, Row, Transaction
from storage.ids import uuid7


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A note for colleagues."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class NoteView(msgspec.Struct, frozen=True):
    """A note with its author and time."""

    id: str
    author: str
    organisation: str
    at: dt.datetime
    text: str


Settle = Callable[[Transaction, NoteView], Awaitable[None]]


async def add(office: Office, officer: Officer, case_id: str, note: Note, settle: Settle | None = None) -> NoteView:
    """Write a note on a case that one may see; `settle` keeps the answer with it."""
    if not note.text.strip():
        raise Refused("note_empty")
    async with office.database.transaction() as tx:
        await _check(tx, officer, case_id)
        if scope_of(officer.role, "write_note") == "none":
            raise Refused("forbidden")
        note_id = await write(office, tx, officer, case_id, note.text.strip())
        row = await notes.by_id(tx, note_id)  # not the case's newest: another process's clock may be ahead
        view = _view(office, row or {})
        if settle is not None:
            await settle(tx, view)
    return view


async def of_case(office: Office, officer: Officer, case_id: str, before: str | None, limit: int) -> list[NoteView]:
    """The notes of a case that this officer may see, newest first."""
    await _check(office.database, officer, case_id)
    return [_view(office, row) for row in await notes.of_case(office.database, case_id, before, limit)]


async def write(office: Office, db: Queries, officer: Officer, case_id: str, text: str) -> str:
    """Keep a note, sealed, and that it was written; its id. Whether the officer may is asked before."""
    now, note_id = office.clock.now(), uuid7()
    await notes.add(db, note_id, case_id, officer.id, office.keys.sealer.seal(text.encode(), _context(note_id)), now)
    await audit.record(
        db, at=now, actor_kind="staff", actor_id=officer.id, action="case.note", object_kind="case", object_id=case_id,
        outcome="done", data={"note": note_id},
    )  # fmt: skip
    return note_id


def _view(office: Office, row: Row) -> NoteView:
    text = office.keys.sealer.unseal(bytes(row["text_sealed"]), _context(row["id"])).decode()
    organisation = department_ref(office, row["author_department"]).name if row["author_department"] else "服务大厅"
    return NoteView(row["id"], row["author_name"] or "同事", organisation, row["written_at"], text)


async def _check(db: Queries, officer: Officer, case_id: str) -> None:
    row = await cases.by_id(db, case_id)
    if row is None:
        raise Refused("not_found")
    check_officer(officer, "see_case", row, {row["department"], *(task["department"] for task in await cases.tasks(db, case_id))})


def _context(note_id: str) -> str:
    return f"case_note.text_sealed:{note_id}"
