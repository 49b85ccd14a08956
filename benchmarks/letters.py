"""What the exchange's benchmarks carry: real cases, and messages that read like those of a real submission."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import msgspec

from benchmarks.load import Round
from benchmarks.machine import cores, on_core
from benchmarks.town import Place, application, nobody_waits, settle_in
from handlers import cases, procedure
from handlers.actors import department_actor
from handlers.casefile import opened
from handlers.cases import Application
from handlers.office import Office
from mobile_api.composition import Stores
from storage import outbox
from storage.database import Transaction
from storage.envelopes import Answer, Outgoing
from storage.ids import uuid7
from storage.outbox import Letter
from tests.support.apart import run_apart

ITEM, DEPARTMENT = "GA-05", "GA"
LANES = [(DEPARTMENT, 0), (DEPARTMENT, 1)]
"""As config/departments has it: two lanes."""
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Case:
    """A case in review by the department: its id, number, the department's task, and the lane of its line."""

    id: str
    number: str
    task: str
    partition: int


@dataclass(frozen=True, slots=True)
class Desk:
    """A measuring process: its loop, which lives through all rounds, and the stores of its town."""

    runner: asyncio.Runner
    stores: Stores
    place: Place

    @property
    def office(self) -> Office:
        """The town's office."""
        return self.stores.office


@contextlib.contextmanager
def desk(place: Place) -> Iterator[Desk]:
    """This process on the first core, database and Valkey stay on the last."""
    with on_core(cores()[0]), asyncio.Runner(loop_factory=_loop) as runner:
        opening = place.opened()
        stores = runner.run(opening.__aenter__())
        try:
            yield Desk(runner, stores, place)
        finally:
            runner.run(_closed(opening))


async def timed(work: Awaitable[int], number: int | None = None) -> Round:
    """How many a second, as the work says or as is given, and this process's CPU time for each."""
    started, cpu = time.perf_counter(), time.process_time()
    done = await work
    number = number or done
    elapsed, cpu = time.perf_counter() - started, time.process_time() - cpu
    return Round(number / elapsed, cpu / max(1, number) * 1e6)


async def settled(office: Office, number: int) -> list[Case]:
    """Cases in review by the department, which has taken in everything up to now."""
    [resident] = await settle_in(office, 1)
    wanted = msgspec.convert(await application(office, resident, ITEM), Application)
    found = [await _in_review(office, resident.id, wanted) for _ in range(number)]
    await office.database.execute("UPDATE outbox SET sent_at = $1, confirmed_at = $1", office.clock.now())
    return found


async def specimen(office: Office) -> Mapping[str, Any]:
    """The data of the request that a real submission sent to the department: what a message of usual size says."""
    row = await office.database.one("SELECT * FROM outbox WHERE department = $1 ORDER BY sequence LIMIT 1", DEPARTMENT)
    assert row is not None  # noqa: S101
    letter = Letter(row["id"], row["case_id"], row["sequence"], bytes(row["body"]), None, None)
    data: Mapping[str, Any] = msgspec.json.decode(outbox.opened(letter, office.keys.sealer))["data"]
    return data


async def write(office: Office, known: list[Case], data: Mapping[str, Any], number: int, department: str = DEPARTMENT) -> None:
    """Commit messages for the department, sealed, about all cases in turn, all at once."""
    messages = [message(office, case, data, department) for case in known]
    async with office.database.transaction() as tx:
        for start in range(0, number, _AT_ONCE):
            some = [messages[n % len(messages)] for n in range(start, min(number, start + _AT_ONCE))]
            await outbox.append(tx, *some, now=office.clock.now(), sealer=office.keys.sealer)


def message(office: Office, case: Case, data: Mapping[str, Any], department: str = DEPARTMENT) -> Outgoing:
    """A request about a case."""
    facts = {**data, "case": case.number, "task": case.task}
    return Outgoing(case.id, department, "task.requested", case.number, office.division, facts, partitions=len(LANES))


async def smallest_effect(tx: Transaction, answer: Answer) -> None:
    """The least that an answer does: the case moves on, and its history says so."""
    now = dt.datetime.now(dt.UTC)
    row = await tx.one(
        "UPDATE cases SET version = version + 1, events = events + 1, updated_at = $2 WHERE id = $1 RETURNING events", answer.case_id, now
    )
    assert row is not None  # noqa: S101
    await tx.execute(_EVENT, uuid7(), answer.case_id, row["events"], answer.department, now, msgspec.json.encode(answer.data).decode())


def synchronous(place: Place, setting: str) -> None:
    """Whether a commit of PostgreSQL waits for the disk, "on" or "off": for connections from now on."""
    run_apart(_execute(place, f"ALTER DATABASE {urlsplit(place.database_url).path.strip('/')} SET synchronous_commit = {setting}"))


async def _execute(place: Place, sql: str) -> None:
    connection = await asyncpg.connect(place.database_url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


_EVENT = """
INSERT INTO case_event (id, case_id, seq, type, actor_kind, actor_id, occurred_at, data, digest)
VALUES ($1, $2, $3, 'case.progressed', 'department', $4, $5, $6, '')
"""


async def _in_review(office: Office, resident: str, wanted: Application) -> Case:
    view = await cases.apply(office, resident, wanted, nobody_waits)
    async with opened(office, view.id) as file:
        procedure.accept(file, department_actor(DEPARTMENT))
    task = next(task["id"] for task in file.tasks if task["step"] == "decide")
    line = await office.database.one("SELECT partition FROM case_line WHERE case_id = $1 AND department = $2", view.id, DEPARTMENT)
    assert line is not None  # noqa: S101
    return Case(view.id, str(view.number), task, line["partition"])


async def _closed(opening: Any) -> None:
    await opening.__aexit__(None, None, None)


def _loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 - not on Windows
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
