from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from redis import asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from backoffice.counts import Counts
from backoffice.holding import Holding
from backoffice.outage import Outage
from backoffice.relay import Limits, Relay
from storage import outbox
from storage.bell import Bell
from storage.redis import RedisStore
from storage.sealing import Sealer
from storage.streams import Streams
from storage.tasks import end
from tests.support.exchange import command, running, send, until

LANES = [("GA", 0), ("MZ", 0)]
MakeRelay = Callable[..., Relay]


@pytest.fixture
def make_relay(town: Any, bell: Bell) -> MakeRelay:
    """A relay of a process called `holder`."""

    def make(holder: str = "one", streams: Streams | None = None, sealer: Sealer | None = None, **limits: Any) -> Relay:
        counts = Counts()
        names = [f"relay:{department}.{partition}" for department, partition in LANES]
        holding = Holding(town.database, town.clock, holder, seconds=5, names=names, counts=counts)
        return Relay(
            town.database, town.clock, bell, streams or town.streams,
            lanes=LANES, holding=holding, limits=Limits(**limits), counts=counts, outage=Outage(), sealer=sealer,
        )  # fmt: skip

    return make


async def stream(town: Any, key: str = "q:{MZ.0}") -> list[tuple[str, int]]:
    """What is in a stream: (case, sequence)."""
    found = [msgspec.json.decode(fields[b"e"]) for _, fields in await town.redis.xrange(key)]
    return [(one["partitionkey"], one["sequence"]) for one in found]


async def commands(town: Any, count: int, case: str = "2611240001", department: str = "MZ") -> None:
    await send(town.database, *(command(town.cases[case], case, department) for _ in range(count)))


async def drain(relay: Relay) -> None:
    await relay._holding.renew()
    while await relay.send():
        pass


async def test_what_is_in_the_outbox_goes_into_its_stream_in_order_and_once(town: Any, make_relay: MakeRelay) -> None:
    await commands(town, 5)
    await commands(town, 2, department="GA")
    relay = make_relay(batch=2)
    await drain(relay)
    await drain(relay)
    assert await stream(town) == [(town.first, n) for n in range(1, 6)]
    assert await stream(town, "q:{GA.0}") == [(town.first, 1), (town.first, 2)]


async def test_a_full_stream_makes_the_rest_wait_in_the_database_and_other_departments_go_on(town: Any, make_relay: MakeRelay) -> None:
    await commands(town, 5)
    await commands(town, 1, department="GA")
    relay = make_relay(stream_cap=3)
    await drain(relay)
    assert len(await stream(town)) == 3
    assert len(await stream(town, "q:{GA.0}")) == 1
    await town.redis.xtrim("q:{MZ.0}", maxlen=0)  # the department has dealt with them
    await drain(relay)
    assert await stream(town) == [(town.first, 4), (town.first, 5)]


async def test_a_relay_killed_between_sending_and_noting_sends_again_in_order(town: Any, make_relay: MakeRelay) -> None:
    await commands(town, 3)
    relay = make_relay()
    await relay._holding.renew()
    letters = await outbox.unsent(town.database, ("MZ", 0), 10)
    await town.streams.publish("q:{MZ.0}", [letter.body for letter in letters], 100)  # and here it dies
    town.clock.advance(seconds=6)
    await commands(town, 1)
    await drain(make_relay("two"))
    assert await stream(town) == [(town.first, n) for n in (1, 2, 3, 1, 2, 3, 4)]


async def test_a_relay_whose_lease_went_to_another_does_nothing(town: Any, make_relay: MakeRelay) -> None:
    await commands(town, 1)
    slow, quick = make_relay("slow"), make_relay("quick")
    await slow._holding.renew()
    await drain(quick)
    assert await stream(town) == []  # `slow` holds the lease
    town.clock.advance(seconds=6)
    await drain(quick)
    assert not await slow.send()
    await slow._holding.renew()
    assert not await slow.send()
    assert await stream(town) == [(town.first, 1)]


async def test_two_relays_at_once_never_break_the_order_of_a_line(town: Any, make_relay: MakeRelay) -> None:
    relays = [make_relay(name, batch=3) for name in ("one", "two")]

    async def work(relay: Relay) -> None:
        for _ in range(20):
            await relay._holding.renew()
            await relay.send()
            await relay._holding.release()

    async def write() -> None:
        for _ in range(15):
            await commands(town, 1)
            await commands(town, 1, "2611240002")

    await asyncio.gather(*(work(relay) for relay in relays), write())
    await drain(relays[0])
    found = await stream(town)
    for case_id in (town.first, town.second):
        assert list(dict.fromkeys(sequence for one, sequence in found if one == case_id)) == list(range(1, 16))


async def test_after_a_total_loss_of_redis_what_is_unconfirmed_is_sent_again(town: Any, make_relay: MakeRelay) -> None:
    await commands(town, 250)
    relay = make_relay(resend_seconds=30)
    await drain(relay)
    await outbox.confirm(town.database, "MZ", {town.first: 10}, town.clock.now())
    await town.redis.flushall()
    assert await relay.resend() == 0  # too early: the department may simply be slow
    town.clock.advance(seconds=31)
    await relay._holding.renew()
    assert await relay.resend() == 240
    assert await stream(town) == [(town.first, n) for n in range(11, 251)]
    assert await relay.resend() == 0


async def test_what_was_sent_by_a_clock_a_day_ahead_and_lost_is_sent_again_without_waiting_a_day(town: Any, make_relay: MakeRelay) -> None:
    await commands(town, 3)
    relay = make_relay(resend_seconds=30)
    await drain(relay)
    await town.database.execute("UPDATE outbox SET sent_at = $1", town.clock.now() + dt.timedelta(days=1))
    assert await relay.resend() == 0  # it is all there
    await town.redis.flushall()
    assert await relay.resend() == 3
    assert await relay.resend() == 0
    assert await stream(town) == [(town.first, n) for n in (1, 2, 3)]


async def test_a_full_stream_of_a_silent_department_is_read_once_and_again_when_it_shrank_or_after_a_while(
    town: Any, make_relay: MakeRelay
) -> None:
    await commands(town, 50)
    relay = make_relay(resend_seconds=30)
    await drain(relay)
    town.clock.advance(seconds=31)
    await relay._holding.renew()

    async def looked_for() -> int:
        await town.redis.config_resetstat()
        await relay.resend()
        return int((await town.redis.info("commandstats")).get("cmdstat_xrange", {"calls": 0})["calls"])

    assert [await looked_for() for _ in range(10)] == [50, 0, 0, 0, 0, 0, 0, 0, 50, 0]
    await town.redis.xdel("q:{MZ.0}", (await town.redis.xrange("q:{MZ.0}", count=1))[0][0])
    assert await looked_for() == 50
    assert await looked_for() == 0
    assert len(await stream(town)) == 50


async def test_a_lost_entry_is_sent_again_though_another_has_its_id_now(town: Any, make_relay: MakeRelay) -> None:
    await commands(town, 2)
    relay = make_relay(resend_seconds=30)
    await drain(relay)
    (first_id, _), (_, second) = await town.redis.xrange("q:{MZ.0}")
    await town.redis.flushall()
    await town.redis.xadd("q:{MZ.0}", second, id=first_id)  # within the millisecond in which Redis came back empty
    town.clock.advance(seconds=31)
    await relay._holding.renew()
    assert await relay.resend() == 2
    assert await stream(town) == [(town.first, 2), (town.first, 1), (town.first, 2)]


async def test_a_lost_predecessor_finds_room_in_a_stream_that_is_full_of_what_waits_for_it(town: Any, make_relay: MakeRelay) -> None:
    relay = make_relay(resend_seconds=30, stream_cap=3, batch=2)
    await commands(town, 1)
    await drain(relay)
    await town.redis.flushall()
    await commands(town, 5)
    await drain(relay)
    town.clock.advance(seconds=31)
    await relay._holding.renew()
    assert await relay.resend() == 1
    assert await stream(town) == [(town.first, 2), (town.first, 3), (town.first, 4), (town.first, 1)]


async def test_a_slow_department_is_not_flooded_with_copies(town: Any, make_relay: MakeRelay) -> None:
    await commands(town, 3)
    relay = make_relay(resend_seconds=30)
    await drain(relay)
    second = (await town.redis.xrange("q:{MZ.0}"))[1][0]
    await town.redis.xdel("q:{MZ.0}", second)  # dealt with, its confirmation got lost
    town.clock.advance(seconds=3600)
    await relay._holding.renew()
    assert await relay.resend() == 1
    assert await stream(town) == [(town.first, 1), (town.first, 3), (town.first, 2)]


async def test_while_redis_is_away_rows_wait_and_one_line_says_so(
    town: Any, make_relay: MakeRelay, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.outage.jitter", lambda *_: 0.0)
    await commands(town, 1)
    nobody = aioredis.Redis(port=1, retry=Retry(NoBackoff(), 0))
    relay = make_relay(streams=Streams(nobody, nobody))
    with caplog.at_level(logging.WARNING, logger="backoffice"):
        for _ in range(3):
            await drain(relay)
        relay._streams = town.streams
        await drain(relay)
    assert [record.message.split(" (")[0] for record in caplog.records] == [
        "Redis stream q:{MZ.0} cannot be used",
        "every Redis stream can be used again; what waited is being sent",
    ]
    assert await stream(town) == [(town.first, 1)]


async def test_one_spoilt_stream_stops_no_other(town: Any, make_relay: MakeRelay) -> None:
    await town.redis.set("q:{MZ.0}", "spoilt")
    await commands(town, 1)
    await commands(town, 1, department="GA")
    await drain(make_relay())
    assert len(await stream(town, "q:{GA.0}")) == 1


class Noted(Streams):
    """Streams that note how often something was put into them."""

    published = 0

    async def publish(self, key: str, bodies: Sequence[bytes], cap: int) -> list[str]:
        self.published += 1
        return await super().publish(key, bodies, cap)


async def test_for_a_spoilt_stream_nothing_is_read_again_until_it_can_be_used(
    town: Any, store: RedisStore, make_relay: MakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.outage.jitter", lambda *_: 0.0)
    streams = Noted(store.commands, store.blocking)
    relay = make_relay(streams=streams)
    await town.redis.set("q:{MZ.0}", "spoilt")
    await commands(town, 2)
    for _ in range(3):
        await drain(relay)
    assert streams.published == 1
    await town.redis.delete("q:{MZ.0}")
    await drain(relay)
    assert await stream(town) == [(town.first, 1), (town.first, 2)]


class AtWork:
    """A relay that runs, its leases taken."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def start(self) -> None:
        await self._relay._holding.renew()
        self._task = asyncio.create_task(self._relay.run())

    async def stop(self) -> None:
        await end([self._task])


def holds(town: Any, count: int, key: str = "q:{MZ.0}") -> Callable[[], Any]:
    """Whether a stream holds so many entries."""

    async def look() -> bool:
        return len(await stream(town, key)) == count

    return look


async def test_the_bell_wakes_the_relay_at_once(town: Any, make_relay: MakeRelay) -> None:
    async with running(AtWork(make_relay(poll_seconds=60))):
        await commands(town, 1)
        await until(holds(town, 1), 5)


async def test_nothing_that_is_committed_while_a_lane_is_at_it_waits_for_the_poll(town: Any, make_relay: MakeRelay) -> None:
    async with running(AtWork(make_relay(poll_seconds=60, batch=1))):
        for _ in range(30):
            await commands(town, 1)
        await until(holds(town, 30), 5)
    assert await stream(town) == [(town.first, n) for n in range(1, 31)]


async def test_a_full_stream_is_filled_up_soon_after_there_is_room_though_nothing_rings(town: Any, make_relay: MakeRelay) -> None:
    await commands(town, 5)
    async with running(AtWork(make_relay(stream_cap=3, poll_seconds=0.1))):
        await until(holds(town, 3))
        await town.redis.xtrim("q:{MZ.0}", maxlen=0)
        await until(holds(town, 2))


async def test_a_full_stream_for_which_nothing_waits_any_longer_wakes_nobody(town: Any, make_relay: MakeRelay) -> None:
    await commands(town, 5)
    relay = make_relay(stream_cap=3, poll_seconds=0.1)
    async with running(AtWork(relay)):
        await until(holds(town, 3))
        await town.database.execute("DELETE FROM outbox WHERE sent_at IS NULL")
        await until(rests_nowhere(relay))
        assert relay._pause() == 0.1


def rests_nowhere(relay: Relay) -> Callable[[], Any]:
    """Whether the relay waits for no lane to have room."""

    async def look() -> bool:
        return not relay._rests

    return look


class Stuck(Streams):
    """Streams of which one does not answer."""

    async def publish(self, key: str, bodies: Sequence[bytes], cap: int) -> list[str]:
        if key == "q:{MZ.0}":
            await asyncio.Event().wait()
        return await super().publish(key, bodies, cap)


async def test_a_stream_that_does_not_answer_delays_no_other(town: Any, store: RedisStore, make_relay: MakeRelay) -> None:
    async with running(AtWork(make_relay(streams=Stuck(store.commands, store.blocking)))):
        await commands(town, 1)
        for count in (1, 2):
            await commands(town, 1, department="GA")
            await until(holds(town, count, "q:{GA.0}"), 5)
