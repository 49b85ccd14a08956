"""Outbox to Redis: what is unsent, in the order of each line; and again what stays unconfirmed and is no longer in the stream.

A relay may die between sending and noting it, or sleep through the end of its lease: then a message is in the stream twice and
the department skips the second by its number. No loss of Redis has to be noticed: what it lost is unconfirmed and absent.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from backoffice.counts import Counts
from backoffice.holding import Holding
from backoffice.lanes import commands_key, relay_lease
from backoffice.outage import Outage
from storage import outbox
from storage.bell import Bell
from storage.clock import Clock
from storage.database import Database
from storage.outbox import Lane, Letter
from storage.sealing import Sealer
from storage.streams import Entry, PipeDown, Streams


@dataclass(frozen=True, slots=True)
class Limits:
    """How the carriers work: seconds and counts, see the settings' section [exchange]."""

    lease_seconds: float = 5.0
    resend_seconds: float = 30.0
    stream_cap: int = 1000
    batch: int = 200
    poll_seconds: float = 0.25
    read_seconds: float = 2.0
    sweep_seconds: float = 5.0
    attempts: int = 5


class Relay:
    """Carries commands to the lanes whose lease this process holds."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        bell: Bell,
        streams: Streams,
        *,
        lanes: Sequence[Lane],
        holding: Holding,
        limits: Limits,
        counts: Counts,
        outage: Outage,
        sealer: Sealer | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._bell = bell
        self._streams = streams
        self._holding = holding
        self._lanes = lanes
        self._limits = limits
        self._counts = counts
        self._outage = outage
        self._sealer = sealer

    async def run(self) -> None:
        """Send for ever: at the bell, or when the poll time is over."""
        with self._bell.listen(outbox.BELL) as ticket:
            while True:
                if not await self.send():
                    await ticket.wait(self._limits.poll_seconds)

    async def run_resend(self) -> None:
        """Look for what got lost, for ever; four times within the resend limit, so that it is met closely."""
        while True:
            await asyncio.sleep(self._limits.resend_seconds / 4)
            await self.resend()

    async def send(self) -> bool:
        """One batch for every lane that has something; False if there is nothing to do but wait."""
        lanes = await outbox.waiting(self._database, self._held())
        return any(await asyncio.gather(*(self._try(lane, self._send) for lane in lanes)))

    async def resend(self) -> int:
        """Send again what is unconfirmed, older than the limit and absent from the stream; how many there were."""
        return sum(await asyncio.gather(*(self._try(lane, self._resend) for lane in self._held())))

    def _held(self) -> list[Lane]:
        held = (lane for lane in self._lanes if self._holding.fence(relay_lease(lane)) is not None)
        return [lane for lane in held if not self._outage.rests(commands_key(lane))]

    async def _try(self, lane: Lane, act: Callable[[Lane], Awaitable[int]]) -> int:
        """One lane's trouble is its own: the others go on."""
        try:
            return await act(lane)
        except PipeDown as error:
            self._outage.begin(commands_key(lane), error)
            return 0

    async def _send(self, lane: Lane) -> int:
        letters = await outbox.unsent(self._database, lane, self._limits.batch)
        sent = await self._publish(lane, letters)
        self._counts.add("sent", lane[0], sent)
        self._counts.add("held_back", lane[0], len(letters) - sent)
        return sent

    async def _publish(self, lane: Lane, letters: Sequence[Letter]) -> int:
        """Into the stream, then noted under the lease; how many. What finds no room or no lease waits in the database."""
        lease = self._holding.lease(relay_lease(lane))
        if lease is None or not letters:
            return 0
        bodies = [outbox.opened(letter, self._sealer) for letter in letters]
        ids = await self._streams.publish(commands_key(lane), bodies, self._limits.stream_cap)
        self._outage.over(commands_key(lane))
        if not ids:
            return 0
        rows = [(letter.id, entry_id) for letter, entry_id in zip(letters, ids, strict=False)]
        return await outbox.mark_sent(self._database, rows, lease, self._clock.now())

    async def _resend(self, lane: Lane) -> int:
        before = self._clock.now() - dt.timedelta(seconds=self._limits.resend_seconds)
        last: Letter | None = None
        sent = 0
        while page := await outbox.unconfirmed(self._database, lane, before, last, self._limits.batch):
            last = page[-1]
            sent += await self._publish(lane, await self._absent(lane, page))
        self._counts.add("resent", lane[0], sent)
        return sent

    async def _absent(self, lane: Lane, page: Sequence[Letter]) -> list[Letter]:
        sent = [Entry(letter.stream_id or "0-1", outbox.opened(letter, self._sealer)) for letter in page]
        present = await self._streams.present(commands_key(lane), sent)
        return [letter for letter, is_there in zip(page, present, strict=True) if not is_there]
