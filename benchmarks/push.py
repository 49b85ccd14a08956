"""From a department's decision to the frame at the phone, with nobody else there and with 1,000 other phones connected.

Measured from before the department's XADD to the frame in the client's hands: the inbox's read, the transaction and its commit, the
bell, the look at the account's line and the socket are all in it, so the time from the commit is shorter.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import resource
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
from redis import asyncio as aioredis

from backoffice.lanes import answers_key
from benchmarks.machine import Server, cores, town_server
from benchmarks.result import Result
from benchmarks.town import Place, Resident, application, nobody_waits, place, settle_in
from handlers import cases, procedure
from handlers.actors import department_actor
from handlers.casefile import opened
from handlers.cases import Application
from handlers.office import Office
from mobile_api.web.server import run
from storage.ids import uuid7
from tests.support.apart import run_apart

ITEM, DEPARTMENT = "GA-05", "GA"
PHONES, SAMPLES, WARM_UP = 1000, 250, 50
IDLE_TARGET_MS, CROWD_TARGET_MS = 50, 100
WHOLE = "api,bridge,notifier,clock"
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that waits for its department's decision, and the stream for it."""

    case_id: str
    number: str
    task: str
    stream: str


def measure() -> Iterator[Result]:
    """The whole town in one process, on PostgreSQL."""
    _allow_sockets(2 * PHONES + 500)
    with place("postgres") as town:
        resident, others, waiting = run_apart(prepare(town))
        half = len(waiting) // 2
        with town_server(town.environment, cores()[0], town.folder / "log", WHOLE) as server:
            yield run(decisions(town, server, resident, [], waiting[:half], "push-idle", IDLE_TARGET_MS))
            yield run(decisions(town, server, resident, others, waiting[half:], f"push-{PHONES}-phones", CROWD_TARGET_MS))


async def decisions(
    town: Place, server: Server, resident: Resident, others: list[Resident], waiting: list[Waiting], name: str, target: float
) -> Result:
    """Decide case after case and time each frame."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        redis = await stack.enter_async_context(aioredis.Redis.from_url(town.environment["MOBILE_API_REDIS__URL"]))
        await stack.enter_async_context(_connected(http, server, others))
        phone = await stack.enter_async_context(_phone(http, server, resident))
        took = [await _decided(redis, phone, case) for case in waiting][WARM_UP:]
    p99 = round(statistics.quantiles(took, n=100)[98], 1)
    p50 = round(statistics.median(took), 1)
    return Result(name, p99, "ms p99", target=target, holds=p99 <= target, database="postgres", p50=p50, samples=len(took))


async def _decided(redis: aioredis.Redis, phone: aiohttp.ClientWebSocketResponse, case: Waiting) -> float:
    """Milliseconds from the department's decision to the phone's knowing of it."""
    await asyncio.sleep(random.uniform(0.005, 0.05))
    body = _decision(case)
    started = time.perf_counter()
    await redis.xadd(case.stream, {"e": body})
    async with asyncio.timeout(PATIENCE):
        while not _tells(await phone.receive(), case.case_id):
            pass
    return (time.perf_counter() - started) * 1000


def _decision(case: Waiting) -> bytes:
    envelope = {
        "specversion": "1.0",
        "id": uuid7(),
        "source": f"/departments/{DEPARTMENT}",
        "type": "cn.gov.town.task.decided.v1",
        "subject": f"case/{case.number}",
        "time": dt.datetime.now(dt.UTC),
        "datacontenttype": "application/json",
        "partitionkey": case.case_id,
        "sequence": 1,
        "data": {"case": case.number, "task": case.task, "result": "granted"},
    }
    return msgspec.json.encode(envelope)


def _tells(message: aiohttp.WSMessage, case_id: str) -> bool:
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise SystemExit(f"The socket ended: {message}")
    frame: dict[str, Any] = msgspec.json.decode(message.data)
    return any(event["type"] == "case.decided" and event["case"]["id"] == case_id for event in frame["events"])


@asynccontextmanager
async def _phone(http: aiohttp.ClientSession, server: Server, resident: Resident) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A phone that has everything up to now."""
    api, headers = f"http://127.0.0.1:{server.port}/api/v1", {"Authorization": f"Bearer {resident.token}"}
    async with http.get(f"{api}/inbox?limit=1", headers=headers) as answer:
        items = (await answer.json())["items"]
    async with http.ws_connect(f"{api}/stream?since={items[0]['n'] if items else 0}", headers=headers) as socket:
        await socket.receive()
        yield socket


@asynccontextmanager
async def _connected(http: aiohttp.ClientSession, server: Server, others: list[Resident]) -> AsyncIterator[None]:
    """Everybody's phone is connected, listens, and answers pings."""
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(_phone(http, server, one)) for one in others]
        listening = [asyncio.create_task(socket.receive()) for socket in sockets]
        try:
            yield
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)


async def prepare(town: Place) -> tuple[Resident, list[Resident], list[Waiting]]:
    """A resident whose cases wait for decisions, and other residents."""
    async with town.opened() as stores:
        office = stores.office
        [resident] = await settle_in(office, 1)
        wanted = msgspec.convert(await application(office, resident, ITEM), Application)
        waiting = [await _waiting(office, resident, wanted) for _ in range(2 * (SAMPLES + WARM_UP))]
        await office.database.execute("UPDATE outbox SET sent_at = $1, confirmed_at = $1", office.clock.now())  # the department has them
        return resident, await settle_in(office, PHONES), waiting


async def _waiting(office: Office, resident: Resident, wanted: Application) -> Waiting:
    view = await cases.apply(office, resident.id, wanted, nobody_waits)
    async with opened(office, view.id) as file:
        procedure.accept(file, department_actor(DEPARTMENT))
    task = next(task["id"] for task in file.tasks if task["step"] == "decide")
    line = await office.database.one("SELECT partition FROM case_line WHERE case_id = $1 AND department = $2", view.id, DEPARTMENT)
    assert line is not None  # noqa: S101
    return Waiting(view.id, str(view.number), task, answers_key((DEPARTMENT, line["partition"])))


def _allow_sockets(number: int) -> None:
    """Both ends of every socket are open files, of this process and of the server that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number if hard == resource.RLIM_INFINITY else min(number, hard), hard))
