"""What a dead department costs the others: p99 of another department's messages with and without it, in alternating rounds.

Of each kind of round the middle one counts: a machine that others share stands still for ten milliseconds now and then, and one such
moment in a round of either kind would be the whole difference.

Everything of the dead one is as bad as it gets: one stream is at its cap and the sent messages in it are unconfirmed since yesterday,
thousands more wait in the outbox; the other stream's key is spoilt, and so are the keys of its answers and confirmations. The bridge is
this process; the living department is a program of its own. Messages are committed one by one, 5 to 15 ms apart at random.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from backoffice.bridge import Bridge
from backoffice.lanes import answers_key, commands_key, confirmations_key
from benchmarks import department, letters
from benchmarks.exchange import bridge_at_work
from benchmarks.letters import DEPARTMENT, LANES, Case, Desk
from benchmarks.result import Result
from benchmarks.town import place
from storage import outbox
from storage.database import Transaction
from storage.envelopes import Answer, Outgoing

TARGET = 1.2
DEAD = "DEAD"
DEPARTMENTS = {DEPARTMENT: len(LANES), DEAD: len(LANES)}
CASES, BACKLOG, CAP = 200, 8000, 1000
ROUNDS, SAMPLES, WARM_UP = 9, 250, 20
PATIENCE = 30.0


@dataclass(slots=True)
class Times:
    """Milliseconds from the commit of a message to its department's reading it, and to the commit of its answer's effect, by round."""

    to_stream: list[list[float]] = field(default_factory=list)
    to_effect: list[list[float]] = field(default_factory=list)

    def begin(self) -> None:
        """A round begins."""
        self.to_stream.append([])
        self.to_effect.append([])


class Watch:
    """The smallest effect, which says when it was committed and what the department said."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[tuple[float, float]] = asyncio.Queue()

    async def effect(self, tx: Transaction, answer: Answer) -> None:
        """Note (when the command was read, when its answer took effect), both by the machine's clock in seconds."""
        await letters.smallest_effect(tx, answer)
        tx.after_commit(lambda: self.seen.put_nowait((float(answer.data["text"]), time.perf_counter())))


def measure() -> Iterator[Result]:
    """On PostgreSQL."""
    watch, quiet, disturbed = Watch(), Times(), Times()
    with (
        place("postgres") as town,
        letters.desk(town) as desk,
        department.at_work(town.environment["MOBILE_API_REDIS__URL"], DEPARTMENT, len(LANES)),
    ):
        cases = desk.runner.run(letters.settled(desk.office, CASES))
        request = letters.message(desk.office, cases[0], desk.runner.run(letters.specimen(desk.office)))
        with bridge_at_work(desk, watch.effect, DEPARTMENTS, stream_cap=CAP) as bridge:
            for _ in range(ROUNDS):
                desk.runner.run(_bury(desk))
                desk.runner.run(_round(desk, watch, cases, request, quiet))
                desk.runner.run(_die(desk, bridge, cases))
                desk.runner.run(_round(desk, watch, cases, request, disturbed))
    yield _result("isolation-stream", disturbed.to_stream, quiet.to_stream)
    yield _result("isolation-effect", disturbed.to_effect, quiet.to_effect)


async def _round(desk: Desk, watch: Watch, cases: list[Case], request: Outgoing, times: Times) -> None:
    times.begin()
    for n in range(WARM_UP + SAMPLES):
        await asyncio.sleep(random.uniform(0.005, 0.015))
        committed = await _commit(desk, request, cases[n % len(cases)])
        async with asyncio.timeout(PATIENCE):
            read, done = await watch.seen.get()
        if n >= WARM_UP:
            times.to_stream[-1].append((read - committed) * 1000)
            times.to_effect[-1].append((done - committed) * 1000)


async def _commit(desk: Desk, request: Outgoing, case: Case) -> float:
    """Commit a message; the moment at which that was done."""
    moments: list[float] = []
    async with desk.office.database.transaction() as tx:
        message = letters.message(desk.office, case, request.data)
        await outbox.append(tx, message, now=desk.office.clock.now(), sealer=desk.office.keys.sealer)
        tx.after_commit(lambda: moments.append(time.perf_counter()))
    return moments[0]


async def _die(desk: Desk, bridge: Bridge, cases: list[Case]) -> None:
    """The department stops reading, a thousand messages fill its stream, the rest waits; then keys are spoilt and a day passes."""
    office, redis = desk.office, desk.stores.redis.commands
    sent = bridge.counts.get("sent", DEAD)
    await redis.set(commands_key((DEAD, 1)), "spoilt")
    await letters.write(office, cases, await letters.specimen(office), BACKLOG, DEAD)
    async with asyncio.timeout(PATIENCE):
        while bridge.counts.get("sent", DEAD) < sent + CAP:  # noqa: ASYNC110 - the bridge counts and rings no event
            await asyncio.sleep(0.01)
    for key in (answers_key((DEAD, 0)), answers_key((DEAD, 1)), confirmations_key(DEAD)):
        await redis.delete(key)
        await redis.set(key, "spoilt")
    yesterday = office.clock.now() - dt.timedelta(days=1)
    await office.database.execute("UPDATE outbox SET sent_at = $1 WHERE department = $2 AND sent_at IS NOT NULL", yesterday, DEAD)


async def _bury(desk: Desk) -> None:
    """As if the department had never been asked; the same bloat in the tables stays for both kinds of rounds."""
    redis = desk.stores.redis.commands
    await desk.office.database.execute("DELETE FROM outbox WHERE department = $1", DEAD)
    for lane in ((DEAD, 0), (DEAD, 1)):
        await redis.delete(commands_key(lane), answers_key(lane))
    await redis.delete(confirmations_key(DEAD))


def _result(name: str, disturbed: list[list[float]], quiet: list[list[float]]) -> Result:
    value, baseline = _p99(disturbed), _p99(quiet)
    ratio = round(value / baseline, 3)
    return Result(
        name, value, "ms p99", baseline, ratio, TARGET, ratio < TARGET, "postgres",
        p50=round(statistics.median(map(statistics.median, disturbed)), 1), samples=sum(map(len, disturbed)),
    )  # fmt: skip


def _p99(rounds: list[list[float]]) -> float:
    """The middle of the rounds' 99th percentiles."""
    return round(statistics.median(statistics.quantiles(times, n=100)[98] for times in rounds), 2)
