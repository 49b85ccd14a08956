"""One delivery ends in time with one meaning, whatever answers at the other end."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import format_datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from backoffice.addresses import Reach
from backoffice.signatures import read as read_proof
from backoffice.webhook_post import Credentials, Outcome, Poster, _wish
from storage.clock import SettableClock
from tests.backoffice.test_addresses import Names
from tests.support import certificates
from tests.support.processes import free_port

NOW = dt.datetime(2026, 11, 24, 1, 30, tzinfo=dt.UTC)
HOME = Reach(is_development=True)
KEY = Credentials("key-1", b"s" * 32)
Answers = Callable[[web.Request], web.StreamResponse]


@asynccontextmanager
async def answering(answer: Answers) -> AsyncIterator[str]:
    """The address of a server that answers like this."""

    async def serve(request: web.Request) -> web.StreamResponse:
        await request.read()
        return answer(request)

    app = web.Application()
    app.router.add_post("/{path:.*}", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/in?a=1"
    await runner.cleanup()


async def deliver(url: str, *, seconds: float = 5.0, names: Names | None = None, reach: Reach = HOME) -> Outcome:
    times = aiohttp.ClientTimeout(total=seconds, sock_connect=seconds)
    async with Poster(url, reach, SettableClock(NOW), width=2, times=times, resolver=names) as poster:
        return await poster.post(b'{"id":"1"}', {"X-Exchange-Position": "7"}, KEY)


async def test_a_delivery_is_signed_over_method_path_and_body_and_says_its_position():
    seen: list[web.Request] = []

    def note(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(status=202)

    async with answering(note) as url:
        assert await deliver(url) == Outcome("taken")
    [request] = seen
    assert read_proof(request.headers).holds(KEY.secret, "POST", "/in?a=1", b'{"id":"1"}')
    assert not read_proof(request.headers).holds(KEY.secret, "POST", "/in?a=1", b'{"id":"2"}')
    assert (request.headers["X-Exchange-Position"], request.content_type) == ("7", "application/cloudevents+json")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, "taken"), (201, "taken"), (204, "taken"), (400, "refused"), (409, "refused"), (413, "refused"), (415, "refused"),
        (422, "refused"), (401, "failed"), (403, "failed"), (404, "failed"), (405, "failed"), (408, "failed"), (425, "failed"),
        (429, "failed"), (500, "failed"), (502, "failed"), (503, "failed"), (599, "failed"), (410, "gone"), (304, "failed"),
    ],
)  # fmt: skip
async def test_every_status_has_one_meaning(status: int, kind: str):
    async with answering(lambda _: web.Response(status=status)) as url:
        assert (await deliver(url)).kind == kind


async def test_a_redirect_is_not_followed():
    visits: list[str] = []

    def redirect(request: web.Request) -> web.Response:
        visits.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with answering(redirect) as url:
        outcome = await deliver(url)
    assert (outcome.kind, visits) == ("failed", ["/in"])
    assert "不跟随" in outcome.detail


async def test_what_the_department_says_is_shown_short_and_printable():
    said = {"title": "no", "detail": "表单第 3 项\x1b[31m\n格式不对" + "长" * 500}
    async with answering(lambda _: web.json_response(said, status=422)) as url:
        outcome = await deliver(url)
    assert outcome.detail.startswith("HTTP 422：表单第 3 项 [31m 格式不对")
    assert len(outcome.detail) <= 220
    assert outcome.detail.isprintable()


async def test_a_small_answer_does_not_become_a_large_one():
    bomb = gzip.compress(b"x" * 20_000_000)
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/plain"}
    async with answering(lambda _: web.Response(status=422, body=bomb, headers=headers)) as url:
        assert await deliver(url) == Outcome("refused", "HTTP 422")


async def test_who_never_answers_is_not_waited_for():
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the caller has had enough
        writer.close()
        gone.set()

    gone = asyncio.Event()
    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    outcome = await deliver(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/in", seconds=0.2)
    server.close()
    await asyncio.wait_for(gone.wait(), 5)
    assert outcome.kind == "failed"
    assert "没有在规定时间内应答" in outcome.detail


@pytest.mark.parametrize(
    "said", [b"", b"\x00\xff\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/9.9 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nA" + b"a" * 100_000]
)
async def test_what_is_no_http_is_a_failure_in_words(said: bytes):
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    outcome = await deliver(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/in")
    server.close()
    assert outcome.kind == "failed"
    assert outcome.detail


async def test_nobody_there_no_such_name_and_a_forbidden_address_are_told_apart():
    nobody = await deliver(f"http://127.0.0.1:{free_port()}/in")
    unknown = await deliver("https://ga.invalid/in")
    forbidden = await deliver("https://ga.example.gov.cn/in", names=Names(["169.254.169.254"]))
    by_text = await deliver("https://127.0.0.1/in", reach=Reach())
    assert [one.kind for one in (nobody, unknown, forbidden, by_text)] == ["failed"] * 4
    assert "无法连接" in nobody.detail
    assert "域名无法解析" in unknown.detail
    assert "网址不能用" in forbidden.detail
    assert "网址不能用" in by_text.detail


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path):
    listening, _ = certificates.make(tmp_path, "ga.example.gov.cn")
    seen: list[web.Request] = []

    async def serve(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response()

    app = web.Application()
    app.router.add_post("/in", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port_of(8000, 9000)
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=listening).start()
    outcome = await deliver(
        f"https://ga.example.gov.cn:{port}/in", names=Names(["127.0.0.1"]), reach=Reach(is_internal=True, is_development=True)
    )
    await runner.cleanup()
    assert (outcome.kind, seen) == ("failed", [])
    assert "证书" in outcome.detail


def free_port_of(first: int, last: int) -> int:
    """A port of the range that nobody listens on."""
    for port in range(first, last):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("every port is taken")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("120", 120.0),
        ("999999999999", 3600.0),
        ("-5", None),
        ("soon", None),
        ("１２", None),
        (format_datetime(NOW + dt.timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - dt.timedelta(days=1), usegmt=True), 0.0),
        (format_datetime(NOW + dt.timedelta(days=9), usegmt=True), 3600.0),
    ],
)
def test_a_wish_for_rest_is_understood_and_bounded(text: str | None, seconds: float | None):
    assert _wish(text, NOW) == seconds


@given(st.text(max_size=60))
def test_no_wish_is_too_strange(text: str):
    wish = _wish(text, NOW)
    assert wish is None or 0 <= wish <= 3600
