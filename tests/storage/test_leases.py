from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
import random
import sys
from pathlib import Path

import msgspec
import pytest

from storage import leases
from storage.database import Database

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(seconds=10)
HOLDERS = 3
RACER_SCRIPT = """
import asyncio, json, random, sys, time
from storage import leases
from storage.bell import Bell
from storage.clock import SystemClock
from storage.database import Database

LENGTH = 0.12

async def main(url, holder, seed):
    random.seed(seed)
    database, clock = await Database.open(url, Bell(), pool=2), SystemClock()
    sys.stdin.readline()
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        now = clock.now()
        fence = await leases.acquire(database, "race", holder, now, LENGTH)
        if fence is None:
            await asyncio.sleep(0.005)
            continue
        until = now.timestamp() + LENGTH
        begun = last = time.time()
        for _ in range(random.randint(1, 6)):
            await asyncio.sleep(0.01)
            now = clock.now()
            if random.random() < 0.3 and await leases.renew(database, "race", holder, fence, now, LENGTH):
                until = now.timestamp() + LENGTH
            if time.time() >= until:
                break
            last = time.time()
        print(json.dumps({"holder": holder, "fence": fence, "begun": begun, "last": min(last, until)}), flush=True)
        if random.random() < 0.5:
            await leases.release(database, "race", holder, fence)
        else:
            await asyncio.sleep(LENGTH * 1.5)
    await database.close()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


class Hold(msgspec.Struct):
    holder: str
    fence: int
    begun: float
    last: float


async def test_a_free_lease_is_taken_and_refused_to_others_until_it_ends(database: Database):
    assert await leases.acquire(database, "lane", "one", NOW, 10) == 1
    assert await leases.acquire(database, "lane", "two", LATER - dt.timedelta(microseconds=1), 10) is None
    assert await leases.acquire(database, "lane", "two", LATER, 10) == 2


async def test_its_holder_keeps_fence_and_lease_by_taking_it_again(database: Database):
    await leases.acquire(database, "lane", "one", NOW, 10)
    assert await leases.acquire(database, "lane", "one", NOW + dt.timedelta(seconds=5), 10) == 1
    assert await leases.acquire(database, "lane", "two", LATER, 10) is None


async def test_a_renewed_lease_lasts_longer_and_a_lost_one_is_not_renewed(database: Database):
    await leases.acquire(database, "lane", "one", NOW, 10)
    assert await leases.renew(database, "lane", "one", 1, NOW + dt.timedelta(seconds=9), 10)
    assert await leases.acquire(database, "lane", "two", LATER, 10) is None
    assert not await leases.renew(database, "lane", "one", 1, NOW + dt.timedelta(seconds=19), 10)
    assert await leases.acquire(database, "lane", "two", NOW + dt.timedelta(seconds=19), 10) == 2
    assert not await leases.renew(database, "lane", "one", 1, NOW + dt.timedelta(seconds=19), 10)


async def test_a_released_lease_is_free_at_once_with_a_new_fence(database: Database):
    await leases.acquire(database, "lane", "one", NOW, 10)
    await leases.release(database, "lane", "one", 1)
    assert await leases.acquire(database, "lane", "one", NOW, 10) == 2


async def test_who_lost_a_lease_cannot_release_the_next_holders(database: Database):
    await leases.acquire(database, "lane", "one", NOW, 10)
    await leases.acquire(database, "lane", "two", LATER, 10)
    await leases.release(database, "lane", "one", 1)
    assert await leases.acquire(database, "lane", "three", LATER, 10) is None


async def test_of_many_takers_at_once_one_gets_it(database: Database):
    fences = await asyncio.gather(*(leases.acquire(database, "lane", f"h{n}", NOW, 10) for n in range(20)))
    assert [fence for fence in fences if fence is not None] == [1]


async def test_names_do_not_touch_each_other(database: Database):
    assert await leases.acquire(database, "lane:1", "one", NOW, 10) == 1
    assert await leases.acquire(database, "lane:2", "two", NOW, 10) == 1


async def test_many_are_taken_at_once_except_what_another_holds(database: Database):
    await leases.acquire(database, "b", "two", NOW, 10)
    assert await leases.acquire_all(database, ["c", "b", "a", "a"], "one", NOW, 10) == {"a": 1, "c": 1}
    assert await leases.acquire_all(database, ["a", "b", "c"], "one", LATER, 10) == {"a": 1, "b": 2, "c": 1}
    assert await leases.acquire_all(database, [], "one", NOW, 10) == {}


async def test_many_are_given_back_at_once_except_what_was_lost(database: Database):
    held = await leases.acquire_all(database, ["a", "b"], "one", NOW, 10)
    await leases.acquire(database, "b", "two", LATER, 10)
    await leases.release_all(database, held, "one")
    assert await leases.acquire_all(database, ["a", "b"], "three", LATER, 10) == {"a": 2}


class Model:
    """The rules in a few lines: name -> (holder, fence, end)."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, int, dt.datetime]] = {}

    def acquire(self, name: str, holder: str, now: dt.datetime, seconds: float) -> int | None:
        before, fence, end = self.rows.get(name, (holder, 1, now))
        if before != holder and now < end:
            return None
        fence += before != holder
        self.rows[name] = (holder, fence, now + dt.timedelta(seconds=seconds))
        return fence

    def renew(self, name: str, holder: str, fence: int, now: dt.datetime, seconds: float) -> bool:
        before = self.rows.get(name)
        if before is None or before[:2] != (holder, fence) or before[2] <= now:
            return False
        self.rows[name] = (holder, fence, now + dt.timedelta(seconds=seconds))
        return True

    def release(self, name: str, holder: str, fence: int) -> None:
        if self.rows.get(name, ("", 0))[:2] == (holder, fence):
            self.rows[name] = ("", fence, dt.datetime(1970, 1, 1, tzinfo=dt.UTC))


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_two_holders_do_in_turn_the_rules_hold(database: Database, seed: int):
    chance, model, now = random.Random(seed), Model(), NOW
    known: dict[str, dict[str, int]] = {"one": {}, "two": {}}
    for _ in range(80):
        now += dt.timedelta(seconds=chance.choice((0, 1, 4, 10)))
        holder = chance.choice(("one", "two"))
        some = chance.sample("abcde", chance.randint(1, 5))
        mine = {name: fence for name, fence in known[holder].items() if name in some}
        match chance.choice(("take all", "take all", "take all", "take", "renew", "give back")):
            case "take all":
                expected = {name: fence for name in some if (fence := model.acquire(name, holder, now, 9)) is not None}
                assert await leases.acquire_all(database, some, holder, now, 9) == expected
                known[holder] |= expected
            case "take":
                assert await leases.acquire(database, some[0], holder, now, 9) == model.acquire(some[0], holder, now, 9)
            case "renew":
                for name, fence in mine.items():
                    expected = model.renew(name, holder, fence, now, 9)
                    assert await leases.renew(database, name, holder, fence, now, 9) == expected
            case "give back":
                for name, fence in mine.items():
                    model.release(name, holder, fence)
                await leases.release_all(database, mine, holder)


async def test_many_who_take_and_give_back_in_any_order_never_wait_in_a_circle(database: Database):
    async def work(holder: str) -> None:
        chance = random.Random(holder)
        for _ in range(10):
            names = chance.sample([f"lane:{n}" for n in range(40)], 40)
            held = await leases.acquire_all(database, names, holder, NOW, 10)
            await leases.release_all(database, dict(chance.sample(sorted(held.items()), len(held))), holder)

    await asyncio.gather(*(work(f"h{n}") for n in range(6)))


async def test_processes_that_race_never_hold_together(database_url: str):
    root = Path(leases.__file__).parents[1]
    racers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", RACER_SCRIPT, database_url, f"holder-{number}", str(number)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=root,
        )
        for number in range(HOLDERS)
    ]
    answers = await asyncio.gather(*(racer.communicate(b"go\n") for racer in racers))
    assert [racer.returncode for racer in racers] == [0] * HOLDERS
    holds = [msgspec.convert(json.loads(line), Hold) for out, _ in answers for line in out.splitlines()]
    holds.sort(key=lambda hold: hold.begun)
    assert len({hold.holder for hold in holds}) > 1, "nobody was ever relieved: the race proves nothing"
    for before, after in itertools.pairwise(holds):
        if before.holder != after.holder:
            assert before.last <= after.begun, "two held together"
            assert before.fence < after.fence
        else:
            assert before.fence <= after.fence
