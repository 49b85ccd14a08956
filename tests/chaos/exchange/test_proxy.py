from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.chaos.exchange.proxy import Proxy

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PATIENCE = 20


class Cable:
    """A proxy before a server that says back what it hears."""

    def __init__(self, proxy: Proxy, port: int) -> None:
        self.proxy = proxy
        self._port = port
        self._open: list[asyncio.StreamWriter] = []

    async def connect(self) -> Ends:
        """A connection that works."""
        ends = await asyncio.open_connection("127.0.0.1", self._port)
        self._open.append(ends[1])
        return ends

    async def close(self) -> None:
        """Hang up."""
        for writer in self._open:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@pytest.fixture
async def cable() -> AsyncIterator[Cable]:
    with TemporaryDirectory(prefix="proxy-") as folder:
        server = await asyncio.start_unix_server(echo, Path(folder) / "s")
        proxy = Proxy(Path(folder) / "s")
        cable = Cable(proxy, await proxy.start())
        yield cable
        await cable.close()
        await proxy.stop()
        server.close()
        await server.wait_closed()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()
    await writer.wait_closed()


async def ask(ends: Ends, word: bytes) -> bytes:
    ends[1].write(word)
    async with asyncio.timeout(PATIENCE):
        return await ends[0].readexactly(len(word))


async def is_silent(ends: Ends) -> bool:
    """Whether nothing at all comes for a moment, not even an end."""
    try:
        async with asyncio.timeout(0.2):
            await ends[0].read(1)
    except TimeoutError:
        return True
    return False


async def hears_a_reset(ends: Ends) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await ends[0].read(1)
    except ConnectionResetError:
        return True
    return False


async def test_a_whole_cable_passes_bytes_both_ways_and_hands_on_the_end(cable: Cable) -> None:
    ends = await cable.connect()
    assert await ask(ends, b"hello") == b"hello"
    ends[1].write_eof()
    async with asyncio.timeout(PATIENCE):
        assert await ends[0].read() == b""


async def test_a_cut_cable_holds_bytes_and_connections_until_it_is_whole(cable: Cable) -> None:
    old = await cable.connect()
    assert await ask(old, b"before") == b"before"
    cable.proxy.cut()
    old[1].write(b"during")
    new = await cable.connect()
    new[1].write(b"new")
    assert await is_silent(old)
    assert await is_silent(new)
    cable.proxy.heal()
    async with asyncio.timeout(PATIENCE):
        assert await old[0].readexactly(6) == b"during"
        assert await new[0].readexactly(3) == b"new"


async def test_a_slow_cable_keeps_the_order(cable: Cable) -> None:
    ends = await cable.connect()
    cable.proxy.delay = 0.01
    for n in range(10):
        ends[1].write(bytes([n]))
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE):
        assert await ends[0].readexactly(10) == bytes(range(10))


async def test_a_half_open_connection_says_nothing_while_new_ones_work(cable: Cable) -> None:
    old = await cable.connect()
    assert await ask(old, b"before") == b"before"
    cable.proxy.half_open()
    old[1].write(b"lost")
    assert await is_silent(old)
    assert await ask(await cable.connect(), b"new") == b"new"


async def test_what_a_half_open_connection_swallowed_is_answered_with_a_reset_once_the_cable_is_whole(cable: Cable) -> None:
    speaking, waiting = await cable.connect(), await cable.connect()
    for ends in (speaking, waiting):
        assert await ask(ends, b"before") == b"before"
    cable.proxy.half_open()
    speaking[1].write(b"lost")
    assert await is_silent(speaking)
    cable.proxy.heal()
    assert await hears_a_reset(speaking)
    assert await is_silent(waiting)
    waiting[1].write(b"are you there")
    assert await hears_a_reset(waiting)


async def test_a_reset_is_heard_as_one_and_the_next_connection_works(cable: Cable) -> None:
    ends = await cable.connect()
    assert await ask(ends, b"before") == b"before"
    cable.proxy.reset()
    assert await hears_a_reset(ends)
    assert await ask(await cable.connect(), b"again") == b"again"
