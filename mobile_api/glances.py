"""Cases looked at a moment ago: a phone that looks again and again costs one read in a while.

A remembered answer is forgotten when the case's bell rings, which is at the commit in the process that changed the case and a
message through Redis later in the others, and never given when it is older than AGE, whatever became of the bell.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from handlers.caseviews import CaseView
from mobile_api.web.answers import encode
from mobile_api.web.operation import Answer
from storage import cases
from storage.bell import Bell

AGE = 2.0
"""Seconds after which an answer is no longer believed."""

_MOST = 2_000


class _Glance(NamedTuple):
    owner_id: str
    until: float
    answer: Answer[Any]


class Glances:
    """Remembers how each case was last answered, and to whom it belongs; `now` is a clock in seconds."""

    def __init__(self, bell: Bell, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._glances: OrderedDict[str, _Glance] = OrderedDict()  # by topic, the oldest first
        self._reading: dict[str, object] = {}
        bell.call(self._hear)

    async def look(self, owner_id: str, case_id: str, read: Callable[[], Awaitable[CaseView]]) -> Answer[Any]:
        """The owner's case as answered a moment ago, or as read now; what `read` raises for other people's cases goes through."""
        topic = cases.topic(case_id)
        known = self._glances.get(topic)
        if known is not None and known.owner_id == owner_id and known.until > self._now():
            return known.answer
        return await self._read(owner_id, topic, read)

    async def _read(self, owner_id: str, topic: str, read: Callable[[], Awaitable[CaseView]]) -> Answer[Any]:
        until, mark = self._now() + AGE, object()
        self._reading[topic] = mark  # a ring from here on takes it away: what is read may be of before
        try:
            view = await read()
            answer = Answer(msgspec.Raw(encode(view)), etag=view.version)
            if self._reading.get(topic) is mark:
                self._remember(topic, _Glance(owner_id, until, answer))
            return answer
        finally:
            if self._reading.get(topic) is mark:
                del self._reading[topic]

    def _remember(self, topic: str, glance: _Glance) -> None:
        """Keep an answer, and none that is too old or too many."""
        self._glances.pop(topic, None)
        self._glances[topic] = glance
        now = self._now()
        while len(self._glances) > _MOST or next(iter(self._glances.values())).until <= now:
            self._glances.popitem(last=False)

    def _hear(self, topic: str | None) -> None:
        if topic is None:
            self._glances.clear()
            self._reading.clear()
        else:
            self._glances.pop(topic, None)
            self._reading.pop(topic, None)
