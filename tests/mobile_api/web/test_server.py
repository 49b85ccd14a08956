"""Slow and hostile clients lose their connection in time; everybody else is served meanwhile."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from mobile_api.web.bodies import BodyLimits
from mobile_api.web.server import Limits
from tests.support.web import Door

SOON = 5.0
QUICK = Limits(head=0.15, stalled=0.3, linger=0.2, idle=0.3)
HEAD = b"POST /api/v1/echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def raw(client: aiohttp.ClientSession) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A plain socket to the same server."""
    base = client._base_url
    assert base is not None
    reader, writer = await asyncio.open_connection(base.host, base.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What still comes until the server closes; fails if it does not in time."""
    async with asyncio.timeout(SOON):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    """One byte after the other, always a little before patience could end if each byte bought new patience."""
    try:
        for number in range(len(data)):
            writer.write(data[number : number + 1])
            await writer.drain()
            await asyncio.sleep(0.05)
    except ConnectionError:
        pass


@pytest.mark.parametrize("sent", [b"", b"GET", b"GET /api/v1/hello HTTP/1.1\r\nHost: a\r\nX-Slow: "])
async def test_who_never_finishes_a_head_is_closed(serve: Any, sent: bytes):
    async with serve(QUICK) as client, raw(client) as (reader, writer):
        writer.write(sent)
        assert (await client.get("/api/v1/hello")).status == 200
        assert await rest(reader) == b""


async def test_dripping_a_head_buys_no_time(serve: Any):
    async with serve(QUICK) as client, raw(client) as (reader, writer):
        dripping = asyncio.create_task(drip(writer, b"GET /api/v1/hello HTTP/1.1\r\nHost: a\r\nX-Slow: " + b"a" * 1000))
        assert await rest(reader) == b""
        dripping.cancel()


async def test_dripping_the_second_head_of_a_connection_buys_no_time_either(serve: Any):
    async with (
        serve(QUICK._replace(idle=60) if hasattr(QUICK, "_replace") else Limits(head=0.15, idle=60)) as client,
        raw(client) as (reader, writer),
    ):
        writer.write(b"GET /api/v1/hello HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"}}")
        dripping = asyncio.create_task(drip(writer, b"GET /api/v1/hello HTTP/1.1\r\nX-Slow: " + b"a" * 1000))
        assert await rest(reader) == b""
        dripping.cancel()


async def test_who_drips_a_body_is_told_408(serve: Any):
    async with serve(QUICK, BodyLimits(seconds=0.2)) as client, raw(client) as (reader, writer):
        writer.write(HEAD + b"Content-Length: 1000\r\n\r\n{")
        dripping = asyncio.create_task(drip(writer, b" " * 900))
        assert (await client.get("/api/v1/hello")).status == 200
        answer = await rest(reader)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "too_slow"
        dripping.cancel()


async def test_an_idle_connection_is_closed_in_the_end(serve: Any):
    async with serve(QUICK) as client, raw(client) as (reader, writer):
        writer.write(b"GET /api/v1/hello HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await rest(reader)).startswith(b"HTTP/1.1 200 ")


async def test_who_does_not_read_a_streamed_answer_is_dropped(serve: Any, door: Door):
    async with serve(QUICK) as client, raw(client) as (_, writer), asyncio.timeout(SOON):
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /api/v1/pour HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await client.get("/api/v1/hello")).status == 200
        await door.passed.wait()


async def test_many_idle_connections_keep_nobody_out(serve: Any):
    async with serve(Limits(head=SOON)) as client:
        base = client._base_url
        idle = [await asyncio.open_connection(base.host, base.port) for _ in range(300)]
        assert (await client.get("/api/v1/hello")).status == 200
        for _, writer in idle:
            writer.transport.abort()


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /api/v1/hello HTTP/1.1\nHost: a\n\n",
        b"GET /api/v1/hello HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET /api/v1/hello HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/v1/hello HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(300)) + b"\r\n",
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        HEAD + b"Content-Length: -2\r\n\r\n{}",
        b"GET /api/v1/hello HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n",
    ],
)
async def test_what_is_no_proper_http_is_refused_without_an_echo(serve: Any, sent: bytes):
    async with serve(QUICK) as client, raw(client) as (reader, writer):
        writer.write(sent)
        answer = await rest(reader)
        assert answer.split(b" ")[1] in {b"400", b"431"}
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"application/problem+json" in head
        assert b"nosniff" in head
        assert json.loads(body)["code"] in {"bad_request", "head_too_large"}
        assert b"GARBAGE" not in body


async def test_broken_chunks_are_a_bad_request(serve: Any):
    async with serve(QUICK) as client, raw(client) as (reader, writer):
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
        assert (await rest(reader)).split(b" ")[1] == b"400"


async def test_a_body_of_30_megabytes_is_refused_before_it_is_read(serve: Any):
    async with serve(QUICK) as client, raw(client) as (reader, writer):
        writer.write(HEAD + b"Content-Length: 30000000\r\n\r\n{")
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SOON)
        assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_body_that_does_not_say_its_size_is_refused_once_it_is_too_much(client: aiohttp.ClientSession):
    async def blocks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65536

    answer = await client.post("/api/v1/echo", data=blocks(), headers={"Content-Type": "application/json"})
    assert (answer.status, (await answer.json(content_type=None))["code"]) == (413, "too_large")


async def test_who_asks_first_is_told_not_to_send_too_much(serve: Any):
    async with serve(QUICK) as client, raw(client) as (reader, writer):
        writer.write(HEAD + b"Content-Length: 30000000\r\nExpect: 100-continue\r\n\r\n")
        assert (await rest(reader)).startswith(b"HTTP/1.1 413 ")


async def test_who_asks_first_is_told_to_go_on(client: aiohttp.ClientSession):
    answer = await client.post("/api/v1/echo", json={"name": "a"}, expect100=True)
    assert (await answer.json())["name"] == "a"
    answer = await client.post("/api/v1/echo", json={}, headers={"Expect": "a miracle"})
    assert (answer.status, (await answer.json(content_type=None))["code"]) == (417, "expectation_failed")


async def test_a_bomb_is_not_unpacked(client: aiohttp.ClientSession):
    bomb = gzip.compress(b" " * 50_000_000)
    answer = await client.post("/api/v1/echo", data=bomb, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})
    assert answer.status == 415


async def test_requests_sent_ahead_are_all_answered_in_order(client: aiohttp.ClientSession):
    async with raw(client) as (reader, writer):
        bodies = [json.dumps({"count": n}).encode() for n in range(50)]
        writer.write(b"".join(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body for body in bodies))
        for n in range(50):
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SOON)
            assert json.loads(await reader.readuntil(b"}}"))["count"] == n


async def test_work_goes_on_when_the_phone_hangs_up(client: aiohttp.ClientSession, door: Door):
    async with raw(client) as (_, writer), asyncio.timeout(SOON):
        writer.write(b"POST /api/v1/wait HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer resident\r\nContent-Length: 0\r\n\r\n")
        await door.entered.wait()
        writer.transport.abort()
        assert (await client.get("/api/v1/hello")).status == 200
        door.open.set()
        await door.passed.wait()
