from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from redis import asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from storage.fleeting import Fleeting, StoreUnavailable
from storage.redis import RedisStore


@pytest.fixture
def fleeting(store: RedisStore) -> Fleeting:
    return Fleeting(store.commands)


async def test_of_200_claimants_exactly_one_has_the_key_and_has_it_still_when_he_asks_again(fleeting: Fleeting):
    claimants = [b"%d" % number for number in range(200)]
    first = dict(zip(claimants, await asyncio.gather(*(fleeting.claim("code", who, 60) for who in claimants)), strict=True))
    again = {who: await fleeting.claim("code", who, 60) for who in claimants}
    assert Counter(first.values()) == {True: 1, False: 199}
    assert again == first


async def test_a_value_can_be_read_until_it_is_dropped(fleeting: Fleeting):
    await fleeting.put("code", b"value", 60)
    assert await fleeting.get("code") == b"value"
    await fleeting.drop("code")
    assert await fleeting.get("code") is None


async def test_every_key_has_an_end(fleeting: Fleeting, store: RedisStore):
    await fleeting.put("code", b"value", 60)
    await fleeting.claim("used", b"me", 20)
    await fleeting.count("tries", 30)
    await fleeting.count("tries", 30)
    lives = {key: await store.commands.ttl(key) for key in await store.commands.keys("*")}
    assert lives == {b"f:code": pytest.approx(60, abs=2), b"f:used": pytest.approx(20, abs=2), b"f:tries": pytest.approx(30, abs=2)}


async def test_a_key_taken_by_another_is_not_overwritten(fleeting: Fleeting):
    assert await fleeting.put("short", b"first", 60, only_new=True)
    assert not await fleeting.put("short", b"second", 60, only_new=True)
    assert await fleeting.get("short") == b"first"


async def test_counting_is_exact_among_many_at_once(fleeting: Fleeting):
    counts = await asyncio.gather(*(fleeting.count("tries", 60) for _ in range(100)))
    assert sorted(counts) == list(range(1, 101))


async def test_a_redis_that_does_not_answer_is_said_to_be_unavailable():
    async with aioredis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)) as nobody:
        fleeting = Fleeting(nobody)
        for act in (fleeting.get("a"), fleeting.claim("a", b"", 1), fleeting.put("a", b"", 1), fleeting.count("a", 1), fleeting.drop("a")):
            with pytest.raises(StoreUnavailable):
                await act
