"""To departments that are called over HTTPS: every case line in order, several lines at once, each department by itself.

A message is confirmed by the status of its delivery. A carrier may die after the department took a message and before that was
noted: then it comes again with the same id and number, and the department skips it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from backoffice.counts import Counts
from backoffice.holding import Holding
from backoffice.links import Breaker, Patience
from backoffice.outage import jitter
from backoffice.unopened import Opening
from backoffice.webhook_post import MESSAGE, POSITION, Credentials, Outcome, trace_of
from storage import deliveries, journal, links, outbox, trace
from storage.bell import Bell, Ticket
from storage.clock import Clock
from storage.database import Database
from storage.journal import Posted
from storage.outbox import Lane
from storage.sealing import Sealer
from storage.tasks import end

_RETRIES = (10.0, 30.0, 120.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 21600.0, 28800.0, 36000.0, 57600.0)
"""The longest wait in seconds after each failed try of a message. A random part of it is taken, so they last a day on average."""
_POST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Pace:
    """How a carrier works: lines delivered at the same time, seconds between looks when no bell rings, waits after failed tries."""

    width: int = 8
    poll_seconds: float = 1.0
    retries: Sequence[float] = _RETRIES
    patience: Patience = field(default_factory=Patience)


class Sends(Protocol):
    """Whoever delivers one message (webhook_post.Poster, bound to the department's keys)."""

    async def __call__(self, message: bytes, facts: dict[str, str], credentials: Credentials) -> Outcome:
        """What came of it."""
        ...


class Unlocks(Protocol):
    """Whoever knows the department's keys."""

    async def __call__(self) -> Credentials | str:
        """The keys that are valid now, or in words why nothing can be sent."""
        ...


class WebhookCarrier:
    """Delivers to one department, in the process that holds its lease."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        bell: Bell,
        *,
        lanes: Sequence[Lane],
        send: Sends,
        unlock: Unlocks,
        holding: Holding,
        counts: Counts,
        pace: Pace | None = None,
        sealer: Sealer | None = None,
    ) -> None:
        self.department = lanes[0][0]
        self.breaker = Breaker(database, clock, self.department, pace.patience if pace else None)
        self._database = database
        self._clock = clock
        self._bell = bell
        self._lanes = lanes
        self._send = send
        self._unlock = unlock
        self._holding = holding
        self._counts = counts
        self._pace = pace or Pace()
        self._sealer = sealer
        self._at_work: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Deliver for ever, whenever the lease is ours."""
        with self._bell.listen(outbox.BELL) as ring, self._bell.listen(links.BELL) as changed:
            try:
                while True:
                    await self._holding.wait(webhook_lease(self.department))
                    await journal.adopt(self._database, self.department)
                    await self._serve(ring, changed)
            finally:
                await end(self._at_work.values())
                await asyncio.gather(*self._at_work.values(), return_exceptions=True)  # what ended this run has been raised already
                self._at_work.clear()

    async def _serve(self, ring: Ticket, changed: Ticket) -> None:
        while self._is_ours():
            await self.breaker.look()
            rests_for = self.breaker.rests_for
            if rests_for is None or rests_for > 0:
                await changed.wait(min(rests_for or self._pace.poll_seconds * 10, self._pace.poll_seconds * 10))
            elif self.breaker.is_closed:
                await self._deliver(ring)
            elif self._at_work:
                await self._wait(ring)  # what was under way when the link began to rest
            else:
                await self._probe(ring)

    def _is_ours(self) -> bool:
        return self._holding.fence(webhook_lease(self.department)) is not None

    async def _deliver(self, ring: Ticket) -> None:
        """Set lines to work as far as there is room, then wait until one has ended or something may be new."""
        await self._post()
        now = self._clock.now()
        room = self._pace.width - len(self._at_work)
        heads = await deliveries.due(self._database, self.department, now, 2 * self._pace.width) if room else []
        free = [head for head in heads if head.letter.case_id not in self._at_work][:room]
        credentials = await self._credentials() if free else None
        if credentials:
            self._at_work |= {head.letter.case_id: asyncio.create_task(self._line(head, credentials)) for head in free}
        await self._wait(ring)

    async def _post(self) -> None:
        """Give what is new its place in the journal."""
        if await outbox.waiting(self._database, self._lanes):
            await journal.post(self._database, self._lanes, _POST_AT_ONCE, self._clock.now())

    async def _wait(self, ring: Ticket) -> None:
        rung = asyncio.ensure_future(ring.wait(self._pace.poll_seconds))
        try:
            await asyncio.wait({rung, *self._at_work.values()}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            rung.cancel()
        for case_id in [case_id for case_id, task in self._at_work.items() if task.done()]:
            self._at_work.pop(case_id).result()  # a store that is away ends this carrier's run, which begins again

    async def _line(self, head: Posted, credentials: Credentials) -> None:
        """One case line: the next message only after the one before is confirmed."""
        posted: Posted | None = head
        while posted and self.breaker.is_closed and self._is_ours():
            if not await self._try(posted, credentials):
                return
            posted = await deliveries.following(self._database, self.department, posted)

    async def _probe(self, ring: Ticket) -> None:
        """One message, to see whether the department is back."""
        await self._post()
        posted = await deliveries.probe(self._database, self.department)
        if posted is None:
            await ring.wait(self._pace.poll_seconds)
            return
        credentials = await self._credentials()
        if credentials:
            await self._try(posted, credentials)

    async def _credentials(self) -> Credentials | None:
        found = await self._unlock()
        if isinstance(found, str):
            await self.breaker.failed(found)
            return None
        return found

    async def _try(self, posted: Posted, credentials: Credentials) -> bool:
        """Deliver one message and note what came of it; whether the department has it."""
        opening = Opening(self._sealer)
        message = opening.open(posted.letter)
        if message is None:
            await opening.put_back(self._database, self._clock, self.department)
            return False
        facts = {POSITION: str(posted.position), MESSAGE: posted.letter.id, trace.HEADER: trace_of(message).onward()}
        outcome = await self._send(message, facts, credentials)
        self._counts.add("sent", self.department)
        if outcome.kind == "taken":
            await journal.confirm_one(self._database, posted, self._clock.now())
            self._counts.add("confirmed", self.department)
            await self.breaker.succeeded()
            return True
        await self._put_off(posted, outcome)
        return False

    async def _put_off(self, posted: Posted, outcome: Outcome) -> None:
        """The message first, then the link: whoever sees the link at work again finds the message where it belongs."""
        self._counts.add("retried", self.department)
        if outcome.kind == "gone":
            await self.breaker.pause(f"对方已停用这个网址（{outcome.detail}）")
        elif outcome.kind == "refused":
            await deliveries.hold(self._database, posted, outcome.detail)
            await self.breaker.succeeded()  # it answers, and well enough to judge a message
        else:
            await self._later(posted, outcome)
            await self.breaker.failed(outcome.detail, outcome.wait)

    async def _later(self, posted: Posted, outcome: Outcome) -> None:
        """Once more, as the table says; what fails to the end of it while the link works is held, what fails with the link is not."""
        tries, retries = posted.tries, self._pace.retries
        if outcome.wait is not None or self.breaker.link.failures:
            wait = _part(retries[min(tries, len(retries) - 1)]) if outcome.wait is None else outcome.wait
            await deliveries.wait_for_link(self._database, posted, outcome.detail, self._in(wait))
        elif tries >= len(retries):
            await deliveries.hold(self._database, posted, f"多次投递都失败，其他消息正常：{outcome.detail}")
        else:
            await journal.put_off(self._database, posted, outcome.detail, self._in(_part(retries[tries])))

    def _in(self, seconds: float) -> dt.datetime:
        return self._clock.now() + dt.timedelta(seconds=seconds)


def _part(seconds: float) -> float:
    """A random part (full jitter), so that what failed together does not come back together."""
    return jitter(0, seconds, seconds)


def webhook_lease(department: str) -> str:
    """The lease of the one carrier that calls a department."""
    return f"webhook:{department}"
