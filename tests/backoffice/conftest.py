"""A town with two cases and a department's streams; `effects` and `answered` look at what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import pytest
from redis import asyncio as aioredis

from backoffice.counts import Counts
from backoffice.envelope import Confirmation
from backoffice.inbox import Effect, Inbox
from storage.clock import SettableClock
from storage.database import Database
from storage.redis import RedisStore
from storage.sealing import Sealer
from storage.streams import Streams
from tests.support import exchange
from tests.support.exchange import NOW, Ledger


@dataclass
class Town:
    """Stores, clock and two cases (number -> id), each with a line to the department MZ."""

    database: Database
    clock: SettableClock
    streams: Streams
    redis: aioredis.Redis
    cases: dict[str, str]
    ledger: Ledger
    sealer: Sealer

    @property
    def first(self) -> str:
        """The first case's id."""
        return self.cases["2611240001"]

    @property
    def second(self) -> str:
        """The second case's id."""
        return self.cases["2611240002"]

    def answer(self, case_id: str, sequence: object, **attributes: object) -> bytes:
        """An answer of MZ about one of the cases."""
        number = next(number for number, known in self.cases.items() if known == case_id)
        return exchange.answer(case_id, number, sequence, **attributes)

    async def say(self, *bodies: bytes, key: str = "a:{MZ.0}") -> None:
        """Put entries into a stream as a department does."""
        for body in bodies:
            await self.redis.xadd(key, {"e": body})

    async def effects(self) -> dict[str, list[int]]:
        """What took effect: case -> sequences in the order in which they did."""
        return await self.ledger.effects(self.database)

    async def heard(self) -> list[tuple[str, int]]:
        """What the department was told to be taken in: (case, sequence)."""
        entries = await self.redis.xrange("taken:{MZ}")
        found = [msgspec.json.decode(fields[b"e"]) for _, fields in entries]
        return [(one["case_id"], one["sequence"]) for one in found]

    async def set_aside(self) -> list[tuple[str, str | None, int | None, str]]:
        """What waits for an officer: (kind, case, sequence, reason)."""
        rows = await self.database.rows("SELECT * FROM set_aside WHERE settled_at IS NULL ORDER BY received_at, sequence")
        return [(row["kind"], row["case_id"], row["sequence"], row["reason"]) for row in rows]


@pytest.fixture
async def town(database: Database, store: RedisStore, redis: aioredis.Redis) -> Town:
    resident = await exchange.add_resident(database)
    cases = {number: await exchange.add_case(database, resident, number) for number in ("2611240001", "2611240002")}
    for case_id in cases.values():
        await exchange.add_line(database, case_id)
    return Town(
        database, SettableClock(NOW), Streams(store.commands, store.blocking), redis, cases, Ledger(), Sealer({1: bytes(range(32))}, 1)
    )


@pytest.fixture
def make_inbox(town: Town) -> Callable[..., Inbox]:
    """A fresh inbox of the lane MZ.0 in a process that has just begun; the ledger notes what takes effect, unless told otherwise."""

    async def confirm(confirmations: Sequence[Confirmation]) -> None:
        await town.streams.publish("taken:{MZ}", [msgspec.json.encode(one) for one in confirmations], cap=1000)

    def make(effect: Effect = town.ledger.record, counts: Counts | None = None) -> Inbox:
        return Inbox(
            town.database, town.clock, department="MZ", effect=effect, confirm=confirm, counts=counts or Counts(), attempts=3,
            sealer=town.sealer,
        )  # fmt: skip

    return make
