"""The twelve promises of the exchange and of the delivery to phones, one test each, in the order in which docs/guarantees.md gives them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest

from backoffice import setaside
from backoffice.bridge import Bridge
from backoffice.inbox import Inbox
from backoffice.relay import Limits
from backoffice.setaside import Decision
from storage import account_events, notifications, outbox
from storage.bell import Bell
from storage.clock import SystemClock
from storage.inbox import Overtaken
from storage.streams import Entry
from storage.tasks import end
from tests.support.echo import Echo
from tests.support.exchange import NOW, command, running, send, until

LIMITS = Limits(lease_seconds=0.6, resend_seconds=0.4, poll_seconds=0.05, read_seconds=0.1, sweep_seconds=0.2, stream_cap=20, batch=5)
MakeBridge = Callable[..., Bridge]
MakeInbox = Callable[..., Inbox]


@pytest.fixture
def make_bridge(town: Any, bell: Bell) -> MakeBridge:
    """A bridge of a process called `holder`, to the departments MZ and GA."""

    def make(holder: str = "one") -> Bridge:
        parts = {"departments": {"MZ": 1, "GA": 1}, "effect": town.ledger.record, "limits": LIMITS, "sealer": None}
        return Bridge(town.database, SystemClock(), bell, town.streams, holder=holder, **parts)

    return make


@pytest.fixture
async def department(town: Any) -> AsyncIterator[Echo]:
    """MZ at work."""
    echo = Echo(town)
    async with running(echo):
        yield echo


async def ask(town: Any, times: int, department: str = "MZ") -> None:
    for _ in range(times):
        await send(town.database, *(command(case_id, number, department) for number, case_id in town.cases.items()))


def drained(town: Any, department: Echo, times: int) -> Callable[[], Any]:
    """Whether every command was taken in and confirmed, and every answer took effect; the department repeats itself meanwhile."""
    wanted = {case_id: list(range(1, times + 1)) for case_id in (town.first, town.second)}

    async def look() -> bool:
        await department.say_again()
        open_rows = await town.database.rows("SELECT id FROM outbox WHERE confirmed_at IS NULL AND department = 'MZ'")
        return not open_rows and await town.effects() == wanted

    return look


async def test_1_every_committed_message_has_exactly_one_effect_once_drained(town: Any, make_bridge: MakeBridge, department: Echo) -> None:
    killed = make_bridge("killed")
    await killed.start()
    await ask(town, 6)
    await end(killed._tasks)  # as kill -9: whatever was under way stays as it is
    async with running(make_bridge("one"), make_bridge("two")):
        await ask(town, 6)
        await until(drained(town, department, 12), seconds=60)
    assert department.received == {town.first: 12, town.second: 12}


async def test_2_effects_of_a_case_occur_in_order_without_gap(town: Any, make_bridge: MakeBridge) -> None:
    numbers = list(range(1, 31))
    random.Random(2).shuffle(numbers)
    async with running(make_bridge()):
        for number in numbers:
            await town.say(town.answer(town.first, number))
        await until(lambda: has_effects(town, list(range(1, 31))), seconds=60)


async def has_effects(town: Any, expected: list[int]) -> bool:
    return bool((await town.effects()).get(town.first) == expected)


async def change_your_mind(town: Any) -> None:
    """A transaction that writes a message and is rolled back."""
    with suppress(NeverMind):
        async with town.database.transaction() as tx:
            await outbox.append(tx, command(town.first, "2611240001"), now=NOW)
            raise NeverMind


class NeverMind(Exception):
    """Nothing of this is meant."""


async def test_3_no_effect_without_a_committed_row(town: Any, make_bridge: MakeBridge, department: Echo) -> None:
    async with running(make_bridge()):
        for round_ in range(5):
            await change_your_mind(town)
            await ask(town, 1)
            await until(drained(town, department, round_ + 1), seconds=60)
    assert department.received == {town.first: 5, town.second: 5}


async def test_4_a_duplicate_reordered_or_stale_delivery_changes_nothing(town: Any, make_inbox: MakeInbox) -> None:
    answers = [town.answer(case_id, n) for case_id in (town.first, town.second) for n in range(1, 8)]
    await make_inbox().take([Entry(f"1-{n}", body) for n, body in enumerate(answers)])
    before = await town.database.rows("SELECT case_id, seq, data FROM case_event ORDER BY seq")
    again = [body for body in answers for _ in range(3)]
    for seed in range(5):
        random.Random(seed).shuffle(again)
        await make_inbox().take([Entry(f"2-{n}", body) for n, body in enumerate(again)])
    assert await town.database.rows("SELECT case_id, seq, data FROM case_event ORDER BY seq") == before
    assert await town.set_aside() == []


async def test_5_after_any_loss_of_redis_everything_drains_by_itself(town: Any, make_bridge: MakeBridge, department: Echo) -> None:
    async with running(make_bridge()):
        for round_ in range(1, 5):
            await ask(town, 2)
            await town.redis.flushall()
            await until(drained(town, department, 2 * round_), seconds=60)


async def test_6_two_live_holders_of_a_partition_never_make_a_second_effect(town: Any, make_inbox: MakeInbox) -> None:
    async def hold(inbox: Inbox, seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(20):
            batch = [Entry(f"1-{n}", town.answer(town.first, n)) for n in range(1, 21)]
            inbox.begin_again()
            try:
                await inbox.take(batch[: chance.randint(1, 20)])
            except Overtaken:
                await asyncio.sleep(0)
        await inbox.take(batch)

    await asyncio.gather(*(hold(make_inbox(), seed) for seed in range(3)), return_exceptions=True)
    await make_inbox().take([Entry(f"1-{n}", town.answer(town.first, n)) for n in range(1, 21)])
    assert await town.effects() == {town.first: list(range(1, 21))}


async def test_7_no_stream_exceeds_its_cap_and_one_batch(town: Any, make_bridge: MakeBridge) -> None:
    await ask(town, 40)
    async with running(make_bridge("one"), make_bridge("two")):
        await until(lambda: full(town), seconds=60)
        for _ in range(20):
            assert await town.redis.xlen("q:{MZ.0}") <= LIMITS.stream_cap + LIMITS.batch
            await asyncio.sleep(0.02)
    assert len(await outbox.unsent(town.database, ("MZ", 0), 1000)) >= 80 - LIMITS.stream_cap - LIMITS.batch


async def full(town: Any) -> bool:
    return int(await town.redis.xlen("q:{MZ.0}")) >= LIMITS.stream_cap


async def test_8_a_dead_department_delays_no_other(town: Any, make_bridge: MakeBridge, department: Echo) -> None:
    """How little it delays is measured by `./run bench isolation`."""
    await town.redis.set("q:{GA.0}", "spoilt")
    await town.redis.set("a:{GA.0}", "spoilt")
    await ask(town, 40, "GA")
    async with running(make_bridge()):
        await ask(town, 5)
        await until(drained(town, department, 5), seconds=60)
    assert len(await outbox.unsent(town.database, ("GA", 0), 1000)) == 80


async def test_9_a_transaction_that_was_rolled_back_publishes_nothing(town: Any, make_bridge: MakeBridge) -> None:
    bridge = make_bridge()
    await change_your_mind(town)
    await bridge.holding.renew()
    assert not await bridge.relay.send()
    assert not await town.redis.exists("q:{MZ.0}")
    await ask(town, 1)
    await bridge.relay.send()
    assert await town.redis.xlen("q:{MZ.0}") == 2


async def test_10_a_parked_case_stays_in_order_after_replay(town: Any, make_inbox: MakeInbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backoffice.inbox.jitter", lambda *_: 0.0)
    town.ledger.failing[town.first, 3] = [KeyError("lasting")]
    inbox, batch = make_inbox(), [Entry(f"1-{n}", town.answer(town.first, n)) for n in range(1, 8)]
    for _ in range(3):
        inbox.begin_again()
        await inbox.take(batch)
    assert await town.effects() == {town.first: [1, 2]}
    town.ledger.failing.clear()
    (row, *_) = await setaside.waiting(town.database, ["MZ"], None, 10)
    await setaside.replay(town.database, town.clock, town.ledger.record, row["id"], Decision("admin", "系统已修复"), sealer=town.sealer)
    await inbox.take([Entry("2-8", town.answer(town.first, 8))])
    assert await town.effects() == {town.first: [1, 2, 3, 4, 5, 6, 7, 8]}


async def test_11_final_states_of_a_message_never_go_back_and_one_key_is_one_message(town: Any) -> None:
    account = (await town.database.rows("SELECT resident_id FROM cases LIMIT 1"))[0]["resident_id"]
    for _ in range(3):
        async with town.database.transaction() as tx:
            await notifications.add(tx, account_id=account, case_id=town.first, event="case.accepted", once_key="k", data={}, at=NOW)
            await account_events.append(tx, account, "case.accepted", town.first, {}, NOW)
    (message,) = await notifications.claim(town.database, "one", NOW, NOW, 10)
    assert await notifications.settle(town.database, message, "sent", NOW, provider_id="p")
    async with town.database.transaction() as tx:
        assert await notifications.report(tx, "p", account, error="", now=NOW)
        assert not await notifications.report(tx, "p", account, error="late and wrong", now=NOW)
    assert not await notifications.settle(town.database, message, "temporary_failure", NOW)
    assert [row["state"] for row in await notifications.of_account(town.database, account)] == ["delivered"]
    position = await account_events.position(town.database, account)
    assert position.unread == len(await account_events.since(town.database, account, position.read_to, 100)) == 3


async def test_12_whoever_repeats_since_until_it_is_empty_has_every_item_once_through_any_disconnect(town: Any) -> None:
    account = (await town.database.rows("SELECT resident_id FROM cases LIMIT 1"))[0]["resident_id"]
    chance, seen = random.Random(12), [0]

    async def write() -> None:
        for n in range(40):
            async with town.database.transaction() as tx:
                await account_events.append(tx, account, "case.progressed", town.first, {"n": n}, NOW)

    async def read() -> None:
        while seen[-1] < 80:
            page = await account_events.since(town.database, account, seen[-1], chance.randint(1, 7))
            if chance.random() < 0.3:
                continue  # the answer got lost on the way: asked again from the same position
            seen.extend(event.n for event in page)
            await asyncio.sleep(0)

    await asyncio.gather(write(), write(), read())
    assert seen == list(range(81))
