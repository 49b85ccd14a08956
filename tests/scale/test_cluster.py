"""The whole exchange on a cluster of three nodes: one dies and comes back, one is succeeded by its replica, a slot moves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.crc import key_slot

from backoffice.lanes import answers_key, commands_key, confirmations_key
from storage.errors import StoreUnavailable
from storage.fleeting import Fleeting
from storage.redis import connect
from storage.streams import Entry, Streams
from tests.scale.conftest import carried, lane_of, rings_reach
from tests.scale.department import CODE, LANES
from tests.support.apart import run_apart
from tests.support.clusters import Clustered, Server, serving, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.xdist_group("cluster")]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clustered]:
    """Three nodes; whoever kills one starts it again."""
    group = Clustered(tmp_path_factory.mktemp("cluster"))
    try:
        run_apart(group.start())
        yield group
    finally:
        for node in group.nodes:
            run_apart(node.kill())


@pytest.fixture(autouse=True)
def empty(request: pytest.FixtureRequest) -> None:
    """Each test begins without what the one before it left."""
    if "cluster" in request.fixturenames:
        for node in request.getfixturevalue("cluster").nodes:
            run_apart(node.ask("FLUSHALL"))


async def test_what_is_on_the_move_is_found_where_it_is(cluster: Clustered) -> None:
    store = await connect(cluster.url)
    streams, fleeting, key = Streams(store.commands, store.blocking), Fleeting(store.commands), "q:{GA.0}"
    ids = await streams.publish(key, [b"1"], cap=10)
    assert await streams.read(key, 10, 0.01) == []  # makes the group
    target = await another(cluster, key)
    source = await cluster.begin_move(key, target)

    ids += await streams.publish(key, [b"2", b"3"], cap=10)
    entries = await streams.read(key, 10, 1)
    assert entries == [Entry(ids[0], b"1"), Entry(ids[1], b"2"), Entry(ids[2], b"3")]
    assert await streams.present(key, entries) == [True, True, True]
    assert await fleeting.claim("{GA.0}", b"new", 60)
    assert await fleeting.claim("{GA.0}", b"new", 60)

    await cluster.end_move(key, source, target)
    await streams.remove(key, ids[:2])
    assert [page async for page in streams.pending(key)] == [[Entry(ids[2], b"3")]]
    await store.close()


async def test_more_callers_than_connections_wait_for_their_turn(cluster: Clustered) -> None:
    store = await connect(cluster.url, connections=2)
    assert sorted(await asyncio.gather(*(store.commands.incr("n") for _ in range(50)))) == list(range(1, 51))
    await store.close()


async def test_a_slot_that_nobody_serves_is_trouble_that_passes(cluster: Clustered) -> None:
    store = await connect(cluster.url)
    fleeting, owner, slot = Fleeting(store.commands), await cluster.owner("f:code"), key_slot(b"f:code")
    assert await fleeting.get("code") is None
    await owner.ask("CLUSTER", "DELSLOTS", slot)
    with pytest.raises(StoreUnavailable):
        await fleeting.put("code", b"kept", 60)
    await owner.ask("CLUSTER", "ADDSLOTS", slot)
    assert await fleeting.put("code", b"kept", 60)
    assert await fleeting.get("code") == b"kept"
    await store.close()


async def test_the_lanes_of_a_dead_node_wait_and_the_others_go_on(open_town: Any, cluster: Clustered) -> None:
    async with carried(cluster.url) as here, carried(cluster.url) as there:
        town = await open_town(cluster.url)
        nodes = {lane: await cluster.owner(commands_key((CODE, lane))) for lane in range(LANES)}
        assert len(set(nodes.values())) > 1
        await town.ask(5)
        await town.settle()
        await town.keeps_codes()

        confirming = await cluster.owner(confirmations_key(CODE))  # without it the whole department waits (docs/scale.md)
        dead = next(node for node in nodes.values() if node is not confirming)
        await dead.kill()
        await town.ask(20)
        await rings_reach(here, there)
        await until(lambda: _others_are_done(town, nodes, dead), "the other lanes' commands")

        await dead.start()
        await town.settle()
        await rings_reach(here, there)
        await town.keeps_codes()


async def _others_are_done(town: Any, nodes: dict[int, Server], dead: Server) -> bool:
    done = town.department.done
    return all(len(done[case]) == town.asked for case in town.cases if nodes[lane_of(case)] is not dead)


async def test_a_lane_whose_slot_moves_to_another_node_is_followed(open_town: Any, cluster: Clustered) -> None:
    town, key = await open_town(cluster.url), commands_key((CODE, 0))
    asking = asyncio.create_task(town.ask(40))
    target = await another(cluster, key)

    await cluster.end_move(key, await cluster.begin_move(key, target), target)

    await asking
    await town.settle()
    assert await target.ask("EXISTS", answers_key((CODE, 0))) == 1
    await town.keeps_codes()


async def test_a_replica_succeeds_its_dead_primary_and_a_process_that_starts_meanwhile_works(open_town: Any, tmp_path: Path) -> None:
    async with serving(Clustered(tmp_path, replicas=1)) as cluster:
        town = await open_town(cluster.url)
        owners = [await cluster.owner(commands_key((CODE, lane))) for lane in range(LANES)]
        first = cluster.nodes[0]
        asking = asyncio.create_task(town.ask(40))

        await first.kill()
        async with carried(cluster.url) as here, carried(cluster.url) as there:
            await rings_reach(here, there)

        await asking
        await town.settle()
        assert first in owners
        assert await cluster.owner(commands_key((CODE, owners.index(first)))) is cluster.nodes[3]
        await town.keeps_codes()


async def another(cluster: Clustered, key: str) -> Server:
    """A node that does not serve a key."""
    owner = await cluster.owner(key)
    return next(node for node in cluster.nodes if node is not owner)
