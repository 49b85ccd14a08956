"""Users are kept where the server keeps its own: in its ACL file, in its configuration file, or nowhere, and that is said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from storage.redis import RedisStore, connect
from storage.redis_acl import Reach, drop_user, has_user, keep_users, line, put_user, rules, version_of
from storage.valkey import _binary
from tests.support.processes import Process, until

Start = Callable[..., Awaitable[RedisStore]]
WORDS = line("one", "secret", rules(Reach(("q:{ONE.0}",), ("a:{ONE.0}",)), (7, 2)))


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a server with options of one's own, at the same address each time."""
    async with AsyncExitStack() as opened:

        async def start_one(*options: str) -> RedisStore:
            socket = tmp_path / "own.sock"
            socket.unlink(missing_ok=True)
            words = [*options, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)]
            server = Process("own", words, {}, tmp_path, program=str(_binary()))
            await server.start()
            opened.push_async_callback(server.stop)
            await until(socket.exists, "the server")
            store = await connect(f"unix://{socket}")
            opened.push_async_callback(store.close)
            return store

        yield start_one


@pytest.mark.parametrize("kind", ["acl", "configuration"])
async def test_a_user_is_there_after_a_restart(start: Start, tmp_path: Path, kind: str):
    (tmp_path / "kept").touch()
    options = ["--aclfile", str(tmp_path / "kept")] if kind == "acl" else [str(tmp_path / "kept")]
    store = await start(*options)
    await put_user(store, WORDS)
    assert await keep_users(store)
    await store.commands.shutdown(nosave=True)
    await until(lambda: not (tmp_path / "own.sock").exists(), "its end")

    again = await start(*options)

    assert await has_user(again, "one")
    assert await drop_user(again, "one")
    assert not await drop_user(again, "one")


async def test_a_server_that_keeps_nothing_is_said_to_forget(start: Start):
    store = await start()
    await put_user(store, WORDS)

    assert await has_user(store, "one")
    assert not await keep_users(store)


async def test_the_version_is_the_one_of_redis(start: Start):
    assert await version_of(await start()) >= (7, 0)


async def test_putting_a_user_again_leaves_nothing_of_its_old_rights(start: Start):
    store = await start()
    await put_user(store, ["one", "on", "nopass", "~*", "&*", "+@all"])
    await put_user(store, WORDS)
    user = await store.commands.acl_getuser("one")

    assert "nopass" not in user["flags"]
    assert user["keys"] in ("", [])
    assert "+@all" not in user["commands"]
