"""The small application over a real socket and a real database."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
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
from tests.support.web import Door, Gate, table


@pytest.fixture
def sealer() -> Sealer:
    return Sealer({1: bytes(range(32))}, 1)


@pytest.fixture
def door() -> Door:
    return Door()


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


Start = Callable[..., AbstractAsyncContextManager[aiohttp.ClientSession]]


@asynccontextmanager
async def _start(
    database: Database, sealer: Sealer, door: Door, limits: Limits | None = None, bodies: BodyLimits | None = None, **options: Any
) -> AsyncIterator[aiohttp.ClientSession]:
    app = web.Application()
    app[AUTHENTICATOR] = Gate()
    app[REPEATS] = Repeats(database, SystemClock(), AnswerBook(sealer))
    paces = {"read": Pace(60_000, 1000), "write": Pace(60_000, 1000), "costly": Pace(0.06, 1)}
    install(app, table(), {Database: database, Door: door}, FrameOptions(paces=paces, bodies=bodies or BodyLimits(), **options))
    async with serving(app, limits) as url, aiohttp.ClientSession(url) as client:
        yield client


@pytest.fixture
async def serve(sqlite_url: str, open_database: Any, sealer: Sealer, door: Door) -> Start:
    """`async with serve(limits=...) as client`: the small application on SQLite, and a client that is logged in nowhere."""
    return partial(_start, await open_database(sqlite_url), sealer, door)


@pytest.fixture
async def client(serve: Start) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the small application."""
    async with serve() as session:
        yield session


@pytest.fixture
async def keeping(database: Database, sealer: Sealer, door: Door) -> AsyncIterator[aiohttp.ClientSession]:
    """The same on both databases."""
    async with _start(database, sealer, door) as session:
        yield session


@pytest.fixture
async def second(database: Database, sealer: Sealer) -> AsyncIterator[aiohttp.ClientSession]:
    """Another server over the same database, with nothing shared but that; its door stands open."""
    door = Door()
    door.open.set()
    async with _start(database, sealer, door) as session:
        yield session
