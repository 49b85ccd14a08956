"""How each kind of fault is done and repaired. One victim suffers one fault at a time; different victims suffer at once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress

from redis.exceptions import RedisError

from tests.chaos.exchange import meddler
from tests.chaos.exchange.plan import OFFICES, Fault
from tests.chaos.exchange.proxy import Proxy
from tests.chaos.exchange.shifted import shift
from tests.chaos.exchange.truth import PostgresTruth, SqliteTruth
from tests.chaos.exchange.world import World
from tests.support.processes import until

_FULL = 20
"""Entries in the streams that are worth losing."""
_PATIENCE = 240.0


class Faults:
    """Strikes a world. `done` counts what was done by kind; `refused` says, by kind, why something could not be."""

    def __init__(self, world: World) -> None:
        self.done: Counter[str] = Counter()
        self.refused: dict[str, str] = {}
        self._world = world
        self._chance = random.Random(world.plan.seed)
        self._locks: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def strike(self) -> None:
        """The whole plan, until everything is repaired."""
        began = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as running:
            for fault in self._world.plan.faults:
                await asyncio.sleep(max(0.0, began + fault.at - asyncio.get_running_loop().time()))
                running.create_task(self._strike(fault))
            await asyncio.sleep(max(0.0, began + self._world.plan.seconds - asyncio.get_running_loop().time()))

    async def _strike(self, fault: Fault) -> None:
        act: Callable[[Fault], Awaitable[int]] = getattr(self, f"_{fault.kind.replace('-', '_')}")
        async with self._locks[fault.victim, _part(fault.kind)]:
            with suppress(RedisError, OSError) if fault.victim == "streams" else nullcontext():  # Redis is away: nothing to meddle with
                times = await act(fault)
                self.done[fault.kind] += times

    async def _kill(self, fault: Fault) -> int:
        process = self._world.processes[fault.victim]
        await process.kill()
        await process.start()
        return 1

    async def _freeze(self, fault: Fault) -> int:
        pid = self._world.processes[fault.victim].pid
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(fault.seconds)
        os.kill(pid, signal.SIGCONT)
        return 1

    async def _clock(self, fault: Fault) -> int:
        clock = self._world.clock_of(fault.victim)
        shift(clock, fault.amount)
        await asyncio.sleep(fault.seconds)
        shift(clock, 0)
        return 1

    async def _link_cut(self, fault: Fault) -> int:
        return await _mistreat(self._link(fault), Proxy.cut, fault.seconds)

    async def _link_half_open(self, fault: Fault) -> int:
        return await _mistreat(self._link(fault), Proxy.half_open, fault.seconds)

    async def _link_reset(self, fault: Fault) -> int:
        return await _mistreat(self._link(fault), Proxy.reset, 0)

    async def _link_delay(self, fault: Fault) -> int:
        return await _mistreat(self._link(fault), lambda link: setattr(link, "delay", fault.amount), fault.seconds)

    _database_link_cut, _database_link_half_open, _database_link_reset, _database_link_delay = (
        _link_cut, _link_half_open, _link_reset, _link_delay,
    )  # fmt: skip

    def _link(self, fault: Fault) -> Proxy:
        links = self._world.database_links if fault.kind.startswith("database") else self._world.links
        return links[fault.victim]

    async def _database_kill(self, fault: Fault) -> int:
        assert isinstance(self._world.truth, PostgresTruth)
        await self._world.truth.cluster.kill()
        await asyncio.sleep(fault.seconds)
        await self._world.truth.cluster.start()
        return 1

    async def _database_disk_full(self, fault: Fault) -> int:
        assert isinstance(self._world.truth, SqliteTruth)
        if self._world.truth.disk.refused:
            self.refused[fault.kind] = self._world.truth.disk.refused
            return 0
        self._world.truth.disk.fill()
        await asyncio.sleep(fault.seconds)
        self._world.truth.disk.clear()
        return 1

    async def _redis_kill(self, fault: Fault) -> int:
        await self._world.pipe.kill()
        await asyncio.sleep(fault.seconds)
        await self._world.pipe.start()
        return 1

    async def _redis_loss(self, fault: Fault) -> int:
        await self._world.pipe.kill()
        await self._world.pipe.forget()
        await asyncio.sleep(fault.seconds)
        await self._world.pipe.start()
        return 1

    async def _redis_flush(self, _fault: Fault) -> int:
        await self._world.pipe.client.flushall()
        return 1

    async def _redis_flush_when_full(self, _fault: Fault) -> int:
        """Lose what is surely something: departments stand still until the streams hold messages."""
        async with self._standing_still():
            await until(self._holds_much, "a full stream", _PATIENCE)
            await self._world.pipe.client.flushall()
        return 1

    @asynccontextmanager
    async def _standing_still(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for office in OFFICES:
                await stack.enter_async_context(self._locks[office, ""])
                pid = self._world.processes[office].pid
                stack.callback(os.kill, pid, signal.SIGCONT)
                os.kill(pid, signal.SIGSTOP)
            yield

    async def _holds_much(self) -> bool:
        return await self._world.pipe.held("q:*") >= _FULL

    async def _redis_out_of_memory(self, fault: Fault) -> int:
        await self._world.pipe.starve()
        await asyncio.sleep(fault.seconds)
        await self._world.pipe.feed()
        return 1

    async def _redis_disk_full(self, fault: Fault) -> int:
        pipe = self._world.pipe
        if pipe.disk.refused:
            self.refused[fault.kind] = pipe.disk.refused
            return 0
        pipe.disk.fill()
        await asyncio.sleep(fault.seconds)
        pipe.disk.clear()
        if not await pipe.answers():  # with some settings a server ends for want of room
            await pipe.kill()
            await pipe.start()
        return 1

    async def _repeat(self, fault: Fault) -> int:
        book = self._world.book_of(self._chance.choice(OFFICES))
        return await meddler.repeat(self._world.pipe, book, round(fault.amount), self._chance)

    async def _displace(self, fault: Fault) -> int:
        return await meddler.displace(self._world.pipe, fault.seconds, round(fault.amount), self._chance)


def _part(kind: str) -> str:
    """What of a victim a kind strikes: its clock and cables are things of their own."""
    return next((part for part in ("clock", "database-link", "link") if kind.startswith(part)), "")


async def _mistreat(link: Proxy, how: Callable[[Proxy], None], seconds: float) -> int:
    how(link)
    await asyncio.sleep(seconds)
    link.heal()
    return 1
