"""Cases looked at a moment ago: a phone that looks again and again costs one read in a while.

A remembered answer is never given after the case's bell has rung, which is at the commit in the process that changed the case and
a message through Redis later in the others, and never when it is older than AGE, whatever became of the bell.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import msgspec

from handlers.caseviews import CaseView
from mobile_api.web.answers import encode
from mobile_api.web.operation import Answer
from storage import cases
from storage.bell import Bell, Ticket

AGE = 2.0
"""Seconds after which an answer is no longer believed."""

_MOST = 10_000


@dataclass(frozen=True, slots=True)
class _Glance:
    owner_id: str
    answer: Answer[Any]
    until: float
    ticket: Ticket
    listening: ExitStack


class Glances:
    """Remembers how each case was last answered, and to whom it belongs; `now` is a clock in seconds."""

    def __init__(self, bell: Bell, now: Callable[[], float] = time.monotonic) -> None:
        self._bell = bell
        self._now = now
        self._glances: OrderedDict[str, _Glance] = OrderedDict()  # the oldest first, for all live equally long

    async def look(self, owner_id: str, case_id: str, read: Callable[[], Awaitable[CaseView]]) -> Answer[Any]:
        """The owner's case as answered a moment ago, or as read now; what `read` raises for other people's cases goes through."""
        known = self._glances.get(case_id)
        if known is not None and known.owner_id == owner_id and not known.ticket.rung and known.until > self._now():
            return known.answer
        return await self._read(owner_id, case_id, read)

    async def _read(self, owner_id: str, case_id: str, read: Callable[[], Awaitable[CaseView]]) -> Answer[Any]:
        until = self._now() + AGE
        with ExitStack() as stack:
            ticket = stack.enter_context(self._bell.listen(cases.topic(case_id)))  # before the read, so that no change falls in between
            view = await read()
            answer = Answer(msgspec.Raw(encode(view)), etag=view.version)
            self._forget(case_id)
            self._make_room()
            self._glances[case_id] = _Glance(owner_id, answer, until, ticket, stack.pop_all())
        return answer

    def _make_room(self) -> None:
        """Drop what is too old to be given."""
        now = self._now()
        while self._glances:
            case_id, oldest = next(iter(self._glances.items()))
            if oldest.until > now and len(self._glances) < _MOST:
                return
            self._forget(case_id)

    def _forget(self, case_id: str) -> None:
        glance = self._glances.pop(case_id, None)
        if glance is not None:
            glance.listening.close()
