"""Outbox to stream: the bridge's own relay in batches of 200, bodies sealed as in production, against raw pipelined XADDs of 200.

The relay reads the rows, opens the sealed bodies, looks for room, adds them to the stream in one MULTI and notes them under its
lease, which is one commit a batch with synchronous_commit on. The baseline is one redis-py pipeline a batch, of the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from redis import asyncio as aioredis

from backoffice.counts import Counts
from backoffice.holding import Holding
from backoffice.lanes import commands_key, relay_lease
from backoffice.outage import Outage
from backoffice.relay import Limits, Relay
from benchmarks import letters
from benchmarks.letters import LANES, Case, Desk
from benchmarks.load import Round
from benchmarks.result import Result, compare
from benchmarks.town import DIALECTS, place
from storage.streams import Streams

TARGET = 0.3
BATCH, MESSAGES, CASES = 200, 4000, 200
ROUNDS = 9
STREAMS = [commands_key(lane) for lane in LANES]


@dataclass(frozen=True, slots=True)
class Carriage:
    """A relay with its desk, and the cases that messages are about."""

    desk: Desk
    relay: Relay
    holding: Holding
    cases: list[Case]


def measure() -> Iterator[Result]:
    """On PostgreSQL; on SQLite for orientation."""
    for dialect in DIALECTS:
        with place(dialect) as town, letters.desk(town) as desk:
            carriage = Carriage(desk, *_relay(desk), desk.runner.run(letters.settled(desk.office, CASES)))
            target = TARGET if dialect == "postgres" else None
            yield compare(
                "relay", "messages/s",
                lambda carriage=carriage: _carried(carriage), lambda desk=desk: desk.runner.run(_raw(desk)),
                rounds=ROUNDS, target=target, database=dialect,
            )  # fmt: skip


def _relay(desk: Desk) -> tuple[Relay, Holding]:
    office, counts = desk.office, Counts()
    holding = Holding(office.database, office.clock, "bench", seconds=60, names=[relay_lease(lane) for lane in LANES], counts=counts)
    relay = Relay(
        office.database, office.clock, office.bell, Streams(desk.stores.redis.commands, desk.stores.redis.blocking),
        lanes=LANES, holding=holding, limits=Limits(batch=BATCH, stream_cap=2 * MESSAGES),
        counts=counts, outage=Outage(), sealer=office.keys.sealer,
    )  # fmt: skip
    return relay, holding


def _carried(carriage: Carriage) -> Round:
    return carriage.desk.runner.run(_carry(carriage))


async def _carry(carriage: Carriage) -> Round:
    """What is committed before the clock starts, until it is all in the streams and noted."""
    office, redis = carriage.desk.office, carriage.desk.stores.redis.commands
    await redis.delete(*STREAMS)
    await letters.write(office, carriage.cases, await letters.specimen(office), MESSAGES)
    await carriage.holding.renew()
    done = await letters.timed(_drain(carriage.relay))
    if (there := sum([await redis.xlen(key) for key in STREAMS])) != MESSAGES:
        raise SystemExit(f"relay: {there} of {MESSAGES} messages are in the streams")
    return done


async def _drain(relay: Relay) -> int:
    while await relay.send():
        pass
    return MESSAGES


async def _raw(desk: Desk) -> Round:
    """The bodies of the last round, added by one pipeline a batch; in the first round, which counts for nothing, any bodies."""
    redis = desk.stores.redis.commands
    bodies = [fields[b"e"] for key in STREAMS for _, fields in await redis.xrange(key)] or [b"x" * 600] * MESSAGES
    await redis.delete(*STREAMS)
    return await letters.timed(_add(redis, bodies))


async def _add(redis: aioredis.Redis, bodies: list[bytes]) -> int:
    for start in range(0, len(bodies), BATCH):
        async with redis.pipeline(transaction=False) as pipe:
            for body in bodies[start : start + BATCH]:
                pipe.xadd(STREAMS[0], {b"e": body})
            await pipe.execute()
    return len(bodies)
