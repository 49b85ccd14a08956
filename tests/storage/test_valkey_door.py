"""The embedded server's TCP door: closed unless it is asked for, and never open to a stranger."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis import asyncio as aioredis
from redis import exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from storage.errors import StoreUnavailable
from storage.valkey import EmbeddedValkey
from storage.valkey_door import Door, password_of
from tests.support.processes import free_port


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    """The data folder of a server, which is stopped after the test, whoever left it running."""
    yield tmp_path / "valkey"
    last = EmbeddedValkey(tmp_path / "valkey")
    await last.start()
    await last.stop()


async def knock(port: int, user: str = "", password: str = "") -> str:
    """What a stranger gets who asks for the keys."""
    once = Retry(NoBackoff(), 0)
    async with aioredis.Redis(port=port, username=user or None, password=password or None, retry=once) as stranger:
        try:
            return str(await stranger.keys("*"))
        except (exceptions.RedisError, OSError) as error:
            return type(error).__name__


async def listens(address: str) -> dict[str, str | None]:
    async with aioredis.Redis.from_url(address) as redis:
        return await redis.config_get("port", "bind")


async def test_nobody_comes_in_by_tcp_unless_a_port_is_set(folder: Path):
    server = EmbeddedValkey(folder, door=Door())
    address = await server.start()

    assert (await listens(address))["port"] == "0"
    assert "@" not in address
    await server.stop()


async def test_the_door_is_shut_to_whoever_has_no_password(folder: Path):
    port = free_port()
    server = EmbeddedValkey(folder, door=Door(port=port))
    address = await server.start()

    assert await knock(port) == "AuthenticationError"
    assert await knock(port, "default", "guess") == "AuthenticationError"
    assert await knock(port, "department-MZ", "guess") == "AuthenticationError"
    assert await knock(port, "default", password_of(folder)) == "[]"
    assert (await listens(address))["bind"] == "127.0.0.1"
    await server.stop()


async def test_the_password_is_for_the_owner_of_the_folder_only(folder: Path):
    server = EmbeddedValkey(folder, door=Door(port=free_port()))
    await server.start()

    assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "users.acl").stat().st_mode) & 0o077 == 0
    assert password_of(folder) not in (folder / "users.acl").read_text()
    await server.stop()


async def test_users_and_passwords_are_there_after_a_kill_and_a_restart(folder: Path):
    port = free_port()
    first = EmbeddedValkey(folder, door=Door(port=port))
    async with aioredis.Redis.from_url(await first.start()) as redis:
        await redis.execute_command("ACL SETUSER", "one", "on", ">secret", "~*", "+@all")
        await redis.execute_command("ACL SAVE")
        os.kill((await redis.info("server"))["process_id"], signal.SIGKILL)

    second = EmbeddedValkey(folder, door=Door(port=port))
    address = await second.start()

    assert await knock(port, "one", "secret") == "[]"
    assert await knock(port) == "AuthenticationError"
    assert f":{password_of(folder)}@" in address
    await first.stop()
    await second.stop()


async def test_a_server_that_runs_already_gets_its_door_and_loses_it_again(folder: Path):
    port = free_port()
    first = EmbeddedValkey(folder)
    await first.start()
    second = EmbeddedValkey(folder, door=Door(port=port))
    await second.start()
    open_to_all = await knock(port)
    third = EmbeddedValkey(folder, door=Door())
    address = await third.start()

    assert open_to_all == "AuthenticationError"
    assert (await listens(address))["port"] == "0"
    for server in (first, second, third):
        await server.stop()


async def test_a_port_that_is_taken_is_named_with_its_setting(folder: Path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(StoreUnavailable, match=r"redis\.port"):
            await EmbeddedValkey(folder, door=Door(port=other.getsockname()[1])).start()
    with (folder / "server.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # no server was left behind
