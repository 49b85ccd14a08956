"""All carriers between this town and its departments, started and stopped as one; any number of processes may run one."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

import msgspec

from backoffice import evidence
from backoffice.confirmations import Confirmations
from backoffice.counts import Counts
from backoffice.envelope import Confirmation
from backoffice.holding import Holding
from backoffice.inbox import Effect, Inbox
from backoffice.lanes import answers_key, confirmations_key, confirmations_lease, inbox_lease, lanes_of, relay_lease, taken_key
from backoffice.outage import Outage, jitter
from backoffice.reader import Reader, Taker
from backoffice.relay import Limits, Relay
from backoffice.unopened import try_again
from storage.bell import Bell
from storage.clock import Clock
from storage.database import Database
from storage.errors import StoreUnavailable
from storage.ids import uuid7
from storage.sealing import Sealer
from storage.streams import PipeDown, Streams
from storage.tasks import end

logger = logging.getLogger("backoffice")


class Carrier(Protocol):
    """A way to departments beside Redis, run by the bridge under leases of its own."""

    @property
    def leases(self) -> Sequence[str]:
        """What it must hold to work; the first names it."""
        ...

    async def run(self, holding: Holding, counts: Counts) -> None:
        """Carry for ever, whenever a lease is held."""
        ...


class Bridge:
    """The exchange with `departments` (code -> number of partitions).

    `effect` is what an answer does to its case; `sealer` opens what lies sealed in the outbox; `carriers` go other ways than Redis.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        bell: Bell,
        streams: Streams,
        *,
        departments: Mapping[str, int],
        effect: Effect,
        limits: Limits | None = None,
        holder: str | None = None,
        sealer: Sealer | None = None,
        carriers: Sequence[Carrier] = (),
    ) -> None:
        self.counts = Counts()
        self._carriers = carriers
        self._database = database
        self._clock = clock
        self._streams = streams
        self._sealer = sealer
        self._limits = limits or Limits()
        self._outage = Outage()
        self._tasks: list[asyncio.Task[None]] = []
        lanes = lanes_of(departments)
        names = [name for lane in lanes for name in (relay_lease(lane), inbox_lease(lane))] + [
            confirmations_lease(code) for code in departments
        ]
        names.append(evidence.LEASE)
        names += [name for carrier in carriers for name in carrier.leases]
        self.holding = Holding(database, clock, holder or new_holder(), seconds=self._limits.lease_seconds, names=names, counts=self.counts)
        self.relay = Relay(
            database, clock, bell, streams,
            lanes=lanes, holding=self.holding, limits=self._limits, counts=self.counts, outage=self._outage, sealer=sealer,
        )  # fmt: skip
        self._readers = {
            inbox_lease(lane): self._reader(answers_key(lane), inbox_lease(lane), self._inbox(lane[0], effect)) for lane in lanes
        }
        self.keeper = evidence.Keeper(database, clock, self.holding, sealer)
        for code in departments:
            taker = Confirmations(database, clock, code, self.counts, sealer)
            self._readers[confirmations_lease(code)] = self._reader(confirmations_key(code), confirmations_lease(code), taker)

    async def start(self) -> None:
        """Take what leases are free and set to work."""
        await self.holding.renew()
        await try_again(self._database)
        works: dict[str, Callable[[], Awaitable[None]]] = {
            "leases": self.holding.run,
            "relay": self.relay.run,
            "resend": self.relay.run_resend,
            "evidence": self.keeper.run,
            **{name: reader.run for name, reader in self._readers.items()},
            **{carrier.leases[0]: partial(carrier.run, self.holding, self.counts) for carrier in self._carriers},
        }
        self._tasks = [asyncio.create_task(_keep(name, work), name=f"bridge:{name}") for name, work in works.items()]

    async def stop(self) -> None:
        """Stop within moments and give the leases back; whatever was under way is still pending."""
        await end(self._tasks)
        self._tasks = []
        with suppress(Exception):  # the database may be what made us stop; the leases then run out by themselves
            await self.holding.release()

    def _inbox(self, department: str, effect: Effect) -> Inbox:
        async def confirm(confirmations: Sequence[Confirmation]) -> None:
            bodies = [msgspec.json.encode(one) for one in confirmations]
            try:
                await self._streams.publish(taken_key(department), bodies, self._limits.stream_cap)
            except PipeDown as error:  # what was lost is said again when the department repeats itself; its lanes need not wait for it
                self._outage.begin(taken_key(department), error)
            else:
                self._outage.over(taken_key(department))

        return Inbox(
            self._database,
            self._clock,
            department=department,
            effect=effect,
            confirm=confirm,
            counts=self.counts,
            attempts=self._limits.attempts,
            sealer=self._sealer,
        )

    def _reader(self, key: str, lease: str, taker: Taker) -> Reader:
        limits = self._limits
        return Reader(
            key, self._streams, taker, lease=lease, holding=self.holding, outage=self._outage,
            batch=limits.batch, wait=limits.read_seconds, sweep=limits.sweep_seconds,
        )  # fmt: skip


def new_holder() -> str:
    """A name for this process that no other has."""
    return f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid7()[-12:]}"


async def _keep(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run a carrier for ever: when it breaks, say so, wait a moment and begin again."""
    failures = 0
    while True:
        began = asyncio.get_running_loop().time()
        try:
            await work()
        except Exception as error:
            failures = 0 if asyncio.get_running_loop().time() - began > 60 else failures + 1  # noqa: PLR2004 - it had been well for a minute
            pause = jitter(failures)
            known = isinstance(error, StoreUnavailable)
            logger.warning("carrier %s broke off (%r); it begins again in %.1f s", name, error, pause, exc_info=None if known else error)
            await asyncio.sleep(pause)
