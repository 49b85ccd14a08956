from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from redis import asyncio as aioredis
from redis import exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from storage import redis as stores
from storage import valkey
from storage.bell import Bell
from storage.errors import StoreUnavailable
from storage.redis import RedisStore, carry_bell, connect, translated
from storage.valkey import EmbeddedValkey


def free_port() -> int:
    """A port that nobody has; a cluster's server takes the one 10,000 higher as well."""
    while True:
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", 20_000 + secrets.randbelow(20_000)))
            return int(listener.getsockname()[1])


class Servers:
    """Valkey servers on ports, for the kinds of address that a socket cannot have."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[int, subprocess.Popen[bytes]] = {}

    async def start(self, *options: str) -> int:
        """A server that answers, if only with a request for its password; its port."""
        port = free_port()
        home = self.folder / str(port)
        home.mkdir()
        command = [str(valkey._binary()), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(home), *options]
        await self._run(port, command)
        return port

    async def start_sentinel(self, master: int) -> int:
        """A sentinel that alone decides about the master `town`; its port."""
        port = free_port()
        file = self.folder / "sentinel.conf"
        file.write_text(f"port {port}\nbind 127.0.0.1\ndir {self.folder}\nsentinel monitor town 127.0.0.1 {master} 1\n")
        await self._run(port, [str(valkey._binary()), str(file), "--sentinel"])
        return port

    async def _run(self, port: int, command: Sequence[str]) -> None:
        self.running[port] = await asyncio.to_thread(subprocess.Popen, command, stdout=subprocess.DEVNULL)
        async with asyncio.timeout(10), aioredis.Redis(port=port, retry=Retry(NoBackoff(), 0)) as client:
            while True:
                try:
                    await client.ping()
                except exceptions.AuthenticationError:
                    return
                except exceptions.ConnectionError:
                    await asyncio.sleep(0.02)
                else:
                    return

    def stop(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    running = Servers(tmp_path)
    yield running
    running.stop()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[RedisStore]:
    store = await connect(url)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def carried(url: str) -> AsyncIterator[Bell]:
    """A bell as another process would have it: with clients of its own."""
    bell = Bell()
    async with opened(url) as store:
        with bell.listen("ready") as ticket:
            task = asyncio.create_task(carry_bell(store, bell))
            assert await ticket.wait(5)  # everybody is woken once the channel is heard
        yield bell
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert bell.forward is None


async def exchange(store: RedisStore) -> None:
    """What the exchange needs of a store: an entry is written, read by a waiting reader, acknowledged."""
    await store.commands.xgroup_create("q:{D.0}", "g", id="0", mkstream=True)
    await store.commands.xadd("q:{D.0}", {b"e": b"\x00body"})
    [[_, [[entry, fields]]]] = await store.blocking.xreadgroup("g", "me", {"q:{D.0}": ">"}, count=1, block=1000)
    assert fields == {b"e": b"\x00body"}
    assert await store.commands.xack("q:{D.0}", "g", entry) == 1


async def ring_reaches(url: str) -> None:
    async with carried(url) as here, carried(url) as there:
        with there.listen("outbox") as ticket:
            here.ring("outbox")
            assert await ticket.wait(5)


async def test_a_socket_or_a_plain_address_serves_the_exchange(valkey_url: str, servers: Servers):
    port = await servers.start()
    for url in (valkey_url, f"redis://127.0.0.1:{port}/1"):
        async with opened(url) as store:
            await exchange(store)


async def test_a_password_is_used_and_never_told(servers: Servers):
    port = await servers.start("--requirepass", "p@ss word")
    async with opened(f"redis://:p%40ss%20word@127.0.0.1:{port}") as store:
        await exchange(store)
    with pytest.raises(StoreUnavailable, match="MOBILE_API_REDIS__URL") as caught:
        await connect(f"redis://:wrong-secret@127.0.0.1:{port}")
    assert "wrong-secret" not in str(caught.value)


async def test_a_sentinel_address_finds_the_master(servers: Servers):
    sentinel = await servers.start_sentinel(await servers.start())
    url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinel}/town?db=0"
    async with opened(url) as store:
        await exchange(store)
    await ring_reaches(url)
    with pytest.raises(StoreUnavailable, match="MOBILE_API_REDIS__URL"):
        await connect(f"redis+sentinel://127.0.0.1:{sentinel}/another?db=0")


async def test_a_cluster_address_serves_the_exchange_and_the_bell(servers: Servers):
    port = await servers.start("--cluster-enabled", "yes")
    async with aioredis.Redis(port=port) as node:
        await node.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        async with asyncio.timeout(10):
            while (await node.execute_command("CLUSTER INFO"))["cluster_state"] != "ok":
                await asyncio.sleep(0.02)
    url = f"redis+cluster://127.0.0.1:{port}"
    async with opened(url) as store:
        await exchange(store)
    await ring_reaches(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1", "redis://127.0.0.1:1", "unix:///nowhere/valkey.sock", "embedded"])
async def test_an_address_that_cannot_be_used_names_its_setting(url: str):
    with pytest.raises((ValueError, StoreUnavailable), match="MOBILE_API_REDIS__URL"):
        await connect(url)


async def test_a_command_that_got_no_answer_is_not_repeated(servers: Servers, monkeypatch: pytest.MonkeyPatch):
    """A repeated XADD is a second entry."""
    port = await servers.start()
    monkeypatch.setattr(stores, "_ANSWER_SECONDS", 0.1)
    async with opened(f"redis://127.0.0.1:{port}") as store:
        os.kill(servers.running[port].pid, signal.SIGSTOP)
        with pytest.raises(StoreUnavailable), translated():
            await store.commands.xadd("s", {"e": "1"})
        os.kill(servers.running[port].pid, signal.SIGCONT)
        async with asyncio.timeout(5):
            while not (length := await store.commands.xlen("s")):
                await asyncio.sleep(0.02)
        assert length == 1


async def test_more_callers_than_connections_wait_for_their_turn(valkey_url: str):
    store = await connect(valkey_url, connections=2)
    assert sorted(await asyncio.gather(*(store.commands.incr("n") for _ in range(50)))) == list(range(1, 51))
    await store.close()


async def test_a_waiting_reader_does_not_keep_commands_waiting(valkey_url: str):
    store = await connect(valkey_url, connections=1, readers=1)
    reading = asyncio.create_task(store.blocking.blpop(["list"], timeout=5))
    await asyncio.wait_for(store.commands.ping(), 1)
    await asyncio.wait_for(store.commands.rpush("list", "x"), 1)
    assert list(await reading) == [b"list", b"x"]
    await store.close()


async def test_a_full_server_is_unavailable_and_a_wrong_command_is_not(servers: Servers):
    port = await servers.start("--maxmemory", "1mb", "--maxmemory-policy", "noeviction")
    async with opened(f"redis://127.0.0.1:{port}") as store:
        with suppress(exceptions.OutOfMemoryError):
            await store.commands.set("a", b"x" * 2_000_000)
        with pytest.raises(StoreUnavailable, match=r"OOM|maxmemory"), translated():
            await store.commands.set("b", b"x")
        with pytest.raises(exceptions.ResponseError), translated():
            await store.commands.execute_command("NOSUCHCOMMAND")


async def test_a_ring_reaches_the_other_processes_and_comes_not_back(valkey_url: str):
    async with carried(valkey_url) as one, carried(valkey_url) as two:
        with one.listen("a") as own, two.listen("a") as others, two.listen("b") as end:
            one.ring("a")
            assert await own.wait(1)
            assert await others.wait(5)
            one.ring("b")
            assert await end.wait(5)  # what was rung first has been carried by now
            assert not await own.wait(0.05)


async def test_the_bell_is_carried_again_after_redis_was_killed(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    server = EmbeddedValkey(tmp_path / "valkey")
    url = await server.start()
    async with carried(url) as one, carried(url) as two, opened(url) as store:
        os.kill(int((await store.commands.info("server"))["process_id"]), signal.SIGKILL)
        with two.listen("a") as ticket:
            one.ring("a")  # lost: nobody waits for it, nobody fails
            restarted = EmbeddedValkey(tmp_path / "valkey")
            await restarted.start()
            assert await ticket.wait(10)  # woken once the channel is heard again, in case a ring was lost
            async with asyncio.timeout(10):
                while not await ticket.wait(0.1):
                    one.ring("a")
    assert "cannot be heard" in caplog.text
    await server.stop()
    await restarted.stop()
