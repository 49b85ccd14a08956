"""The pretend department behind a webhook keeps the contract, so that what works with it has met the contract."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from random import Random

import aiohttp
import pytest
from aiohttp import web

from backoffice.signatures import signed_headers
from sandbox.department_book import Book
from sandbox.department_ways import Ways
from sandbox.webhook_receiver import Receiver
from tests.support.processes import ROOT, Process, free_port, until

SECRET = b"s" * 32
COMMAND = {
    "specversion": "1.0",
    "id": "01a2",
    "source": "/town/130208108",
    "type": "cn.gov.town.task.withdrawn.v1",
    "subject": "case/2611240001",
    "partitionkey": "case-1",
    "sequence": 1,
    "data": {"case": "2611240001", "task": "task-1", "reason": ""},
}
BODY = json.dumps(COMMAND).encode()


async def call(
    http: aiohttp.ClientSession,
    url: str,
    body: bytes = BODY,
    *,
    minutes: float = 0.0,
    kind: str = "application/cloudevents+json",
    **headers: str,
) -> int:
    """Send a message as the town does, or not quite; the status."""
    at = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)
    signed = {**signed_headers(SECRET, "key-1", "POST", "/webhook", BODY, at), "Content-Type": kind, **headers}
    async with http.post(f"{url}/webhook", data=body, headers=signed) as answer:
        return answer.status


class Department:
    """The receiver, and how it is called."""

    def __init__(self, receiver: Receiver, url: str, http: aiohttp.ClientSession) -> None:
        self.receiver = receiver
        self.url = url
        self.call = partial(call, http, url)


@pytest.fixture
async def department(tmp_path: Path) -> AsyncIterator[Department]:
    receiver = Receiver("MZ", "key-1", SECRET, Book(tmp_path / "mz.db"), Ways("民政办", 0.0, 3600.0, {}, Random(1)))
    runner = web.AppRunner(receiver.application(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        yield Department(receiver, f"http://127.0.0.1:{runner.addresses[0][1]}", http)
    await runner.cleanup()
    receiver.book.close()


async def test_a_signed_message_is_kept_and_a_repeated_one_changes_nothing(department: Department):
    assert [await department.call(), await department.call()] == [204, 204]
    assert department.receiver.book.received("MZ", "case-1") == 1
    assert len(department.receiver.arrivals) == 2


async def test_what_is_not_signed_by_the_town_now_and_for_this_is_refused(department: Department):
    assert await department.call(b"{}") == 401
    assert await department.call(minutes=-6) == 401
    assert await department.call(minutes=6) == 401
    assert await department.call(**{"X-Exchange-Key": "key-2"}) == 401
    assert await department.call(**{"X-Exchange-Signature": "0" * 64}) == 401
    once = {"X-Exchange-Nonce": "n" * 32}
    assert await department.call(**once) == 401  # signed for another nonce
    assert department.receiver.arrivals == []


async def test_the_same_request_is_let_in_once(department: Department):
    headers = signed_headers(SECRET, "key-1", "POST", "/webhook", BODY, dt.datetime.now(dt.UTC))
    assert [await department.call(**headers), await department.call(**headers)] == [204, 401]


async def test_without_border_keys_a_protected_message_is_not_understood(department: Department):
    assert await department.call(kind="application/jose") == 400


async def test_faults_are_set_while_it_runs(department: Department):
    async with aiohttp.ClientSession() as http:
        await http.post(f"{department.url}/faults", json={"error": 1, "no-such-fault": 1})
        assert department.receiver.faults == {"error": 1.0}
        assert await department.call() == 500
        await http.post(f"{department.url}/faults", json={})
    assert await department.call() == 204


async def test_the_command_of_the_how_to_starts_it_and_says_where_it_listens(tmp_path: Path):
    port = free_port()
    words = [
        "--town",
        "http://127.0.0.1:9",
        "--code",
        "MZ",
        "--key-id",
        "key-1",
        "--secret",
        SECRET.hex(),
        "--data",
        str(tmp_path / "mz.db"),
    ]
    program = Process(
        "receiver", ["-m", "sandbox.webhook_receiver", *words, "--port", str(port)], {}, tmp_path, program=sys.executable, home=ROOT
    )
    await program.start()

    async def is_ready() -> bool:
        return f"http://127.0.0.1:{port}/webhook" in program.said()

    try:
        await until(is_ready, "the receiver")
        async with aiohttp.ClientSession() as http:
            assert await call(http, f"http://127.0.0.1:{port}") == 204
    finally:
        assert await asyncio.wait_for(program.stop(), 20) == 0
