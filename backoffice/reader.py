"""Reading one stream under one lease: what the previous holder left first, then what comes; removed only after the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from backoffice.holding import Holding
from backoffice.outage import Outage
from storage.streams import Entry, PipeDown, Streams


class Taker(Protocol):
    """Whoever deals with the entries of one stream."""

    def begin_again(self) -> None:
        """Everything pending is about to be handed over from the start: forget what was kept in memory."""
        ...

    async def take(self, entries: Sequence[Entry]) -> list[str]:
        """Deal with entries and commit; the ids of those that are done with. The others stay pending and come again."""
        ...


class Reader:
    """One stream's reader; `wait` and `sweep` are the seconds between looks at what is new and at what is pending."""

    def __init__(
        self,
        key: str,
        streams: Streams,
        taker: Taker,
        *,
        lease: str,
        holding: Holding,
        outage: Outage,
        batch: int,
        wait: float,
        sweep: float,
    ) -> None:
        self._key = key
        self._lease = lease
        self._streams = streams
        self._holding = holding
        self._taker = taker
        self._outage = outage
        self._batch = batch
        self._wait = wait
        self._sweep_seconds = sweep

    async def run(self) -> None:
        """Read for ever, whenever the lease is ours."""
        while True:
            await self._holding.wait(self._lease)
            try:
                await self._serve()
            except PipeDown as error:
                self._outage.begin(self._key, error)
                await self._outage.pause(self._key)

    async def _serve(self) -> None:
        await self._streams.take_over(self._key)
        fence = self._holding.fence(self._lease)
        clock = asyncio.get_running_loop().time
        swept = -self._sweep_seconds
        while fence is not None and self._holding.fence(self._lease) == fence:
            if clock() - swept >= self._sweep_seconds:
                await self.sweep()
                swept = clock()
            await self._pass_on(await self._streams.read(self._key, self._batch, min(self._wait, self._sweep_seconds)))
            self._outage.over(self._key)

    async def sweep(self) -> None:
        """Hand over everything pending once more: gaps may be filled, retries due, a former holder may have left something."""
        self._taker.begin_again()
        async for page in self._streams.pending(self._key):
            await self._pass_on(page)

    async def _pass_on(self, entries: Sequence[Entry]) -> None:
        if entries:
            await self._streams.remove(self._key, await self._taker.take(entries))
