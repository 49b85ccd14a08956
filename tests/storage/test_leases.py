from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
import sys
from pathlib import Path

import msgspec

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
