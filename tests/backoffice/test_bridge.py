"""Whole bridges on real stores, with a department at the other end that is written here from the contract alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from backoffice.bridge import Bridge
from backoffice.relay import Limits
from storage import outbox
from storage.bell import Bell
from storage.clock import SystemClock
from storage.tasks import end
from tests.support.echo import Echo
from tests.support.exchange import command, running, send, until

LIMITS = Limits(lease_seconds=0.6, resend_seconds=0.4, poll_seconds=0.05, read_seconds=0.1, sweep_seconds=0.2, stream_cap=100)
MakeBridge = Callable[..., Bridge]


@pytest.fixture
def make_bridge(town: Any, bell: Bell) -> MakeBridge:
    """A bridge of a process called `holder` to the department MZ."""

    def make(holder: str = "one", **more: Any) -> Bridge:
        parts = {"departments": {"MZ": 1}, "effect": town.ledger.record, "limits": LIMITS, **more}
        return Bridge(town.database, SystemClock(), bell, town.streams, holder=holder, **parts)

    return make


@pytest.fixture
async def department(town: Any) -> AsyncIterator[Echo]:
    """The department at work."""
    echo = Echo(town)
    async with running(echo):
        yield echo


async def ask(town: Any, count: int) -> None:
    for _ in range(count):
        await send(town.database, *(command(case_id, number) for number, case_id in town.cases.items()))


async def unconfirmed(town: Any) -> int:
    rows = await town.database.rows("SELECT id FROM outbox WHERE confirmed_at IS NULL")
    return len(rows)


def settled(town: Any, count: int) -> Callable[[], Any]:
    """Whether every command is confirmed and has had its answer's effect."""

    async def look() -> bool:
        return await unconfirmed(town) == 0 and await town.effects() == {
            case_id: list(range(1, count + 1)) for case_id in (town.first, town.second)
        }

    return look


async def test_commands_go_out_and_answers_take_effect(town: Any, make_bridge: MakeBridge, department: Echo) -> None:
    bridge = make_bridge()
    async with running(bridge):
        await ask(town, 5)
        await until(settled(town, 5))
        await until(lambda: heard(department, town, 5))
    assert bridge.counts.get("sent", "MZ") >= 10
    assert bridge.counts.get("taken_in", "MZ") == 10
    assert await town.redis.xlen("a:{MZ.0}") == 0
    assert await town.redis.xlen("ack:{MZ}") == 0


async def heard(department: Echo, town: Any, count: int) -> bool:
    return department.confirmed == {town.first: count, town.second: count}


async def test_a_total_loss_of_redis_heals_by_itself_in_both_directions(town: Any, make_bridge: MakeBridge, department: Echo) -> None:
    async with running(make_bridge()):
        for count in (3, 6, 9):
            await ask(town, 3)
            await town.redis.flushall()
            await until(lambda count=count: received(department, town, count))
            await department.say_again()
            await until(settled(town, count))


async def received(department: Echo, town: Any, count: int) -> bool:
    return department.received == {town.first: count, town.second: count}


async def test_two_bridges_share_the_work_and_do_nothing_twice(town: Any, make_bridge: MakeBridge, department: Echo) -> None:
    async with running(make_bridge("one"), make_bridge("two")):
        await ask(town, 10)
        await until(settled(town, 10))


async def test_another_bridge_takes_over_within_the_lease_and_a_second(town: Any, make_bridge: MakeBridge, department: Echo) -> None:
    first, second = make_bridge("first"), make_bridge("second")
    await first.start()
    await ask(town, 1)
    await until(settled(town, 1))
    await end(first._tasks)  # as kill -9: nothing is given back
    async with running(second):
        await ask(town, 1)
        await until(settled(town, 2), seconds=LIMITS.lease_seconds + 1)


async def test_what_a_dead_reader_left_pending_takes_effect(town: Any, make_bridge: MakeBridge) -> None:
    await town.say(town.answer(town.first, 1), town.answer(town.first, 2))
    await town.redis.xgroup_create("a:{MZ.0}", "g", id="0")
    await town.redis.xreadgroup("g", "dead", {"a:{MZ.0}": ">"})
    async with running(make_bridge()):
        await until(lambda: effect(town, [1, 2]))


async def effect(town: Any, expected: list[int]) -> bool:
    found: dict[str, list[int]] = await town.effects()
    return found.get(town.first) == expected


async def test_answers_out_of_order_take_effect_in_order(town: Any, make_bridge: MakeBridge) -> None:
    async with running(make_bridge()):
        for sequence in (3, 2, 4, 1):
            await town.say(town.answer(town.first, sequence))
        await until(lambda: effect(town, [1, 2, 3, 4]))


async def test_a_stream_of_confirmations_that_cannot_be_used_holds_up_no_answer(town: Any, make_bridge: MakeBridge) -> None:
    await town.redis.set("taken:{MZ}", "spoilt")
    async with running(make_bridge()):
        await town.say(town.answer(town.first, 1))
        await until(lambda: effect(town, [1]))
        await town.say(town.answer(town.first, 2))
        await until(lambda: effect(town, [1, 2]))
        await until(lambda: gone(town))
        await town.redis.delete("taken:{MZ}")
        await town.say(town.answer(town.first, 2))  # the department repeats what nobody confirmed
        await until(lambda: confirmed(town, 2))


async def gone(town: Any) -> bool:
    return int(await town.redis.xlen("a:{MZ.0}")) == 0


async def confirmed(town: Any, sequence: int) -> bool:
    return bool((town.first, sequence) in await town.heard())


async def test_a_bad_confirmation_is_set_aside_and_the_next_one_counts(town: Any, make_bridge: MakeBridge) -> None:
    async with running(make_bridge()):
        await ask(town, 1)
        await until(lambda: sent(town))
        await town.say(b"nonsense", key="ack:{MZ}")
        for case_id in (town.first, town.second):
            await town.say(msgspec.json.encode({"case_id": case_id, "sequence": 1}), key="ack:{MZ}")
        await until(lambda: nothing_unconfirmed(town))
    assert [kind for kind, *_ in await town.set_aside()] == ["poison"]


async def sent(town: Any) -> bool:
    return not await outbox.unsent(town.database, ("MZ", 0), 1)


async def nothing_unconfirmed(town: Any) -> bool:
    return await unconfirmed(town) == 0


async def test_a_carrier_that_breaks_begins_again(town: Any, make_bridge: MakeBridge, caplog: pytest.LogCaptureFixture) -> None:
    await town.database.execute("ALTER TABLE case_line RENAME TO gone")
    async with running(make_bridge()):
        await town.say(town.answer(town.first, 1))
        await until(lambda: broke(caplog))
        await town.database.execute("ALTER TABLE gone RENAME TO case_line")
        await until(lambda: effect(town, [1]))


async def broke(caplog: pytest.LogCaptureFixture) -> bool:
    return any("broke off" in record.message for record in caplog.records)


async def test_a_stopped_bridge_gives_its_leases_back(town: Any, make_bridge: MakeBridge) -> None:
    async with running(make_bridge("first", limits=Limits(lease_seconds=600))):
        pass
    second = make_bridge("second")
    await second.holding.renew()
    assert second.holding.lease("relay:MZ.0") is not None
