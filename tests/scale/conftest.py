"""A town on PostgreSQL whose queues are a group of servers: its bridge, its bells, and a department at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from backoffice.bridge import Bridge
from backoffice.relay import Limits
from storage.bell import Bell
from storage.clock import SystemClock
from storage.database import Database
from storage.errors import StoreUnavailable
from storage.fleeting import Fleeting
from storage.ids import uuid7
from storage.outbox import partition_of
from storage.redis import RedisStore, carry_bell, connect
from storage.streams import Streams
from storage.tasks import end
from tests.conftest import OpenDatabase
from tests.scale.department import CODE, LANES, Department
from tests.support.clusters import until
from tests.support.exchange import Ledger, add_case, add_resident, command, running, send

LIMITS = Limits(lease_seconds=5, resend_seconds=1, poll_seconds=0.1, read_seconds=0.5, sweep_seconds=1)


@dataclass
class Town:
    """A town at work; `cases` are id -> number, at least one in every lane."""

    database: Database
    store: RedisStore
    department: Department
    bridge: Bridge
    cases: dict[str, str]
    asked: int = 0
    ledger: Ledger = field(default_factory=Ledger)

    async def ask(self, rounds: int = 10) -> None:
        """Send every case so many commands, a moment apart, while whatever happens to Redis happens."""
        for _ in range(rounds):
            for case_id, number in self.cases.items():
                await send(self.database, command(case_id, number, partitions=LANES))
            self.asked += 1
            await asyncio.sleep(0.01)

    async def settle(self, *lanes: int) -> None:
        """Wait until everything asked (in these lanes, or in all) was done, confirmed, answered, taken in and confirmed back."""
        cases = [case for case in self.cases if not lanes or lane_of(case) in lanes]
        await until(lambda: self._is_settled(cases), f"the end of the exchange in lanes {lanes or 'of all'}")

    async def _is_settled(self, cases: list[str]) -> bool:
        department, whole = self.department, list(range(1, self.asked + 1))
        if any(department.confirmed.get(case) != self.asked for case in cases):
            return False
        assert {case: department.done[case] for case in cases} == dict.fromkeys(cases, whole)
        effects = await self.ledger.effects(self.database)
        assert {case: effects[case] for case in cases} == dict.fromkeys(cases, whole)
        unconfirmed = await self.database.rows("SELECT case_id FROM outbox WHERE confirmed_at IS NULL")
        return not {row["case_id"] for row in unconfirmed} & set(cases)

    async def keeps_codes(self) -> None:
        """A short-lived code is given once and a counter counts, wherever their keys lie; waits until they can."""
        for _ in range(20):
            await until(self._keeps_code, "short-lived keys")

    async def _keeps_code(self) -> bool:
        fleeting, key = Fleeting(self.store.commands), uuid7()
        try:
            taken = [await fleeting.claim(f"code:{key}", who, 60) for who in (b"first", b"second")]
            counted = [await fleeting.count(f"tries:{key}", 60) for _ in range(2)]
        except StoreUnavailable:
            return False
        assert (taken, counted) == ([True, False], [1, 2])
        return True


def lane_of(case_id: str) -> int:
    """The lane in which a case's messages go."""
    return partition_of(case_id, LANES)


@pytest.fixture
async def database(postgres_url: str, bell: Bell, open_database: OpenDatabase) -> Database:
    """Who has a cluster of queues has PostgreSQL."""
    return await open_database(postgres_url, bell)


@pytest.fixture
async def open_town(database: Database, bell: Bell) -> AsyncIterator[Callable[[str], Awaitable[Town]]]:
    """Opens the town on the queues at an address; department and town have clients of their own."""
    async with AsyncExitStack() as stack:

        async def open_one(url: str) -> Town:
            here, there = await connect(url), await connect(url)
            stack.push_async_callback(here.close)
            stack.push_async_callback(there.close)
            ledger = Ledger()
            streams = Streams(here.commands, here.blocking)
            bridge = Bridge(database, SystemClock(), bell, streams, departments={CODE: LANES}, effect=ledger.record, limits=LIMITS)
            department = Department(there)
            await stack.enter_async_context(running(bridge, department))
            return Town(database, here, department, bridge, await _cases(database))

        yield open_one


async def _cases(database: Database) -> dict[str, str]:
    """Cases until every lane has one."""
    resident = await add_resident(database)
    cases: dict[str, str] = {}
    while {lane_of(case) for case in cases} != set(range(LANES)):
        number = f"261124{len(cases) + 1:04}"
        cases[await add_case(database, resident, number)] = number
    return cases


@asynccontextmanager
async def carried(url: str) -> AsyncIterator[Bell]:
    """The bell of another process."""
    bell = Bell()
    store = await connect(url)
    with bell.listen("ready") as ticket:
        task = asyncio.create_task(carry_bell(store, bell))
        assert await ticket.wait(60)  # everybody is woken once the channel is heard
    try:
        yield bell
    finally:
        await end([task])
        await store.close()


async def rings_reach(here: Bell, there: Bell) -> None:
    """Wait until a ring of the one is heard by the other; one that is lost on the way is a lost poll."""
    with there.listen("outbox") as ticket:

        async def rung() -> bool:
            here.ring("outbox")
            return await ticket.wait(0.2)

        await until(rung, "a ring")
