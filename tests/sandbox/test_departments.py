"""The pretend departments against a bridge on real stores; they run as the foreign program that they are."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis import asyncio as aioredis

from backoffice.bridge import Bridge
from backoffice.relay import Limits
from sandbox.department_book import Book
from sandbox.department_ways import FAULTS, Ways
from sandbox.departments import from_list, from_tables
from storage.bell import Bell
from storage.clock import SystemClock
from storage.database import Database
from storage.envelopes import Outgoing
from storage.redis import RedisStore
from storage.streams import Streams
from tests.support import exchange
from tests.support.exchange import DIVISION, Ledger, running, send, until

LIMITS = Limits(lease_seconds=2, resend_seconds=0.5, poll_seconds=0.05, read_seconds=0.2, sweep_seconds=0.2)
ITEM = {"code": "MZ-01", "name": "最低生活保障审核确认", "version": 1}


class Program:
    """`python -m sandbox.departments`, started, killed and started again on the same records."""

    def __init__(self, url: str, data: Path) -> None:
        self._words = [
            "--redis",
            url,
            "--data",
            str(data),
            "--departments",
            "MZ:2,GA:1",
            "--delay",
            "0",
            "--resend-seconds",
            "0.5",
            "--seed",
            "7",
        ]
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *words: str) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sandbox.departments", *self._words, *words, stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout
        assert b"MZ GA" in await self._process.stdout.readline()

    async def end(self, *, kill: bool = False) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        (process.kill if kill else process.terminate)()
        await process.communicate()
        return process.returncode or 0


class Town:
    """Cases whose task is with MZ, and the bridge that carries their messages."""

    def __init__(self, database: Database, redis: aioredis.Redis) -> None:
        self.database = database
        self.redis = redis
        self.ledger = Ledger()
        self.cases: dict[str, str] = {}

    async def ask(self, count: int, *, step: str = "review", **more: Any) -> None:
        """Ask MZ for its part in so many new cases."""
        resident = await exchange.add_resident(self.database)
        for n in range(len(self.cases) + 1, len(self.cases) + count + 1):
            number = f"26112400{n:02}"
            self.cases[number] = await exchange.add_case(self.database, resident, number)
            await self.tell(number, "task.requested", step=step, **more)

    async def tell(self, number: str, kind: str, **more: Any) -> None:
        data = {
            "case": number,
            "case_id": self.cases[number],
            "task": f"task-{number}",
            "action": "核对",
            "item": ITEM,
            "form": {"name": "张"},
            **more,
        }
        await send(self.database, Outgoing(self.cases[number], "MZ", kind, number, DIVISION, data, partitions=2))

    async def answers(self, case_id: str) -> list[str]:
        """The kinds of answers that took effect, in order."""
        rows = await self.database.rows("SELECT type FROM case_event WHERE case_id = $1 ORDER BY seq", case_id)
        return [row["type"] for row in rows]

    async def everyone_answered(self, *kinds: str) -> bool:
        return all([await self.answers(case_id) == list(kinds) for case_id in self.cases.values()])


@pytest.fixture
async def town(database: Database, store: RedisStore, redis: aioredis.Redis, bell: Bell) -> AsyncIterator[Town]:
    town = Town(database, redis)
    streams = Streams(store.commands, store.blocking)
    async with running(
        Bridge(database, SystemClock(), bell, streams, departments={"MZ": 2, "GA": 1}, effect=town.ledger.record, limits=LIMITS)
    ):
        yield town


@pytest.fixture
async def program(valkey_url: str, tmp_path: Path) -> AsyncIterator[Program]:
    program = Program(valkey_url, tmp_path / "departments.db")
    yield program
    await program.end(kill=True)


async def test_a_department_reviews_and_ends_when_asked_to(town: Town, program: Program) -> None:
    await program.start()
    await town.ask(3)
    await until(lambda: town.everyone_answered("task.progressed", "task.decided"), 20)
    assert await program.end() == 0


@pytest.mark.parametrize("faults", [["twice=1"], ["garble=1"], ["shuffle=0.5"], ["twice=0.5", "garble=0.5", "shuffle=0.5"]])
async def test_whatever_a_department_does_wrong_every_answer_takes_effect_once_and_in_order(
    town: Town, program: Program, faults: list[str]
) -> None:
    await program.start(*(word for fault in faults for word in ("--faults", fault)))
    await town.ask(6)
    await until(lambda: town.everyone_answered("task.progressed", "task.decided"), 20)
    kinds = await town.database.rows("SELECT DISTINCT kind FROM set_aside")
    assert [row["kind"] for row in kinds] == (["poison"] if any("garble" in fault for fault in faults) else [])


@pytest.mark.slow
async def test_kills_of_the_department_and_losses_of_redis_double_and_lose_nothing(town: Town, program: Program) -> None:
    await program.start("--faults", "twice=0.3")
    for turn in range(4):
        await town.ask(5)
        await asyncio.sleep(0.05 * turn)  # a different moment every time; correctness may not depend on it
        await program.end(kill=True)
        if turn % 2:
            await town.redis.flushall()
        await program.start("--faults", "twice=0.3")
    await until(lambda: town.everyone_answered("task.progressed", "task.decided"), 30)


async def test_a_correction_is_asked_for_once_and_then_the_application_accepted(town: Town, program: Program) -> None:
    await program.start("--faults", "correction=1")
    await town.ask(1, step="accept")
    await until(lambda: town.everyone_answered("task.correction-requested"), 20)
    await town.tell("2611240001", "task.material-added", step="accept")
    await until(lambda: town.everyone_answered("task.correction-requested", "task.accepted"), 20)


async def test_a_withdrawn_task_gets_no_answer_any_more(town: Town, program: Program) -> None:
    await program.start("--faults", "stall=1", "--stall-seconds", "2")
    await town.ask(1, step="decide")
    await town.tell("2611240001", "task.withdrawn")
    await town.ask(1, step="decide")
    second = town.cases["2611240002"]
    await until(lambda: answered(town, second), 20)
    assert await town.answers(town.cases["2611240001"]) == []


async def answered(town: Town, case_id: str) -> bool:
    return await town.answers(case_id) == ["task.decided"]


CHANCE = random.Random(1)
COMMAND: dict[str, Any] = {
    "type": "cn.gov.town.task.requested.v1",
    "data": {"case": "1", "task": "t", "action": "核对", "item": ITEM, "form": {"name": "张"}},
}


def said(step: str, fault: str = "", **data: Any) -> dict[str, Any]:
    """The last thing a department without delay says to a command."""
    ways = Ways("民政", 0, 0, {fault: 1.0} if fault else {}, CHANCE)
    command = {**COMMAND, "data": {**COMMAND["data"], "step": step, **data}}
    last = ways.answers(command, lambda _: True)[-1]
    return {"kind": last.kind, **last.data}


def test_each_step_has_its_answer_and_each_fault_its_own() -> None:
    assert said("accept")["kind"] == "task.accepted"
    assert said("accept", "reject")["result"] == "not_accepted"
    assert said("accept", "correction")["fields"][0]["name"] == "name"
    assert said("review")["result"] == "agreed"
    assert said("review", "disagree")["result"] == "disagreed"
    assert said("decide")["result"] == "granted"
    assert said("decide", "refuse")["result"] == "refused"
    assert said("decide", opinions=[{"department": "GA", "result": "disagreed", "opinion": "不同意。"}])["result"] == "refused"


def test_a_person_at_the_demo_can_provoke_an_answer_by_what_the_form_says() -> None:
    assert said("accept", form={"note": "测试补正"})["kind"] == "task.correction-requested"
    assert said("decide", form={"note": "测试不予许可"})["result"] == "refused"


def test_a_site_visit_stops_the_clock_and_lets_it_go_on() -> None:
    ways = Ways("民政", 0, 0, {"suspend": 1.0}, CHANCE)
    command = {**COMMAND, "data": {**COMMAND["data"], "step": "review"}}
    kinds = [planned.kind for planned in ways.answers(command, lambda _: True)]
    assert kinds == ["task.progressed", "task.suspended", "task.resumed", "task.decided"]
    assert "suspend" in FAULTS


def test_departments_come_from_the_tables_or_from_a_list(tmp_path: Path) -> None:
    (tmp_path / "MZ.toml").write_text('code = "MZ"\nname = "民政"\npartitions = 3\n', encoding="utf-8")
    (tmp_path / "CL.toml").write_text('code = "CL"\nname = "残联"\nlink = "desk"\n', encoding="utf-8")
    assert from_tables(tmp_path) == {"MZ": ("民政", 3)}
    assert from_list("MZ:2,GA") == {"MZ": ("MZ部门", 2), "GA": ("GA部门", 1)}


def test_two_programs_cannot_keep_the_same_records(tmp_path: Path) -> None:
    book = Book(tmp_path / "departments.db")
    with pytest.raises(BlockingIOError):
        Book(tmp_path / "departments.db")
    book.close()


def test_the_departments_know_nothing_of_our_code() -> None:
    ours = {"backoffice", "handlers", "mobile_api", "notifications", "storage"}
    for path in Path("sandbox").glob("department*.py"):
        imported = [
            line.split()[1].split(".")[0] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith(("from ", "import "))
        ]
        assert not ours & set(imported), path
