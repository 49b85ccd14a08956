"""A year of a town of 50,000: every item, realistic delays, corrections, suspensions, refusals; then its monthly reports, counted twice.

All acts go through the real handlers on PostgreSQL, two processes a core (an act waits for some twenty statements in turn), each with
a clock that is set from act to act. The figures of every month and department must be those of an independent recount of the event
rows. `BENCH_YEAR_CASES` makes a smaller year.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from subprocess import PIPE, Popen
from typing import Any

import msgspec

from benchmarks import letters
from benchmarks.machine import ROOT
from benchmarks.result import Result
from benchmarks.town import Place, place
from config.settings import load
from handlers import reports
from handlers.access import Officer
from handlers.office import Office
from handlers.reports import Wanted
from mobile_api.composition import open_stores
from mobile_api.web.server import run
from storage.clock import SettableClock
from storage.database import Database, Row
from storage.ids import uuid7
from tests.support import recounted
from tests.support.recounted import Life
from tests.support.simulated import Simulation

CASES, RESIDENTS, CLERKS = 150_000, 50_000, 6
FIRST, DAYS, MONTHS = dt.date(2026, 1, 1), 335, 12
"""Applications of eleven months; the twelfth lets the last ones end in a year whose holidays are known."""
_BATCH = 5_000

Line = dict[str, Any]


def measure() -> Iterator[Result]:
    """How fast the year passes, how long a monthly report takes, and how many of its figures the recount confirms."""
    cases = int(os.environ.get("BENCH_YEAR_CASES", CASES))
    with place("postgres") as town:
        letters.synchronous(town, "off")
        run(_settle(town))
        began = time.perf_counter()
        done = _live(town, cases)
        seconds = time.perf_counter() - began
        yield Result("year", round(done["submitted"] / seconds), "cases/s", samples=done["submitted"], database="postgres")
        yield Result("year-acts", round(done["acts"] / seconds), "acts/s", samples=done["acts"], database="postgres")
        yield from run(_compared(town))


async def work(seed: int, cases: int, parts: int) -> dict[str, int]:
    """One process's share of the year; its part of the residents are those whose number leaves `seed` by `parts`."""
    async with open_stores(load(None, dict(os.environ))) as stores:
        clock = SettableClock(dt.datetime.combine(FIRST, dt.time(), dt.UTC))
        office = dataclasses.replace(stores.office, clock=clock)
        found = await office.database.rows("SELECT owner_id, id FROM upload ORDER BY owner_id")
        people = [(row["owner_id"], row["id"]) for row in found[seed::parts]]
        clerks = [Officer(f"clerk-{n}", "clerk", "", "便民服务大厅", office.division) for n in range(CLERKS)]
        simulation = Simulation(office, clock, people, clerks, seed)
        await simulation.run(cases, FIRST, DAYS)
        return dict(simulation.done)


def _live(town: Place, cases: int) -> dict[str, int]:
    """Two processes a core; what they did in all."""
    parts = 2 * (os.cpu_count() or 1)
    shares = [cases * (n + 1) // parts - cases * n // parts for n in range(parts)]
    command = [sys.executable, "-m", "benchmarks.year"]
    processes = [
        Popen([*command, str(n), str(share), str(parts)], cwd=ROOT, env={**os.environ, **town.environment}, stdout=PIPE)
        for n, share in enumerate(shares)
    ]
    try:
        told = [json.loads(process.communicate()[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return {name: sum(one[name] for one in told) for name in ("submitted", "acts")}


async def _settle(town: Place) -> None:
    """Residents, each with a paper that was photographed once and serves for everything (its row; nobody reads the bytes)."""
    async with town.opened() as stores:
        database, now = stores.office.database, dt.datetime.now(dt.UTC)
        people = [(uuid7(), uuid7()) for _ in range(RESIDENTS)]
        sql = "INSERT INTO resident (id, openid, preferences, created_at) VALUES ($1, $2, $3, $4)"
        await database.execute_many(sql, [(person, f"openid-{person}", "{}", now) for person, _ in people])
        sql = (
            "INSERT INTO upload (id, owner_id, state, name, media_type, size, pages, digest, created_at) "
            "VALUES ($1, $2, 'ready', '身份证.jpg', 'image/jpeg', 240000, 1, $3, $4)"
        )
        await database.execute_many(sql, [(upload, person, "0" * 64, now) for person, upload in people])


async def _compared(town: Place) -> list[Result]:
    async with town.opened() as stores:
        office = stores.office
        lives = [life async for life in _lives(office)]
        took, same, counted = [], 0, 0
        for month in range(1, MONTHS + 1):
            since, before = dt.date(2026, month, 1), dt.date(2026 + month // 12, month % 12 + 1, 1)
            began = time.perf_counter()
            report = await reports.report(office, Officer("s", "supervisor", "", "", office.division), Wanted(since, since))
            took.append(time.perf_counter() - began)
            wanted = recounted.count(lives, since, before, office.calendar.is_workday)
            pairs = list(_pairs(wanted, {line.key: msgspec.to_builtins(line) for line in report.lines}))
            same, counted = same + sum(one == other for one, other in pairs), counted + len(pairs)
        slowest = Result("year-report", round(max(took) * 1000, 1), "ms", samples=MONTHS, database="postgres")
        return [
            slowest,
            Result("year-agrees", same, "figures", counted, same / counted, 1.0, same == counted, "postgres", samples=len(lives)),
        ]


def _pairs(wanted: dict[str, Line], said: dict[str, Line]) -> Iterator[tuple[object, object]]:
    """Every figure of the recount beside the report's; a line that one of them lacks differs."""
    for key in {*wanted, *said}:
        if key not in wanted or key not in said:
            yield key, None
            continue
        yield from ((figure, said[key][name]) for name, figure in wanted[key].items())


async def _lives(office: Office) -> AsyncIterator[Life]:
    after = ""
    while batch := await _cases(office.database, after):
        known = {row["id"]: (office.catalogue.items[row["item_code"]], row["department"]) for row in batch}
        events = await office.database.rows(
            "SELECT case_id, type, occurred_at, data FROM case_event WHERE case_id > $1 AND case_id <= $2 ORDER BY case_id, seq",
            after,
            batch[-1]["id"],
        )
        for life in recounted.read(events, known, msgspec.json.decode):
            yield life
        after = batch[-1]["id"]


async def _cases(database: Database, after: str) -> list[Row]:
    sql = "SELECT id, item_code, department FROM cases WHERE id > $1 AND number IS NOT NULL ORDER BY id LIMIT $2"
    return await database.rows(sql, after, _BATCH)


if __name__ == "__main__":
    print(json.dumps(run(work(*(int(argument) for argument in sys.argv[1:])))))
