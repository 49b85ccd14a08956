"""Whatever is damaged, lost, sent again and mended, in any order: every line arrives whole and in order, and no other waits for it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from backoffice.counts import Counts
from backoffice.holding import Holding
from backoffice.outage import Outage
from backoffice.relay import Limits, Relay
from storage import deliveries, outbox
from storage.bell import Bell
from storage.sealing import Sealer
from tests.support import exchange
from tests.support.exchange import command

SEALER = Sealer({1: bytes(range(32))}, 1)
LINES, STEPS = 5, 60


class Department:
    """Takes what follows in its line, skips what it knows, leaves what comes too early to be sent again; confirms like one that works."""

    def __init__(self, town: Any) -> None:
        self._town = town
        self.taken: dict[str, int] = {}

    async def work(self) -> None:
        """Everything that is in the stream now."""
        for entry_id, fields in await self._town.redis.xrange("q:{MZ.0}"):
            message = msgspec.json.decode(fields[b"e"])
            line, sequence = message["partitionkey"], message["sequence"]
            assert sequence <= self.taken.get(line, 0) + 1 or self._town.lost, f"{line} breaks off before {sequence}"
            if sequence == self.taken.get(line, 0) + 1:
                self.taken[line] = sequence
            await self._town.redis.xdel("q:{MZ.0}", entry_id)
        await outbox.confirm(self._town.database, "MZ", self.taken, self._town.clock.now())


class Walk:
    """One town, its relay and its department, and the acts that a seed chooses from."""

    def __init__(self, town: Any, relay: Relay, cases: list[tuple[str, str]], chance: random.Random) -> None:
        self.town, self.relay, self.cases, self.chance = town, relay, cases, chance
        self.department = Department(town)
        self.written: dict[str, int] = {}
        self.whole: dict[str, bytes] = {}
        town.lost = False

    async def write(self) -> None:
        """A message more for some line."""
        case_id, number = self.chance.choice(self.cases)
        async with self.town.database.transaction() as tx:
            await outbox.append(tx, command(case_id, number), now=self.town.clock.now(), sealer=SEALER)
        self.written[case_id] = self.written.get(case_id, 0) + 1

    async def damage(self) -> None:
        """Some message that is not confirmed no longer opens."""
        rows = await self.town.database.rows("SELECT id, body FROM outbox WHERE confirmed_at IS NULL ORDER BY id")
        if rows:
            row = self.chance.choice(rows)
            self.whole.setdefault(row["id"], bytes(row["body"]))
            await self.town.database.execute("UPDATE outbox SET body = $1 WHERE id = $2", b"damaged", row["id"])

    async def mend(self) -> None:
        """Everything opens again, and an officer says so."""
        for letter_id, body in self.whole.items():
            await self.town.database.execute("UPDATE outbox SET body = $1 WHERE id = $2", body, letter_id)
        self.whole.clear()
        await deliveries.release(self.town.database, "MZ")

    async def send(self) -> None:
        """The relay sends what it may."""
        while await self.relay.send():
            pass

    async def resend(self) -> None:
        """Time passes, and the relay looks for losses."""
        self.town.clock.advance(seconds=31)
        await self.relay.resend()

    async def lose(self) -> None:
        """Redis comes back empty."""
        await self.town.redis.flushall()
        self.town.lost = True

    async def settle(self) -> None:
        """After the last mending everything arrives."""
        await self.mend()
        for _ in range(20):
            await self.send()
            await self.resend()
            await self.department.work()
            if self.department.taken == self.written:
                return
        raise AssertionError(f"{self.department.taken} of {self.written}")


@pytest.fixture
def make_relay(town: Any, bell: Bell) -> Callable[[], Relay]:
    def make() -> Relay:
        counts = Counts()
        holding = Holding(town.database, town.clock, "one", seconds=1e6, names=["relay:MZ.0"], counts=counts)
        return Relay(
            town.database, town.clock, bell, town.streams,
            lanes=[("MZ", 0)], holding=holding, limits=Limits(batch=3), counts=counts, outage=Outage(), sealer=SEALER,
        )  # fmt: skip

    return make


@pytest.mark.parametrize("seed", range(6))
async def test_every_line_arrives_whole_and_in_order(town: Any, make_relay: Callable[[], Relay], seed: int):
    chance = random.Random(seed)
    resident = await exchange.add_resident(town.database)
    cases = [(await exchange.add_case(town.database, resident, f"26112500{n:02}"), f"26112500{n:02}") for n in range(LINES)]
    relay = make_relay()
    await relay._holding.renew()
    walk = Walk(town, relay, cases, chance)
    acts = [walk.write, walk.write, walk.write, walk.send, walk.send, walk.department.work, walk.damage, walk.resend, walk.mend]
    for _ in range(STEPS):
        await chance.choice(acts if seed % 2 else [*acts, walk.lose])()
    await walk.settle()
    assert await deliveries.held_counts(town.database) == {}


async def test_lines_without_damage_never_wait_for_those_that_have_it(town: Any, make_relay: Callable[[], Relay]):
    resident = await exchange.add_resident(town.database)
    cases = [(await exchange.add_case(town.database, resident, f"26112500{n:02}"), f"26112500{n:02}") for n in range(LINES)]
    relay = make_relay()
    await relay._holding.renew()
    walk = Walk(town, relay, cases, random.Random(1))
    for _ in range(30):
        await walk.write()
    broken = {cases[0][0], cases[1][0]}
    for case_id in broken:
        await town.database.execute("UPDATE outbox SET body = $1 WHERE case_id = $2 AND sequence = 1", b"damaged", case_id)
    await walk.send()
    await walk.department.work()
    assert walk.department.taken == {case_id: many for case_id, many in walk.written.items() if case_id not in broken}
