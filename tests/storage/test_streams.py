from __future__ import annotations

import asyncio

import pytest
from redis import asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from storage.redis import RedisStore
from storage.streams import GROUP, Entry, PipeDown, Streams

KEY = "q:{MZ.0}"


@pytest.fixture
def streams(store: RedisStore) -> Streams:
    return Streams(store.commands, store.blocking)


def bodies(entries: list[Entry]) -> list[bytes | None]:
    return [entry.body for entry in entries]


async def fresh(streams: Streams, count: int = 10) -> list[Entry]:
    return await streams.read(KEY, count, 0.05) or await streams.read(KEY, count, 0.05)


async def test_what_is_published_is_read_in_order_and_gone_when_removed(streams: Streams, redis: aioredis.Redis) -> None:
    ids = await streams.publish(KEY, [b"1", b"2", b"3"], cap=10)
    entries = await fresh(streams)
    assert [(entry.id, entry.body) for entry in entries] == list(zip(ids, [b"1", b"2", b"3"], strict=True))
    await streams.remove(KEY, ids[:2])
    assert await streams.present(KEY, entries) == [False, False, True]
    assert await streams.depth(KEY) == 1
    assert (await redis.xpending(KEY, GROUP))["pending"] == 1


async def test_another_entry_under_the_same_id_is_not_the_one_that_was_sent(streams: Streams, redis: aioredis.Redis) -> None:
    await redis.xadd(KEY, {"e": b"second life"}, id="1700000000000-0")
    sent = [Entry("1700000000000-0", b"first life"), Entry("1700000000000-0", b"second life")]
    assert await streams.present(KEY, sent) == [False, True]


async def test_a_stream_takes_no_more_than_its_cap_and_loses_nothing(streams: Streams) -> None:
    assert len(await streams.publish(KEY, [b"1", b"2", b"3"], cap=2)) == 2
    assert await streams.publish(KEY, [b"3"], cap=2) == []
    assert bodies(await fresh(streams)) == [b"1", b"2"]


async def test_a_group_that_is_lost_with_everything_is_made_again(streams: Streams, redis: aioredis.Redis) -> None:
    assert await streams.read(KEY, 10, 0.05) == []
    await redis.flushall()
    await streams.publish(KEY, [b"1"], cap=10)
    assert bodies(await fresh(streams)) == [b"1"]


async def test_a_loss_while_a_reader_waits_does_not_end_it(streams: Streams, redis: aioredis.Redis) -> None:
    await streams.read(KEY, 10, 0.01)
    reading = asyncio.create_task(streams.read(KEY, 10, 5))
    while not any(client["cmd"] == "xreadgroup" and "b" in client["flags"] for client in await redis.client_list()):
        await asyncio.sleep(0.01)
    await redis.flushall()
    assert await reading == []
    await streams.publish(KEY, [b"1"], cap=10)
    assert bodies(await fresh(streams)) == [b"1"]


async def test_what_was_read_and_not_removed_is_pending_in_pages(streams: Streams) -> None:
    await streams.publish(KEY, [str(n).encode() for n in range(450)], cap=1000)
    while await streams.read(KEY, 200, 0.01):
        pass
    await fresh(streams, 500)
    pages = [page async for page in streams.pending(KEY)]
    assert [len(page) for page in pages if page] == [200, 200, 50]
    assert [body for page in pages for body in bodies(page)] == [str(n).encode() for n in range(450)]


async def test_taking_over_brings_what_another_reader_left(streams: Streams, store: RedisStore) -> None:
    dead = Streams(store.commands, store.blocking, consumer="dead")
    await streams.publish(KEY, [b"1", b"2"], cap=10)
    assert len(await fresh(dead)) == 2
    assert [page async for page in streams.pending(KEY) if page] == []
    await streams.take_over(KEY)
    assert [bodies(page) async for page in streams.pending(KEY)] == [[b"1", b"2"]]


async def test_taking_over_nothing_is_no_error(streams: Streams) -> None:
    await streams.take_over(KEY)
    assert [page async for page in streams.pending(KEY)] == []


async def test_an_entry_deleted_while_pending_has_no_body_and_one_without_the_field_an_empty_one(
    streams: Streams, redis: aioredis.Redis
) -> None:
    (first,) = await streams.publish(KEY, [b"1"], cap=10)
    await redis.xadd(KEY, {"other": "field"})
    assert bodies(await fresh(streams)) == [b"1", b""]
    await redis.xdel(KEY, first)
    assert [bodies(page) async for page in streams.pending(KEY)] == [[None, b""]]


async def test_redis_away_full_or_spoilt_is_one_kind_of_trouble(streams: Streams, redis: aioredis.Redis) -> None:
    await redis.set(KEY, "spoilt")
    with pytest.raises(PipeDown, match="WRONGTYPE"):
        await streams.publish(KEY, [b"1"], cap=10)
    away = aioredis.Redis(port=1, retry=Retry(NoBackoff(), 0))
    nobody = Streams(away, away)
    for call in (
        nobody.depth(KEY),
        nobody.read(KEY, 1, 0.1),
        nobody.publish(KEY, [b"1"], 5),
        nobody.take_over(KEY),
        nobody.present(KEY, [Entry("1-1", b"1")]),
    ):
        with pytest.raises(PipeDown):
            await call


async def test_when_redis_is_out_of_memory_a_batch_goes_in_whole_or_not_at_all(streams: Streams, redis: aioredis.Redis) -> None:
    await redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(PipeDown, match="memory"):
            await streams.publish(KEY, [b"1", b"2"], cap=10)
    finally:
        await redis.config_set("maxmemory", 0)
    assert await streams.depth(KEY) == 0
