"""Cases looked at a moment ago: a phone that looks again and again costs one read in a while.

A remembered look is never shown after the case's bell has rung, which is at the commit in the process that changed the case and
a message through Redis later in the others, and never when it is older than AGE, whatever became of the bell.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass

from handlers.caseviews import CaseView
from storage import cases
from storage.bell import Bell, Ticket

AGE = 2.0
"""Seconds after which a look is no longer believed."""

_MOST = 10_000


@dataclass(frozen=True, slots=True)
class _Look:
    owner_id: str
    view: CaseView
    until: float
    ticket: Ticket
    listening: ExitStack


class Glances:
    """Remembers what `look` was last shown of each case, and whose it is; `now` is a clock in seconds."""

    def __init__(self, bell: Bell, now: Callable[[], float] = time.monotonic) -> None:
        self._bell = bell
        self._now = now
        self._looks: dict[str, _Look] = {}  # the oldest first, for every look lives equally long

    async def look(self, owner_id: str, case_id: str, read: Callable[[], Awaitable[CaseView]]) -> CaseView:
        """The owner's case as it was last read, or read now; whatever `read` raises for other people's cases goes through."""
        known = self._looks.get(case_id)
        if known is not None and known.owner_id == owner_id and not known.ticket.rung and known.until > self._now():
            return known.view
        return await self._read(owner_id, case_id, read)

    async def _read(self, owner_id: str, case_id: str, read: Callable[[], Awaitable[CaseView]]) -> CaseView:
        until = self._now() + AGE
        with ExitStack() as stack:
            ticket = stack.enter_context(self._bell.listen(cases.topic(case_id)))  # before the read, so that no change falls in between
            view = await read()
            self._forget(case_id)
            self._make_room()
            self._looks[case_id] = _Look(owner_id, view, until, ticket, stack.pop_all())
        return view

    def _make_room(self) -> None:
        """Drop what is too old to be shown."""
        now = self._now()
        while self._looks:
            case_id, oldest = next(iter(self._looks.items()))
            if oldest.until > now and len(self._looks) < _MOST:
                return
            self._forget(case_id)

    def _forget(self, case_id: str) -> None:
        look = self._looks.pop(case_id, None)
        if look is not None:
            look.listening.close()
