"""Stream entries to committed effects: the bridge's own readers and inbox, against the effect alone in the same batches.

The smallest effect there is (two statements), from the entries in Redis to the commit with inbox rows, lines and confirmations, two
lanes beside each other. The baseline has the answers in memory and commits the same effects in as many transactions, two beside each
other. `consume-50` and `consume-200` are bound by the CPU (synchronous_commit off); `consume-200-fsync`, for orientation, waits for the
disk.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from functools import partial

from backoffice.bridge import Bridge
from backoffice.lanes import answers_key
from benchmarks import department, letters
from benchmarks.exchange import bridge_at_work, taken_in
from benchmarks.letters import DEPARTMENT, LANES, Case, Desk
from benchmarks.load import Round
from benchmarks.result import Result, compare
from benchmarks.town import place
from storage.envelopes import Answer

TARGET = 0.4
CASES, EACH, ROUNDS = 400, 5, 7
KINDS = ((50, "off", "consume-50", TARGET), (200, "off", "consume-200", TARGET), (200, "on", "consume-200-fsync", None))


def measure() -> Iterator[Result]:
    """On PostgreSQL."""
    with place("postgres") as town:
        sequences = itertools.count(1, EACH)
        with letters.desk(town) as desk:
            cases = desk.runner.run(letters.settled(desk.office, CASES))
        for batch, waits, name, target in KINDS:
            letters.synchronous(town, waits)
            with letters.desk(town) as desk, bridge_at_work(desk, letters.smallest_effect, batch=batch, stream_cap=CASES * EACH) as bridge:
                ours = partial(_consumed, desk, bridge, cases, sequences)
                yield compare(
                    name, "effects/s", ours, partial(_alone, desk, cases, batch), rounds=ROUNDS, target=target, database="postgres"
                )


def _consumed(desk: Desk, bridge: Bridge, cases: list[Case], sequences: Iterator[int]) -> Round:
    return desk.runner.run(_consume(desk, bridge, cases, next(sequences)))


async def _consume(desk: Desk, bridge: Bridge, cases: list[Case], first: int) -> Round:
    """All entries appear at once, so that the readers find whole batches."""
    before = bridge.counts.get("taken_in", DEPARTMENT)
    async with desk.stores.redis.commands.pipeline(transaction=True) as pipe:
        for sequence, case in itertools.product(range(first, first + EACH), cases):
            pipe.xadd(answers_key((DEPARTMENT, case.partition)), {b"e": _said(case, sequence)})
        await pipe.execute()
    return await letters.timed(taken_in(bridge, before + EACH * len(cases)), number=EACH * len(cases))


def _said(case: Case, sequence: int) -> bytes:
    facts = {"case": case.number, "task": case.task}
    return department.progressed(DEPARTMENT, case.id, f"case/{case.number}", sequence, dt.datetime.now(dt.UTC), facts, "正在办理")


def _alone(desk: Desk, cases: list[Case], batch: int) -> Round:
    return desk.runner.run(letters.timed(_effects(desk, cases, batch)))


async def _effects(desk: Desk, cases: list[Case], batch: int) -> int:
    """The effects alone: two lines of transactions, a case in one of them only."""
    await asyncio.gather(*(_lane(desk, [case for case in cases if case.partition == partition], batch) for _, partition in LANES))
    return EACH * len(cases)


async def _lane(desk: Desk, cases: Sequence[Case], batch: int) -> None:
    answers = [_answer(case, n) for n, case in itertools.product(range(EACH), cases)]
    for start in range(0, len(answers), batch):
        async with desk.office.database.transaction() as tx:
            for answer in answers[start : start + batch]:
                await letters.smallest_effect(tx, answer)


def _answer(case: Case, n: int) -> Answer:
    data = {"case": case.number, "task": case.task, "text": "正在办理"}
    return Answer("", "task.progressed", DEPARTMENT, case.id, case.number, n, None, data)
