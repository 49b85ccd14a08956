"""Answers that a department posts over HTTPS: they take effect at once, and it is told what became of each.

The same inbox as for streams does the work, so it does not matter by which way, how often or in what order a message comes. Nothing
waits in memory: what comes too early is the sender's to send again, and any process may take in the next request.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from backoffice.counts import Counts
from backoffice.envelope import BadEnvelope, Confirmation, decode
from backoffice.inbox import Effect, Inbox
from backoffice.outage import jitter
from handlers import reviews
from handlers.catalogue import Department
from handlers.office import Office
from storage import inbox, verdicts
from storage.envelopes import Envelope
from storage.errors import StoreUnavailable
from storage.streams import Entry

MOST = 100
"""Messages of one request."""

Became = Literal["taken", "known", "early", "set_aside"]

_ATTEMPTS = 5
_OVERTAKEN_TRIES, _OVERTAKEN_PAUSE, _OVERTAKEN_LONGEST = 8, 0.02, 0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one message; `id` is None where none could be read, `reason` says why it was not taken in."""

    id: str | None
    status: Became
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """One verdict a message, in their order, and how far each line they belong to is now."""

    verdicts: list[Verdict]
    confirmations: list[Confirmation]


class Intake:
    """Takes in what departments post; one for a process. `effect` is what an answer does to its case, the office's own by default."""

    def __init__(self, office: Office, effect: Effect | None = None) -> None:
        self.counts = Counts()
        self._office = office
        self._effect = effect or partial(reviews.record, office)

    async def take(self, department: Department, bodies: Sequence[bytes]) -> Receipt:
        """Let messages take effect; raises StoreUnavailable when that is not certain, and then they are to be sent again."""
        posted = [_posted(body, f"/departments/{department.code}") for body in bodies]
        keys = [one.key for one in posted if one.key]
        before = await inbox.known(self._office.database, keys)
        confirmations = await self._through_inbox(department, bodies)
        after = await inbox.known(self._office.database, keys)
        names = [name for one in posted for name in (one.digest, *(one.key or ())[1:])]
        reasons = await verdicts.reasons(self._office.database, department.code, names)
        received = {one.case_id: one.sequence for one in confirmations}
        return Receipt([_verdict(one, before, after, reasons, received) for one in posted], confirmations)

    async def _through_inbox(self, department: Department, bodies: Sequence[bytes]) -> list[Confirmation]:
        """Again from the beginning as long as another process moves the same lines: what it took in is known by then."""
        for attempt in range(_OVERTAKEN_TRIES):
            told: list[Confirmation] = []
            try:
                await self._inbox(department, told).take([Entry(str(n), body) for n, body in enumerate(bodies)])
            except inbox.Overtaken:
                await asyncio.sleep(jitter(attempt, _OVERTAKEN_PAUSE, _OVERTAKEN_LONGEST))
            else:
                return told
        raise StoreUnavailable("the same case lines are being moved elsewhere")

    def _inbox(self, department: Department, told: list[Confirmation]) -> Inbox:
        async def confirm(confirmations: Sequence[Confirmation]) -> None:
            told.extend(confirmations)

        office = self._office
        return Inbox(
            office.database, office.clock, department=department.code, effect=self._effect, confirm=confirm, counts=self.counts,
            attempts=_ATTEMPTS, sealer=office.keys.sealer,
        )  # fmt: skip


_Known = Mapping[tuple[str, str], tuple[str, int]]
"""Messages (source, id) that were taken in, and where: (case id, sequence)."""


@dataclass(frozen=True, slots=True)
class _Posted:
    """A message as far as it can be read."""

    digest: str
    envelope: Envelope | None
    id: str | None

    @property
    def key(self) -> tuple[str, str] | None:
        return (self.envelope.source, self.envelope.id) if self.envelope else None

    @property
    def place(self) -> tuple[str, int] | None:
        return (self.envelope.partitionkey, self.envelope.sequence) if self.envelope else None


def _posted(body: bytes, source: str) -> _Posted:
    digest = hashlib.sha256(body).hexdigest()
    try:
        envelope = decode(body, source)
    except BadEnvelope as bad:
        return _Posted(digest, None, bad.id)
    return _Posted(digest, envelope, envelope.id)


def _verdict(
    posted: _Posted,
    before: _Known,
    after: _Known,
    reasons: Mapping[str, str],
    received: Mapping[str, int],
) -> Verdict:
    """Read from the rows, so that a repeated request gets the same answer: what is in the inbox is done with, set aside or not."""
    place = after.get(posted.key) if posted.key else None
    name = (posted.id or "") if place and place == posted.place else posted.digest
    if reason := reasons.get(name):
        return Verdict(posted.id, "set_aside", reason)
    if place:
        return Verdict(posted.id, "known" if posted.key in before else "taken")
    return Verdict(posted.id, "early", _why_early(posted, received))


def _why_early(posted: _Posted, received: Mapping[str, int]) -> str:
    if posted.envelope is None:
        return "暂时未能处理，请稍后重发"
    expected = received.get(posted.envelope.partitionkey, 0) + 1
    if posted.envelope.sequence > expected:
        return f"前面的 {expected} 号还没有收到；请先发送它，再重发这一条"
    return "暂时未能办理，请稍后重发"
