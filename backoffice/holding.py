"""Which lanes this process may work on: one holder a lease, all of them kept by one statement."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Iterable

from backoffice.counts import Counts
from storage import leases
from storage.clock import Clock
from storage.database import Database
from storage.heirs import Heir

logger = logging.getLogger("backoffice")

_SKEW = 0.1
"""The part of a lease that is given up at its end, because another machine's clock may be ahead."""
_LOOK = 0.75
"""Seconds between two looks at the leases, or a third of a lease: what a dead process held is taken over within a second of its end."""


class Holding:
    """Keeps as many of `names` as nobody else has. `wait` for a lease, work while `fence` is not None."""

    def __init__(self, database: Database, clock: Clock, holder: str, *, seconds: float, names: Iterable[str], counts: Counts) -> None:
        self.holder = holder
        self._database = database
        self._clock = clock
        self._seconds = seconds
        self._names = sorted(names)
        self._counts = counts
        self._held: dict[str, tuple[int, dt.datetime]] = {}
        self._heir: Heir | None = None
        self._gained = {name: asyncio.Event() for name in self._names}

    async def run(self) -> None:
        """Take and renew for ever."""
        while True:
            await self.renew()
            await asyncio.sleep(min(self._seconds / 3, _LOOK))

    async def renew(self) -> None:
        """Take what is free and renew what is held: one statement for all, and a look at those that seem never to end."""
        now = self._clock.now()
        until = now + dt.timedelta(seconds=self._seconds * (1 - _SKEW))
        fences = await leases.acquire_all(self._database, self._names, self.holder, now, self._seconds)
        self._heir = self._heir or Heir(self.holder, self._seconds)
        fences |= await self._heir.inherit(self._database, self._gained, now)
        self._note({name: (fence, until) for name, fence in fences.items()})

    def fence(self, name: str) -> int | None:
        """The fence of a lease that is ours now, else None."""
        fence, until = self._held.get(name, (None, None))
        if until is not None and self._clock.now() < until:
            return fence
        self._gained[name].clear()
        return None

    def lease(self, name: str) -> tuple[str, str, int] | None:
        """Name, holder and fence of a lease that is ours now: what a fenced statement asks for."""
        fence = self.fence(name)
        return None if fence is None else (name, self.holder, fence)

    async def wait(self, name: str) -> None:
        """Until the lease is ours."""
        while self.fence(name) is None:
            await self._gained[name].wait()

    async def release(self) -> None:
        """Give everything back, so that another process need not wait for the end of the leases."""
        held, self._held = self._held, {}
        await leases.release_all(self._database, {name: fence for name, (fence, _) in held.items()}, self.holder)

    def _note(self, now_held: dict[str, tuple[int, dt.datetime]]) -> None:
        for name in now_held.keys() - self._held.keys():
            self._counts.add("lease_changes", name.partition(":")[2].partition(".")[0])
        for name in sorted(self._held.keys() - now_held.keys()):
            logger.warning("lease %s went to another process", name)
        self._held = now_held
        for name in now_held:
            self._gained[name].set()
