"""Listening on a socket with limits that hold against slow and hostile clients, the same in tests as in production."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from handlers.errors import Refused
from mobile_api.web.headers import complete
from mobile_api.web.observations import note
from mobile_api.web.problems import language_of, problem_response
from mobile_api.web.trace import begin_trace

T = TypeVar("T")

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and sizes of one connection.

    `head`: from the first byte (or the connection) to a whole head; `stalled`: how long a reader may take nothing of an
    answer that waits for it, which with 64 KiB of buffer means about 2 KiB/s at least; `linger`: what is still sent to a
    refused request is read so long, so that the refusal arrives; `idle`: between requests, longer than a proxy in front.
    """

    head: float = 10.0
    stalled: float = 30.0
    linger: float = 5.0
    idle: float = 75.0
    line_bytes: int = 8190
    headers: int = 64


class Connection(web.RequestHandler):
    """aiohttp's connection with the deadlines it lacks; a request that comes whole costs one comparison more."""

    __slots__ = ("_head_timer", "_limits", "_stall_timer")

    def __init__(self, server: web.Server, limits: Limits, **options: Any) -> None:
        super().__init__(server, **options)
        self._limits = limits
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Serve request after request; at the end the client must take what is left of its answer, or is dropped with it."""
        await super().start()
        if self.transport is not None:
            self._watch(self.transport)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected and owes a head."""
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Bytes have come: a head is now whole, or begun and owed."""
        before = self._request_count
        super().data_received(data)
        if self._request_count != before:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None
        elif self._head_timer is None and data and self._waiter is not None and not self._waiter.done():
            self._expect_head()

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        super().pause_writing()
        if self.transport is not None:
            self._watch(self.transport)

    def resume_writing(self) -> None:
        """The client has caught up."""
        super().resume_writing()
        self._unwatch()

    def force_close(self) -> None:
        """Close, and drop a client that does not take the rest of its answer."""
        if self.transport is not None:
            self._watch(self.transport)
        super().force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone, and what was owed on it."""
        super().connection_lost(exc)
        self._unwatch()
        if self._head_timer is not None:
            self._head_timer.cancel()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's signature
    ) -> web.StreamResponse:
        """What aiohttp's parser refused, as a problem that echoes nothing (its `message` quotes the request)."""
        if request.writer.output_size > 0:
            raise ConnectionResetError("the answer had begun")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _LOGGER.error("unexpected error outside of the frame", exc_info=exc)
        code = "internal" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "bad_request"
        code = "head_too_large" if isinstance(exc, LineTooLong) else code
        trace = begin_trace(request.headers)
        trace.route = "-"
        response = problem_response(Refused(code), language_of(request.headers), trace.trace_id)
        complete(response.headers)
        note(trace, "OTHER", response.status, 0)
        response.force_close()
        return response

    def _expect_head(self) -> None:
        if self.transport is not None:
            self._head_timer = self._loop.call_later(self._limits.head, self.transport.abort)

    def _watch(self, transport: asyncio.Transport) -> None:
        if self._stall_timer is None:
            self._stall_timer = self._loop.call_later(self._limits.stalled, transport.abort)

    def _unwatch(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None


class _Server(web.Server):
    """Makes connections of ours where aiohttp would make its own."""

    def __init__(self, plain: web.Server, limits: Limits) -> None:
        # Off in tests as in production: a submission goes on when the phone loses its network
        super().__init__(plain.request_handler, request_factory=plain.request_factory, handler_cancellation=False)
        self._limits = limits

    def __call__(self) -> web.RequestHandler:
        limits = self._limits
        return Connection(
            self,
            limits,
            loop=asyncio.get_running_loop(),
            access_log=None,  # the frame logs, at a third of the price
            auto_decompress=False,
            keepalive_timeout=limits.idle,
            lingering_time=limits.linger,
            max_line_size=limits.line_bytes,
            max_field_size=limits.line_bytes,
            max_headers=limits.headers,
        )


class Runner(web.AppRunner):
    """An aiohttp runner whose connections keep our limits."""

    __slots__ = ("_limits",)

    def __init__(self, app: web.Application, limits: Limits, shutdown_timeout: float) -> None:
        super().__init__(app, access_log=None, shutdown_timeout=shutdown_timeout)
        self._limits = limits

    async def _make_server(self) -> web.Server:
        return _Server(await super()._make_server(), self._limits)


async def listen(
    app: web.Application, host: str, port: int, *, limits: Limits | None = None, reuse_port: bool = False, shutdown_timeout: float = 10
) -> Runner:
    """Start an application and listen; `await runner.cleanup()` ends both, giving open requests `shutdown_timeout` seconds."""
    runner = Runner(app, limits or Limits(), shutdown_timeout)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, reuse_port=reuse_port, backlog=1024).start()
    except BaseException:
        await runner.cleanup()
        raise
    return runner


@asynccontextmanager
async def serving(app: web.Application, limits: Limits | None = None) -> AsyncIterator[str]:
    """An application listening on a free port of this machine; gives its base URL. Tests meet here what production meets."""
    runner = await listen(app, "127.0.0.1", 0, limits=limits, shutdown_timeout=1)
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run the program on uvloop, where there is one."""
    try:
        import uvloop  # noqa: PLC0415 - not on Windows
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)
