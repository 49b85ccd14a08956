"""Redis as it is run when one server is not enough: a primary with replicas and three sentinels, or a cluster.

The servers are the Valkey that the town embeds, on ports of this machine, with the settings that docs/scale.md prints.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from redis import asyncio as aioredis
from redis import exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot

from storage import valkey

SERVICE = "town"
_DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
_SLOTS = 16384
_LIMIT = 60.0
_HASTY = "repl-diskless-sync-delay 0\n"
_HASTY_SENTINEL = ("INFO-PERIOD", 1000, "PUBLISH-PERIOD", 300)  # what else lasts 10 and 2 seconds
_UNAVAILABLE = (exceptions.RedisError, OSError)

Group = TypeVar("Group", "Watched", "Clustered")


def documented(name: str) -> str:
    """A settings file as docs/scale.md prints it: the block whose first line is `# name`."""
    found = re.search(rf"^```\n# {re.escape(name)}\n(.*?)^```$", _DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"docs/scale.md has no block that begins with # {name}"
    return found[1]


class Server:
    """One server on a port of its own, with a data folder that outlives its process."""

    def __init__(self, folder: Path, settings: str, *, is_sentinel: bool = False) -> None:
        self.port = _free_port()
        self._home = folder / str(self.port)
        self._home.mkdir(parents=True)
        self._file = self._home / "server.conf"
        self._file.write_text(f"{settings}\nport {self.port}\nbind 127.0.0.1\ndir {self._home}\n", encoding="utf-8")
        self._flags = ["--sentinel"] if is_sentinel else []
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it with the data that it has, and wait until it answers."""
        with (self._home / "log").open("ab") as log:
            words = [str(valkey._binary()), str(self._file), *self._flags]
            self._process = await asyncio.to_thread(subprocess.Popen, words, stdout=log, stderr=log)
        await until(lambda: self.tell("PING"), f"an answer of {self.port}")

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
            self._process = None

    def last_words(self) -> str:
        """The end of its log."""
        return (self._home / "log").read_text(encoding="utf-8", errors="replace")[-1500:]

    async def ask(self, *words: object) -> Any:
        """The answer to a command, by a connection of its own, so that it works in any event loop."""
        async with aioredis.Redis(port=self.port, retry=Retry(NoBackoff(), 0), socket_timeout=5, protocol=2) as client:
            return await client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis's gap

    async def tell(self, *words: object) -> Any:
        """The answer, or None while the server cannot give one."""
        try:
            return await self.ask(*words)
        except _UNAVAILABLE:
            return None

    async def told(self, section: str) -> dict[str, Any]:
        """A section of INFO; empty while the server does not answer."""
        return await self.tell("INFO", section) or {}


class Watched:
    """A primary, its replicas and their sentinels."""

    def __init__(self, folder: Path, replicas: int = 2) -> None:
        self.servers = [Server(folder, documented("redis.conf") + _HASTY) for _ in range(1 + replicas)]
        monitored = documented("sentinel.conf").replace("PRIMARY-HOST PRIMARY-PORT", f"127.0.0.1 {self.servers[0].port}")
        hasty = f"sentinel down-after-milliseconds {SERVICE} 1000\nsentinel failover-timeout {SERVICE} 5000\n"
        self.sentinels = [Server(folder, monitored + hasty, is_sentinel=True) for _ in range(3)]

    @property
    def url(self) -> str:
        """The town's setting redis.url."""
        return f"redis+sentinel://{','.join(f'127.0.0.1:{one.port}' for one in self.sentinels)}/{SERVICE}?db=0"

    async def start(self) -> None:
        """Until every sentinel knows the replicas and the other sentinels."""
        primary, *replicas = self.servers
        await asyncio.gather(*(server.start() for server in self.servers))
        for replica in replicas:
            await replica.ask("REPLICAOF", "127.0.0.1", primary.port)
        await until(lambda: self._follow(replicas), "the replicas' copies")
        await asyncio.gather(*(sentinel.start() for sentinel in self.sentinels))
        for sentinel in self.sentinels:
            await sentinel.ask("SENTINEL", "DEBUG", *_HASTY_SENTINEL)
        await until(self._is_watched, "the sentinels' knowledge of each other")

    async def primary(self) -> Server:
        """Whoever is primary in the eyes of the sentinels."""
        found = await self.sentinels[0].ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        return next(server for server in self.servers if server.port == int(found[1]))

    async def promoted(self, old: Server) -> Server:
        """Wait until another than `old` serves as primary."""

        async def is_promoted() -> bool:
            new = await self.primary()
            return new is not old and (await new.told("replication")).get("role") == "master"

        await until(is_promoted, "a new primary")
        return await self.primary()

    async def follows(self, server: Server) -> None:
        """Wait until a server is a replica with a whole copy."""
        await until(lambda: self._follow([server]), f"{server.port} as a replica")

    async def _follow(self, servers: Sequence[Server]) -> bool:
        found = [await server.told("replication") for server in servers]
        return all(one.get("role") == "slave" and one.get("master_link_status") == "up" for one in found)

    async def _is_watched(self) -> bool:
        found = [await sentinel.ask("SENTINEL MASTER", SERVICE) for sentinel in self.sentinels]
        return all(
            int(one["num-slaves"]) == len(self.servers) - 1 and int(one["num-other-sentinels"]) == len(self.sentinels) - 1 for one in found
        )


class Clustered:
    """A cluster of three primaries with a third of the slots each; `replicas` further nodes follow the first ones."""

    def __init__(self, folder: Path, replicas: int = 0) -> None:
        self.nodes = [Server(folder, documented("cluster.conf") + _HASTY + "cluster-node-timeout 1000\n") for _ in range(3 + replicas)]

    @property
    def url(self) -> str:
        """The town's setting redis.url."""
        return f"redis+cluster://{','.join(f'127.0.0.1:{node.port}' for node in self.nodes)}"

    @property
    def servers(self) -> list[Server]:
        """Every node."""
        return self.nodes

    async def begin_move(self, key: str, target: Server) -> Server:
        """Bring the slot of a key and what is in it to another node, as far as ASK; where it was. Redis documentation, CLUSTER SETSLOT."""
        slot, source = key_slot(key.encode()), await self.owner(key)
        await target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", await self.id_of(source))
        await source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", await self.id_of(target))
        while keys := await source.ask("CLUSTER", "GETKEYSINSLOT", slot, 10):
            await source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        return source

    async def end_move(self, key: str, source: Server, target: Server) -> None:
        """Make every node know the new owner, so that the old one says MOVED."""
        for node in (target, source, *self.nodes[:3]):
            await node.ask("CLUSTER", "SETSLOT", key_slot(key.encode()), "NODE", await self.id_of(target))

    async def start(self) -> None:
        """Until every node says that all slots are served and every replica has its copy."""
        await asyncio.gather(*(node.start() for node in self.nodes))
        for number, node in enumerate(self.nodes[:3]):
            await node.ask("CLUSTER", "ADDSLOTSRANGE", _SLOTS * number // 3, _SLOTS * (number + 1) // 3 - 1)
        for node in self.nodes[1:]:
            await self.nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", node.port)
        await until(self._is_whole, "a whole cluster")
        for primary, replica in zip(self.nodes, self.nodes[3:], strict=False):
            await replica.ask("CLUSTER", "REPLICATE", await self.id_of(primary))
            await until(lambda replica=replica: self._follows(replica), "a replica's copy")  # type: ignore[misc]  # a default binds

    async def owner(self, key: str) -> Server:
        """The node that serves a key, as the first node that answers says."""
        slot = key_slot(key.encode())
        shards = next(filter(None, [await node.tell("CLUSTER", "SLOTS") for node in self.nodes]))
        port = next(address[1] for first, last, address, *_ in shards if first <= slot <= last)
        return next(node for node in self.nodes if node.port == port)

    async def id_of(self, node: Server) -> str:
        """How the nodes call a node."""
        return str((await node.ask("CLUSTER", "MYID")).decode())

    async def _is_whole(self) -> bool:
        for node in self.nodes:
            said = await node.ask("CLUSTER INFO")
            if said["cluster_state"] != "ok" or int(said["cluster_known_nodes"]) != len(self.nodes):
                return False
        return True

    async def _follows(self, node: Server) -> bool:
        return (await node.told("replication")).get("master_link_status") == "up"


@asynccontextmanager
async def serving(group: Group) -> AsyncIterator[Group]:
    """A group of servers, started and afterwards killed; when the test fails, what they said last is told."""
    try:
        await group.start()
        yield group
    except BaseException as error:
        for server in group.servers:
            error.add_note(f"--- {server.port}: {server.last_words()}")
        raise
    finally:
        for server in [*group.servers, *getattr(group, "sentinels", [])]:
            await server.kill()


async def until(look: Callable[[], Awaitable[object]], wanted: str, seconds: float = _LIMIT) -> None:
    """Look again and again until it is so; fails with what was wanted when the time is over."""
    try:
        async with asyncio.timeout(seconds):
            while not await look():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{wanted} did not come within {seconds:.0f} s") from None


def _free_port() -> int:
    """A port that nobody has; a cluster's node takes the one 10,000 higher as well."""
    while True:
        with socket.socket() as own, socket.socket() as bus, suppress(OSError):
            port = 20_000 + secrets.randbelow(12_000)
            own.bind(("127.0.0.1", port))
            bus.bind(("127.0.0.1", port + 10_000))
            return port
