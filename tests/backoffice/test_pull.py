"""Reading by position: whatever is read twice, lost on the way or confirmed late, every message has one effect, in order."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice import pull
from backoffice.intake import Intake
from handlers.catalogue import Department
from handlers.errors import Refused
from handlers.office import Office
from storage import journal, outbox, standing
from storage.bell import Bell
from storage.database import Database
from storage.ids import uuid7
from storage.redis import RedisStore
from tests.support import exchange
from tests.support.exchange import Ledger, command
from tests.support.office import open_office
from tests.support.partners import linked


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return linked(await open_office(database, bell, store, tmp_path), SJ="pull")


def sj(office: Office) -> Department:
    return office.catalogue.departments["SJ"]


async def new_case(office: Office) -> tuple[str, str]:
    """A case with an id and a number of its own."""
    number = uuid7()[-12:]
    resident = await exchange.add_resident(office.database)
    return await exchange.add_case(office.database, resident, number), number


async def send(office: Office, case: tuple[str, str], **data: str) -> None:
    """A message of the office, sealed as the office seals."""
    async with office.database.transaction() as tx:
        await outbox.append(tx, command(case[0], case[1], "SJ", partitions=2, **data), now=office.clock.now(), sealer=office.keys.sealer)


async def read(office: Office, after: int = 0, limit: int = 50, patience: float = 0.0) -> list[int]:
    return [position for position, _ in (await pull.read(office, sj(office), after, limit, patience)).messages]


async def test_a_page_ends_at_a_megabyte_but_holds_one_message_at_least(office: Office) -> None:
    case = await new_case(office)
    for _ in range(3):
        await send(office, case, reason="长" * 200_000)
    assert await read(office) == [1]
    assert await read(office, after=1) == [2]


async def test_reading_gives_positions_to_what_waits_and_is_bounded_by_the_limit(office: Office) -> None:
    case = await new_case(office)
    for _ in range(5):
        await send(office, case)
    assert await read(office, limit=2) == [1, 2]
    assert await read(office, after=2) == [3, 4, 5]
    assert not (await pull.state(office, sj(office))).is_more


async def test_readers_in_several_processes_see_the_same_journal(office: Office) -> None:
    cases = [await new_case(office) for _ in range(4)]
    for case in cases * 5:
        await send(office, case)
    await asyncio.gather(*(read(office, limit=7) for _ in range(6)))
    assert await read(office, limit=100) == list(range(1, 21))


async def test_nobody_is_waited_for_who_has_hung_up(office: Office) -> None:
    async with asyncio.timeout(5):
        page = await pull.read(office, sj(office), 0, 50, 30.0, lambda: True)
    assert page.messages == []


async def test_without_a_ring_a_waiting_reader_looks_again_by_itself(
    office: Office, open_database: Callable[..., Awaitable[Database]]
) -> None:
    elsewhere = await open_database(_address(office), Bell())  # another process whose rings come by Redis, which is away
    case = await new_case(office)
    reading = asyncio.create_task(read(office, patience=20.0))
    await asyncio.wait({reading}, timeout=0.1)
    async with elsewhere.transaction() as tx:
        await outbox.append(tx, command(*case, "SJ", partitions=2), now=office.clock.now(), sealer=office.keys.sealer)
    async with asyncio.timeout(10):
        assert await reading == [1]


def _address(office: Office) -> str:
    """Where the office's database is, for a second connection to it."""
    client = office.database.client
    if office.database.dialect == "sqlite":
        return f"sqlite://{client.filename}"
    return f"postgres://{client.user}:{client.password or ''}@/{client.database}?host={client.host}&port={client.port}"


async def test_what_went_by_stream_before_the_link_was_changed_is_adopted(office: Office) -> None:
    case = await new_case(office)
    await send(office, case)
    await office.database.execute("UPDATE outbox SET sent_at = $1, stream_id = '1-1'", office.clock.now())
    assert await read(office) == []
    await pull.adopt(office)
    await pull.adopt(office)
    assert await read(office) == [1]


async def test_a_paused_link_gives_nothing_and_keeps_everything(office: Office) -> None:
    await send(office, await new_case(office))
    assert await read(office) == [1]
    await office.database.execute("UPDATE exchange_link SET state = 'paused', reason = '升级'")
    with pytest.raises(Refused, match="link_paused"):
        await read(office)
    await office.database.execute("UPDATE exchange_link SET state = 'working', reason = NULL")
    assert await read(office) == [1]


class Program:
    """A department's program, as careful as the contract asks: what it keeps on disk, and what a crash takes from it."""

    def __init__(self, office: Office, cases: list[tuple[str, str]], start: int, chance: random.Random) -> None:
        self.office = office
        self.cases = cases
        self.chance = chance
        self.ledger = Ledger()
        self.intakes = [self._intake(), self._intake()]
        self.sent: dict[str, int] = defaultdict(int)
        self.start = start  # what lies before belongs to other examples
        # on its disk
        self.next = start
        self.effects: dict[str, list[int]] = defaultdict(list)
        self.answers: list[bytes] = []
        # in its memory
        self.page: list[tuple[int, bytes]] = []

    def _intake(self) -> Intake:
        return Intake(self.office, self.ledger.record)

    async def commit(self) -> None:
        """The office writes some messages, two processes at once."""
        chosen = self.chance.choices(self.cases, k=3)
        await asyncio.gather(*(send(self.office, case) for case in chosen))
        for case_id, _ in chosen:
            self.sent[case_id] += 1

    async def ask(self) -> None:
        """Read on, or again from an earlier place; the answer may be lost on the way."""
        after = self.next if self.chance.random() < 0.7 else self.chance.randint(self.start, self.next)
        page = await pull.read(self.office, sj(self.office), after, self.chance.randint(1, 4), 0)
        if self.chance.random() < 0.8:
            self.page = page.messages

    async def work(self) -> None:
        """Take in what was read: to disk with the answer, number by number."""
        for position, body in self.page:
            envelope = json.loads(body)
            case_id, sequence = envelope["partitionkey"], envelope["sequence"]
            known = len(self.effects[case_id])
            assert sequence <= known + 1, "a message is missing"
            if sequence == known + 1:
                self.effects[case_id].append(sequence)
                self.answers.append(exchange.answer(case_id, envelope["data"]["case"], sequence, department="SJ"))
            self.next = max(self.next, position)
        self.page = []

    async def acknowledge(self) -> None:
        """Confirm what is on disk, or something older again."""
        await pull.acknowledge(self.office, sj(self.office), self.next - self.chance.choice([0, 0, min(2, self.next - self.start)]))

    async def post(self) -> None:
        """Send some open answers, some twice, in any order, to two processes at once; what became of them may be lost on the way."""
        some = self.chance.choices(self.answers, k=min(6, 2 * len(self.answers)))
        self.chance.shuffle(some)
        if not some:
            return
        department = sj(self.office)
        receipts = await asyncio.gather(*(intake.take(department, some) for intake in self.intakes))
        assert {verdict.status for receipt in receipts for verdict in receipt.verdicts} <= {"taken", "known", "early"}
        if self.chance.random() < 0.7:
            done = {body for body, verdict in zip(some, receipts[0].verdicts, strict=True) if verdict.status != "early"}
            self.answers = [body for body in self.answers if body not in done]

    async def crash(self) -> None:
        """The program dies."""
        self.page = []

    async def restart(self) -> None:
        """The town's processes die and start anew."""
        self.intakes = [self._intake(), self._intake()]
        await pull.adopt(self.office)

    async def replay(self) -> None:
        """An officer has everything from a position on delivered again."""
        await journal.replay(self.office.database, "SJ", self.chance.randint(self.start + 1, self.next + 1), self.office.clock.now())

    async def drain(self) -> None:
        """A quiet time: everything is read, answered and confirmed."""
        while page := (await pull.read(self.office, sj(self.office), self.next, 10, 0)).messages:
            self.page = page
            await self.work()
        for _ in range(2):
            for body in sorted(self.answers, key=lambda body: int(json.loads(body)["sequence"])):
                await self.intakes[0].take(sj(self.office), [body])
        await pull.acknowledge(self.office, sj(self.office), self.next)


STEPS = ["commit", "ask", "work", "acknowledge", "post", "crash", "restart", "replay"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), steps=st.lists(st.sampled_from(STEPS), min_size=5, max_size=30))
async def test_no_interleaving_loses_or_doubles_an_effect(office: Office, seed: int, steps: list[str]) -> None:
    """Invariants 1 to 4: one effect for each committed message, in order without gap, none without a row, repeats change nothing."""
    start = (await standing.of(office.database, "SJ")).position
    program = Program(office, [await new_case(office) for _ in range(2)], start, random.Random(seed))
    for step in ["commit", *steps]:
        await getattr(program, step)()
    await program.drain()

    wanted = {case_id: list(range(1, count + 1)) for case_id, count in program.sent.items()}
    assert {case_id: numbers for case_id, numbers in program.effects.items() if numbers} == wanted
    at_the_town = await program.ledger.effects(office.database)
    assert {case_id: numbers for case_id, numbers in at_the_town.items() if case_id in wanted} == wanted
    assert await office.database.rows("SELECT id FROM outbox WHERE confirmed_at IS NULL") == []
    assert await office.database.rows("SELECT id FROM set_aside") == []
