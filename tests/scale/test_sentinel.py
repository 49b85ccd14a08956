"""The whole exchange on a primary with two replicas and three sentinels: a primary dies, comes back, and is switched by hand."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from storage.errors import StoreUnavailable
from storage.fleeting import Fleeting
from storage.redis import connect
from storage.streams import Streams
from tests.scale.conftest import carried, rings_reach
from tests.support.clusters import SERVICE, Server, Watched, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def test_the_exchange_outlives_its_primary_and_follows_a_switch(open_town: Any, tmp_path: Path) -> None:
    async with serving(Watched(tmp_path)) as group, carried(group.url) as here, carried(group.url) as there:
        town = await open_town(group.url)
        await town.ask(5)
        await town.settle()
        await more_callers_than_connections_wait(group.url)
        first = await group.primary()

        asking = asyncio.create_task(town.ask(40))
        await first.kill()
        second = await group.promoted(first)
        await asking
        await town.settle()
        await rings_reach(here, there)
        await town.keeps_codes()

        await first.start()  # as the primary that it was, until the sentinels tell it
        await town.ask(5)
        await group.follows(first)
        await town.ask(5)
        await town.settle()

        asking = asyncio.create_task(town.ask(40))  # the old primary lives on: its connections answer READONLY
        await group.sentinels[0].ask("SENTINEL", "FAILOVER", SERVICE)
        await group.promoted(second)
        await asking
        await town.settle()
        await rings_reach(here, there)
        await town.keeps_codes()
    assert town.asked == 95


async def more_callers_than_connections_wait(url: str) -> None:
    store = await connect(url, connections=2)
    assert sorted(await asyncio.gather(*(store.commands.incr("n") for _ in range(50)))) == list(range(1, 51))
    await store.close()


async def test_a_plain_address_that_only_reads_now_is_unavailable_and_not_an_error_of_ours(tmp_path: Path) -> None:
    replica = Server(tmp_path, "replicaof 127.0.0.1 1\n")
    await replica.start()
    store = await connect(f"redis://127.0.0.1:{replica.port}")
    try:
        with pytest.raises(StoreUnavailable, match="read only"):
            await Fleeting(store.commands).put("code", b"kept", 60)
        with pytest.raises(StoreUnavailable, match="read only"):
            await Streams(store.commands, store.blocking).publish("q:{MZ.0}", [b"1"], cap=10)
    finally:
        await store.close()
        await replica.kill()
