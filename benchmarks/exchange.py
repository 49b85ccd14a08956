"""The whole way: from the commit of messages to the committed effects of their answers, a department at the other end.

The bridge is this process; the department is a program of its own (benchmarks/department.py). The effect is the smallest there is,
two statements; the same with the office's own effect is printed for orientation. The baseline is single rows of a message's size,
each committed alone, one after the other, with asyncpg and nothing else.

`takeover`: two servers, the one that holds the leases is killed with kill -9, and a message is committed at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import asyncpg

from backoffice.bridge import Bridge
from backoffice.inbox import Effect
from backoffice.lanes import commands_key
from backoffice.relay import Limits
from benchmarks import department, letters
from benchmarks.letters import DEPARTMENT, LANES, Case, Desk
from benchmarks.load import Round
from benchmarks.machine import cores, town_server
from benchmarks.result import Result, compare
from benchmarks.town import Place, place
from handlers import reviews
from storage.streams import Streams
from tests.support.apart import run_apart

TARGET = 0.5
MESSAGES, CASES, ROUNDS = 2000, 400, 7
COMMITS = 1000
PATIENCE = 60.0
KILLS = 3
LEASE_SECONDS = Limits().lease_seconds


@dataclass(frozen=True, slots=True)
class Way:
    """A bridge at work, and the cases that messages are about."""

    desk: Desk
    bridge: Bridge
    cases: list[Case]
    data: Any


def measure() -> Iterator[Result]:
    """On PostgreSQL, synchronous_commit on."""
    with place("postgres") as town:
        with letters.desk(town) as desk, department.at_work(town.environment["MOBILE_API_REDIS__URL"], DEPARTMENT, len(LANES)):
            cases = desk.runner.run(letters.settled(desk.office, CASES))
            connection = desk.runner.run(_connected(town))
            for name, effect, target in (
                ("exchange", letters.smallest_effect, TARGET),
                ("exchange-office", partial(reviews.record, desk.office), None),
            ):
                with bridge_at_work(desk, effect) as bridge:
                    way = Way(desk, bridge, cases, desk.runner.run(letters.specimen(desk.office)))
                    yield compare(
                        name, "effects/s", partial(_whole, way), partial(_single, desk, connection),
                        rounds=ROUNDS, target=target, database="postgres",
                    )  # fmt: skip
        yield _takeover(town, cases[0])


@contextlib.contextmanager
def bridge_at_work(desk: Desk, effect: Effect, departments: dict[str, int] | None = None, **limits: Any) -> Iterator[Bridge]:
    """The bridge as `serve` makes it, in this process."""
    office, redis = desk.office, desk.stores.redis
    bridge = Bridge(
        office.database, office.clock, office.bell, Streams(redis.commands, redis.blocking),
        departments=departments or {DEPARTMENT: len(LANES)}, effect=effect, sealer=office.keys.sealer, limits=Limits(**limits),
    )  # fmt: skip
    desk.runner.run(bridge.start())
    try:
        yield bridge
    finally:
        desk.runner.run(bridge.stop())


async def taken_in(bridge: Bridge, number: int) -> int:
    """Wait until so many answers have had their effect since the bridge began."""

    async def all_taken() -> bool:
        return bridge.counts.get("taken_in", DEPARTMENT) >= number

    await until(all_taken, PATIENCE, 0.001)
    return number


def _whole(way: Way) -> Round:
    return way.desk.runner.run(_exchange(way))


async def _exchange(way: Way) -> Round:
    before = way.bridge.counts.get("taken_in", DEPARTMENT)
    await letters.write(way.desk.office, way.cases, way.data, MESSAGES)
    done = await letters.timed(taken_in(way.bridge, before + MESSAGES), number=MESSAGES)
    if way.bridge.counts.get("poison", DEPARTMENT):
        raise SystemExit("exchange: answers were set aside")
    return done


async def _connected(town: Place) -> Any:
    connection = await asyncpg.connect(town.database_url)
    await connection.execute("CREATE TABLE bench_single (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body BYTEA NOT NULL)")
    return connection


def _single(desk: Desk, connection: Any) -> Round:
    return desk.runner.run(letters.timed(_commits(connection)))


async def _commits(connection: Any) -> int:
    """Single rows, each in a commit of its own."""
    body = b"x" * 1000
    for _ in range(COMMITS):
        await connection.execute("INSERT INTO bench_single (body) VALUES ($1)", body)
    return COMMITS


def _takeover(town: Place, case: Case) -> Result:
    """The longest of some takings over."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(_serving(town))
        run_apart(_held(town))
        took = []
        for _ in range(KILLS):
            second = stack.enter_context(_serving(town))
            os.kill(first.process_id, signal.SIGKILL)
            took.append(run_apart(_sent(town, case)))
            first = second
    worst, target = round(max(took), 2), LEASE_SECONDS + 1
    return Result("takeover", worst, "s at most", target=target, holds=worst <= target, database="postgres", samples=KILLS)


def _serving(town: Place) -> Any:
    return town_server(town.environment, cores()[0], town.folder / "log", "api,bridge")


async def _held(town: Place) -> None:
    """Until the only server has taken the leases."""
    async with town.opened() as stores:
        office = stores.office
        await until(
            lambda: office.database.one("SELECT 1 AS held FROM lease WHERE name LIKE 'relay:%' AND expires_at > $1", office.clock.now())
        )


async def _sent(town: Place, case: Case) -> float:
    """Seconds from now, just after the kill, until a message that is committed now is in its stream."""
    started = time.perf_counter()
    async with town.opened() as stores:
        redis, key = stores.redis.commands, commands_key((DEPARTMENT, case.partition))
        before = await redis.xlen(key)

        async def has_come() -> bool:
            return await redis.xlen(key) > before

        await letters.write(stores.office, [case], await letters.specimen(stores.office), 1)
        await until(has_come)
    return time.perf_counter() - started


async def until(condition: Callable[[], Awaitable[object]], seconds: float = PATIENCE, look: float = 0.01) -> None:
    """Wait until the condition holds, looking every `look` seconds."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(look)
