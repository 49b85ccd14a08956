"""The run's own Redis: a Valkey server that can be killed, robbed of its data and starved."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Any

from redis import asyncio as aioredis
from redis.exceptions import RedisError

from storage.valkey import _binary
from tests.chaos.exchange.disk import SmallDisk
from tests.support.processes import Process, until

_ENOUGH = "256mb"
_STARVED = "1mb"  # less than an empty server needs


class Pipe:
    """The server, as a town would set it up (how-to, run-a-town): append-only file, every second to disk, never evicting."""

    def __init__(self, folder: Path) -> None:
        self.disk = SmallDisk(folder / "redis")
        self.socket = self.disk.folder / "s"
        self.client: Any = aioredis.Redis(unix_socket_path=str(self.socket), socket_timeout=60)
        options = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.disk.folder), "--save", ""]
        more = ["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory", _ENOUGH, "--maxmemory-policy", "noeviction"]
        words = ["-m", "tests.chaos.exchange.bound", str(_binary()), *options, *more]
        self._process = Process("redis", words, {}, folder, program=sys.executable)

    async def start(self) -> None:
        """Start it and wait until it answers, having read what is on its disk."""
        await self._process.start()
        await until(self.answers, "an answer of Redis", 60)

    async def answers(self) -> bool:
        """Whether it answers."""
        try:
            return bool(await self.client.ping())
        except (RedisError, OSError):
            return False

    async def held(self, streams: str = "*") -> int:
        """How many entries there are in the streams whose names are like `streams`."""
        keys = [key async for key in self.client.scan_iter(match=streams)]
        return sum([int(await self.client.xlen(key)) for key in keys])

    async def kill(self) -> None:
        """kill -9."""
        await self._process.kill()

    async def forget(self) -> None:
        """Lose everything that is on disk; only while it is dead."""
        await asyncio.to_thread(shutil.rmtree, self.disk.folder / "appendonlydir", ignore_errors=True)

    async def starve(self) -> None:
        """Have no memory left: every writing command is refused from now on."""
        await self.client.config_set("maxmemory", _STARVED)

    async def feed(self) -> None:
        """Have enough memory again."""
        await self.client.config_set("maxmemory", _ENOUGH)

    async def stop(self) -> None:
        """End it and its disk."""
        await self.client.aclose()
        await self._process.kill()
        self.disk.unmount()
