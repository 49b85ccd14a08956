"""kill -9 at random moments while many residents are at it: `python -m tests.chaos.kill --journeys 200 --kills 30 --seed 1`.

The moments are spread over the work, not over the clock: a rehearsal counts the steps of one journey (uploads, submission, every
event that arrives, evaluation), and after a random choice of all steps something dies. The harness starts it again; then the
database is compared with what residents were told (ledger.py, check.py).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from redis import asyncio as aioredis

from storage.valkey import EmbeddedValkey
from tests.chaos.check import Kept, broken, open_work, same_server
from tests.chaos.ledger import Ledger, play, rehearse
from tests.support import postgres
from tests.support.processes import Parts, Process, answers, free_port, running, until

ITEMS = ("MZ-01", "SJ-03")
_DELAY = 0.02
_LONGEST_START = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is done and how much of it goes wrong; the same seed chooses the same moments and victims."""

    journeys: int
    kills: int
    seed: int
    database: str
    redis: str = "embedded"
    also: tuple[str, ...] = ()
    patience: float = 600.0
    corrections: float = 0.1


@dataclass
class Report:
    """How it went; `broken` lists every promise that was not held."""

    steps: int = 0
    seconds: float = 0.0
    drained: float = 0.0
    deaths: dict[str, int] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    broken: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)

    def text(self, plan: Plan) -> str:
        """For people."""
        deaths = ", ".join(f"{name} {number}" for name, number in sorted(self.deaths.items()))
        lines = [
            f"seed {plan.seed}, {same_server(plan.database)}",
            f"{plan.journeys} journeys, {self.steps} steps in {self.seconds:.1f} s; killed: {deaths}",
            f"acknowledged: {self.ledger.summary()}",
            f"drained {self.drained:.1f} s after the last resident went home",
            *(f"FAILED journey: {line}" for line in self.failures),
            *(f"BROKEN {line}" for line in self.broken),
            *(f"in a log: {line}" for line in self.unexpected),
            f"{len(self.failures)} journeys failed, {len(self.broken)} promises broken, {len(self.unexpected)} unexpected errors logged",
        ]
        return "\n".join(lines)

    @property
    def held(self) -> bool:
        """Whether everything did."""
        return not (self.failures or self.broken or self.unexpected)


class Town:
    """The processes of a town, any of which may be killed and is started again."""

    def __init__(self, parts: Parts, valkey_url: str, corrections: float) -> None:
        self.parts = parts
        self.valkey_url = valkey_url
        self.server = parts.server()
        self.wechat = parts.wechat()
        self.departments = parts.departments(valkey_url, _DELAY, correction=corrections)

    @property
    def programs(self) -> tuple[Process, ...]:
        """In the order of their start."""
        return self.wechat, self.server, self.departments

    async def kill(self, victim: str) -> None:
        """kill -9, and start it again, except Valkey, which the server has to look after itself."""
        if victim == "valkey":
            await self._kill_valkey()
            return
        program: Process = getattr(self, victim)
        await program.kill()
        await program.start()

    async def _kill_valkey(self) -> None:
        async with aioredis.Redis.from_url(self.valkey_url, decode_responses=True) as redis:
            try:
                pid = int((await redis.info("server"))["process_id"])
            except aioredis.RedisError:
                return  # it is not back yet
        os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def opened(plan: Plan, folder: Path) -> AsyncIterator[Town]:
    """A town, running, with its own Valkey unless a Redis is named."""
    async with AsyncExitStack() as stack:
        url = plan.redis
        if url == "embedded":
            valkey = EmbeddedValkey(folder / "valkey")
            url = await valkey.start()
            stack.push_async_callback(valkey.stop)
        parts = Parts(folder, plan.database, plan.redis, free_port(), free_port())
        town = Town(parts, url, plan.corrections)
        await stack.enter_async_context(running(*town.programs))
        await answers(f"{parts.base_url}/readyz", _LONGEST_START)
        yield town


async def chaos(plan: Plan, folder: Path) -> Report:
    """Everything: residents at work, deaths, the drain, the comparison."""
    report = Report()
    async with opened(plan, folder) as town:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            await _work(plan, town, report, http)
        await _drain(plan, report)
    report.deaths |= {program.name: program.kills for program in town.programs if program.kills}
    report.broken = broken(await Kept.of(plan.database, folder), report.ledger)
    report.unexpected = _unexpected(town.server.said())
    return report


async def _work(plan: Plan, town: Town, report: Report, http: aiohttp.ClientSession) -> None:
    """Residents and deaths, until the last resident has gone home."""
    base_url, items = town.parts.base_url, [ITEMS[n % len(ITEMS)] for n in range(plan.journeys)]
    steps = {item: await rehearse(http, base_url, item, report.ledger) for item in ITEMS}
    began, report.ledger.steps = time.monotonic(), 0
    deaths = asyncio.create_task(_deaths(plan, town, report, sum(steps[item] for item in items)))
    residents = [asyncio.create_task(play(http, base_url, item, report.ledger, plan.patience)) for item in items]
    watch = asyncio.create_task(_watch(town, residents))
    ended = await asyncio.gather(*residents, return_exceptions=True)
    report.failures = [f"{type(error).__name__}: {str(error)[:300]}" for error in ended if error is not None]
    report.steps, report.seconds = report.ledger.steps, time.monotonic() - began
    watch.cancel()
    if report.failures:
        deaths.cancel()
        await asyncio.wait([deaths])
    else:
        await deaths


async def _watch(town: Town, residents: Sequence[asyncio.Task[None]]) -> None:
    """A program that ends by itself ends everything: waiting for it would take for ever."""
    while not (ended := [program for program in town.programs if program.returncode not in {None, -signal.SIGKILL}]):
        await asyncio.sleep(0.5)
    for resident in residents:
        resident.cancel(f"{ended[0].name} ended by itself ({ended[0].returncode}): {ended[0].said()[-300:]}")


async def _deaths(plan: Plan, town: Town, report: Report, total: int) -> None:
    """After randomly chosen steps somebody dies: the server first of all, the others now and then."""
    chance, moved = random.Random(plan.seed), asyncio.Event()
    report.ledger.on_step = moved.set
    moments = sorted(chance.sample(range(total), plan.kills))
    victims = ["server"] * plan.kills
    more = [(moment, chance.choice(plan.also)) for moment in chance.sample(range(total), plan.kills // 2)] if plan.also else []
    for moment, victim in sorted([*zip(moments, victims, strict=True), *more]):
        while report.ledger.steps < moment:
            moved.clear()
            await moved.wait()
        await asyncio.sleep(chance.uniform(0, 0.2))  # not always just behind an answer
        await town.kill(victim)
        if victim == "valkey":
            report.deaths["valkey"] = report.deaths.get("valkey", 0) + 1


async def _drain(plan: Plan, report: Report) -> None:
    """Until nothing is under way any more; what still is then, the comparison names."""
    began = time.monotonic()

    async def is_empty() -> bool:
        return await open_work(plan.database) == 0

    try:
        await until(is_empty, "the end of all work", 60)
    except AssertionError as error:
        report.failures.append(str(error))
    report.drained = time.monotonic() - began


def _unexpected(log: str) -> list[str]:
    """Lines of the server's log that nobody should have to explain."""
    return [line[:300] for line in log.splitlines() if '"level":"ERROR"' in line or line.startswith("Traceback")][:20]


@asynccontextmanager
async def fresh_database(wanted: str, folder: Path) -> AsyncIterator[str]:
    """The address of an empty database: SQLite in the folder, a PostgreSQL of our own, or the one that was named."""
    if wanted == "sqlite":
        yield f"sqlite://{folder / 'town.db'}"
    elif wanted == "postgres":
        server = await asyncio.to_thread(postgres.start, safe=True)
        try:
            yield await server.create(f"chaos_{secrets.token_hex(4)}")
        finally:
            await asyncio.to_thread(server.stop)
    else:
        yield wanted


async def main(words: Sequence[str] | None = None) -> int:
    """Run it as told, print how it went; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.kill", description="kill -9 at random moments during many journeys")
    parser.add_argument("--journeys", type=int, default=200)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--database", default="sqlite", help="sqlite, postgres (one of our own), or the address of an empty database")
    parser.add_argument(
        "--also", action="append", default=[], choices=["departments", "wechat", "valkey"], help="kill these too, half as often"
    )
    parser.add_argument("--redis", default="embedded", help="embedded (the server's own Valkey), or the address of an empty Redis")
    told = parser.parse_args(words)
    if told.redis != "embedded" and "valkey" in told.also:
        parser.error("only the embedded Valkey is started again by the server: leave out --redis or --also valkey")
    with tempfile.TemporaryDirectory(prefix="town-chaos-") as name:
        folder = Path(name)
        async with fresh_database(told.database, folder) as database:
            plan = Plan(told.journeys, told.kills, told.seed, database, told.redis, tuple(told.also))
            print(f"seed {plan.seed}", flush=True)  # noqa: T201 - whatever happens next, it can be repeated
            report = await chaos(plan, folder)
            print(report.text(plan))  # noqa: T201 - that is what it is for
            return 0 if report.held else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # whoever ends us, nothing of ours is left running
    sys.exit(asyncio.run(main()))
