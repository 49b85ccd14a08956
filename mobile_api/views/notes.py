"""Internal notes on a case."""

from __future__ import annotations

from typing import Annotated

import msgspec

from handlers import notes
from handlers.notes import Note, NoteView
from handlers.office import Office
from mobile_api.views.desk import officer
from mobile_api.web.caller import Caller
from mobile_api.web.idempotency import Once
from mobile_api.web.operation import Answer


class NotesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of notes, newest first."""

    cursor: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class NotePage(msgspec.Struct, frozen=True):
    """A page of notes."""

    items: list[NoteView]
    next_cursor: str | None


async def listing(id: str, query: NotesQuery, caller: Caller, office: Office) -> NotePage:  # noqa: A002 - the path's own word
    """The notes of a case."""
    items = await notes.of_case(office, officer(caller), id, query.cursor, query.limit)
    return NotePage(items, items[-1].id if len(items) == query.limit else None)


async def add(id: str, body: Note, caller: Caller, office: Office, once: Once) -> Answer[NoteView]:  # noqa: A002
    """Write a note."""
    return await once.settled(lambda settle: notes.add(office, officer(caller), id, body, settle), _created)


def _created(view: NoteView) -> Answer[NoteView]:
    return Answer(view, status=201)
