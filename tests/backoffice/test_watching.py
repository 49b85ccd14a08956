"""What the watch sees of a real exchange, and what it does when a store is away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from backoffice.counts import Counts
from backoffice.inbox import Inbox
from backoffice.watching import DepartmentFigures, Tally, Watch
from handlers.access import Officer
from handlers.catalogue import Department
from handlers.errors import Refused
from storage import outbox
from storage.redis import RedisStore, connect
from storage.streams import Entry
from storage.watching import Gauge
from tests.support.exchange import NOW, command, send

DEPARTMENTS = {
    code: Department(code=code, name=name, unit=name, link=link, partitions=1, consult_phone="1", complaint_phone="2")  # type: ignore[arg-type]
    for code, name, link in (("MZ", "民政", "queue"), ("GA", "公安", "desk"))
}


@pytest.fixture
def gauge(store: RedisStore) -> Gauge:
    return Gauge(store.commands)


@pytest.fixture
def look(town: Any, gauge: Gauge) -> Callable[[], Any]:
    """A fresh look at MZ."""

    async def figures() -> DepartmentFigures:
        found = (await Watch(town.database, town.clock, gauge, DEPARTMENTS).figures()).items
        assert [one.department for one in found] == ["GA", "MZ"]
        return found[1]

    return figures


async def test_where_nothing_happens_everything_is_nought(look: Any) -> None:
    quiet = await look()
    assert (quiet.name, quiet.link, quiet.state, quiet.heard_at) == ("民政", "queue", "working", None)
    assert (quiet.unsent, quiet.oldest_unsent_seconds, quiet.unconfirmed, quiet.poison, quiet.parked) == (0, 0, 0, 0, 0)
    assert [(lane.partition, lane.commands.entries, lane.answers.pending) for lane in quiet.lanes] == [(0, 0, 0)]
    assert set(quiet.counts.values()) == {0}


async def test_what_waits_is_counted_with_the_age_of_the_oldest(town: Any, look: Any) -> None:
    await send(town.database, command(town.first, "2611240001"), command(town.second, "2611240002"))
    town.clock.time = NOW + dt.timedelta(seconds=40)
    waiting = await look()
    assert (waiting.unsent, waiting.oldest_unsent_seconds, waiting.unconfirmed) == (2, 40, 0)

    letters = await outbox.unsent(town.database, ("MZ", 0), 10)
    await town.database.execute("UPDATE outbox SET sent_at = $1, stream_id = '1-1' WHERE id = $2", town.clock.now(), letters[0].id)
    town.clock.time = NOW + dt.timedelta(seconds=55)
    waiting = await look()
    assert (waiting.unsent, waiting.unconfirmed, waiting.oldest_unconfirmed_seconds) == (1, 1, 15)


async def test_what_lies_in_redis_is_counted_with_what_was_read_and_not_dealt_with(town: Any, look: Any) -> None:
    await town.say(b"1", b"2", b"3")
    await town.redis.xgroup_create("a:{MZ.0}", "g", id="0")
    await town.redis.xreadgroup("g", "office", {"a:{MZ.0}": ">"}, count=2)
    await town.say(b"1", key="q:{MZ.0}")
    await town.say(b"1", key="taken:{MZ}")
    found = await look()
    (lane,) = found.lanes
    assert (lane.answers.entries, lane.answers.pending) == (3, 2)
    assert (lane.commands.entries, lane.commands.pending) == (1, 0)
    assert (found.taken.entries, found.confirmations.entries) == (1, 0)


async def test_a_stream_whose_key_is_spoilt_is_unknown_and_the_others_are_not(town: Any, look: Any) -> None:
    await town.redis.set("q:{MZ.0}", "no stream")
    await town.say(b"1")
    (lane,) = (await look()).lanes
    assert (lane.commands.entries, lane.answers.entries) == (None, 1)


async def test_what_is_set_aside_and_how_the_link_stands_is_told(town: Any, look: Any, make_inbox: Callable[..., Inbox]) -> None:
    await make_inbox().take([Entry("1-1", b"no message")])
    await town.database.execute(
        "INSERT INTO exchange_link (department, state, failures, reason, changed_at) VALUES ('MZ', 'paused', 3, '证书过期', $1)", NOW
    )
    town.clock.time = NOW + dt.timedelta(seconds=7)
    found = await look()
    assert (found.poison, found.parked, found.oldest_set_aside_seconds) == (1, 0, 7)
    assert (found.state, found.reason) == ("paused", "证书过期")


async def test_the_carriers_of_all_processes_are_added_up(look: Any, gauge: Gauge) -> None:
    first, second = Counts(), Counts()
    tallies = [Tally(first, gauge), Tally(second, gauge)]
    first.add("sent", "MZ", 3)
    second.add("sent", "MZ", 4)
    second.add("gaps", "MZ")
    for tally in (*tallies, *tallies):
        await tally.publish()
    first.add("sent", "MZ", 2)
    await tallies[0].start()
    await tallies[0].stop()  # a process that ends tells its last figures
    counts = (await look()).counts
    assert (counts["sent"], counts["gaps"], counts["parked"]) == (9, 1, 0)


async def test_what_redis_did_not_take_is_told_when_it_is_back(gauge: Gauge) -> None:
    counts, away = Counts(), await connect("redis://127.0.0.1:1", must_answer=False)
    tally = Tally(counts, Gauge(away.commands))
    counts.add("sent", "MZ", 3)
    await tally.publish()
    await away.close()
    tally._gauge = gauge
    await tally.publish()
    assert await gauge.counted() == {"sent:MZ": 3}


async def test_without_redis_the_database_is_still_told(town: Any) -> None:
    await send(town.database, command(town.first, "2611240001"))
    away = await connect("redis://127.0.0.1:1", must_answer=False)
    found = await Watch(town.database, town.clock, Gauge(away.commands), DEPARTMENTS).figures()
    one = found.items[1]
    assert (found.is_redis_there, one.unsent, one.counts) == (False, 1, None)
    assert (one.lanes[0].commands.entries, one.taken.pending) == (None, None)
    await away.close()


async def test_many_who_ask_at_once_cost_one_look(town: Any, gauge: Gauge) -> None:
    watch = Watch(town.database, town.clock, gauge, DEPARTMENTS)
    first = await watch.figures()
    await send(town.database, command(town.first, "2611240001"))
    assert await watch.figures() is first


@pytest.mark.parametrize("role", ["supervisor", "administrator"])
async def test_supervisors_and_administrators_watch(town: Any, gauge: Gauge, role: str) -> None:
    shown = await Watch(town.database, town.clock, gauge, DEPARTMENTS).show(Officer("1", role, "", "", "130208108"))
    assert len(shown.items) == len(DEPARTMENTS)


@pytest.mark.parametrize("role", ["clerk", "officer", "approver"])
async def test_others_do_not(town: Any, gauge: Gauge, role: str) -> None:
    with pytest.raises(Refused, match="forbidden"):
        await Watch(town.database, town.clock, gauge, DEPARTMENTS).show(Officer("1", role, "MZ", "", "130208108"))
