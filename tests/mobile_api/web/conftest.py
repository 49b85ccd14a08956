"""The small application over a real socket and a real database."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from mobile_api.web.bodies import BodyLimits
from mobile_api.web.caller import AUTHENTICATOR
from mobile_api.web.frame import FrameOptions, install
from mobile_api.web.idempotency import REPEATS, Repeats
from mobile_api.web.logs import log_to, stop_log
from mobile_api.web.observations import settle
from mobile_api.web.pace import Pace
from mobile_api.web.server import Limits, serving
from storage.clock import SystemClock
from storage.database import Database
from storage.idempotency import AnswerBook
from storage.sealing import Sealer
from tests.support.web import Gate, table

Serve = Callable[..., AbstractAsyncContextManager[aiohttp.ClientSession]]


@pytest.fixture
def sealer() -> Sealer:
    return Sealer({1: bytes(range(32))}, 1)


@pytest.fixture
def log() -> Any:
    """The lines logged, each as a dict; call it to read them."""
    stream = io.StringIO()
    handler = log_to(stream)

    def lines() -> list[dict[str, Any]]:
        settle()
        handler.flush()
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    yield lines
    stop_log(handler)


@pytest.fixture
def serve(sqlite_url: str, open_database: Any, sealer: Sealer) -> Serve:
    """`async with serve() as client`: the small application, and a client that is logged in nowhere."""

    @asynccontextmanager
    async def start(limits: Limits | None = None, bodies: BodyLimits | None = None, **options: Any) -> AsyncIterator[aiohttp.ClientSession]:
        app = web.Application()
        app[AUTHENTICATOR] = Gate()
        app[REPEATS] = Repeats(database, SystemClock(), AnswerBook(sealer))
        paces = {"read": Pace(60_000, 1000), "write": Pace(60_000, 1000), "costly": Pace(0.06, 1)}
        install(app, table(), {Database: database}, FrameOptions(paces=paces, bodies=bodies or BodyLimits(), **options))
        async with serving(app, limits) as url, aiohttp.ClientSession(url) as client:
            yield client

    return start


@pytest.fixture
async def client(serve: Serve) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the small application."""
    async with serve() as session:
        yield session
