"""Each part of the town away for a while: the others go on, and nobody has to do anything when it is back."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis import asyncio as aioredis

from mobile_api.journey.client import Client
from storage.valkey import EmbeddedValkey
from tests.processes.conftest import MakeParts
from tests.support.processes import Parts, answers, plays, running, until
from tests.support.wholetown import application_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


class Queues:
    """A Valkey at a fixed address, which comes and goes."""

    def __init__(self, folder: Path) -> None:
        self.url = f"unix://{folder / 'valkey.sock'}"
        self._folder = folder
        self._server: EmbeddedValkey | None = None

    async def come(self) -> None:
        """Start, with what was kept."""
        self._server = EmbeddedValkey(self._folder)
        assert await self._server.start() == self.url

    async def die(self) -> None:
        """kill -9."""
        async with aioredis.Redis.from_url(self.url) as redis:
            os.kill(int((await redis.info("server"))["process_id"]), signal.SIGKILL)
        await self.end()

    async def end(self) -> None:
        """Stop, or let go of what is dead."""
        if self._server is not None:
            await self._server.stop()
            self._server = None


@pytest.fixture
async def queues() -> AsyncIterator[Queues]:
    """Not running yet; the folder is a short one, for a socket's address must be."""
    with tempfile.TemporaryDirectory(prefix="queues-") as folder:
        queues = Queues(Path(folder))
        yield queues
        await queues.end()


@asynccontextmanager
async def resident(parts: Parts, user: str = "zhang", patience: float = 30.0) -> AsyncIterator[Client]:
    """A resident, logged in."""
    async with aiohttp.ClientSession() as http:
        client = Client(http, parts.base_url, patience)
        await client.log_in(user)
        yield client


async def applied(client: Client, key: str = "first") -> dict[str, Any]:
    """An application, acknowledged."""
    case: dict[str, Any] = await client.call("POST", "/cases", json=await application_for(client, "SJ-03"), key=key, expect=(201,))
    return case


async def decided(client: Client, case: dict[str, Any]) -> None:
    """Wait for the decision."""

    async def asked() -> bool:
        return bool((await client.call("GET", f"/cases/{case['id']}"))["decision"])

    await until(asked, "the decision", 40)


async def test_a_town_opens_without_its_queues_and_sends_what_waited_when_they_come(database_url: str, queues: Queues, parts: MakeParts):
    town = parts(database_url, queues.url)
    server = town.server()
    async with running(town.wechat(), server, town.departments()):
        await answers(f"{town.base_url}/readyz")
        async with resident(town) as client:
            case = await applied(client)
            assert case["state"] == "submitted"
            assert "going on without it" in server.said()

            await queues.come()

            await decided(client, case)


async def test_a_submission_while_the_queues_are_dead_leaves_later(database_url: str, queues: Queues, parts: MakeParts):
    await queues.come()
    town = parts(database_url, queues.url)
    async with running(town.wechat(), town.server(), town.departments()):
        await answers(f"{town.base_url}/readyz")
        async with resident(town) as client:
            before = await applied(client)
            await queues.die()
            meanwhile = await applied(client, "second")

            await queues.come()

            await decided(client, before)
            await decided(client, meanwhile)


async def test_the_embedded_queues_are_started_again_when_they_die(sqlite_url: str, parts: MakeParts):
    town = parts(sqlite_url, "embedded")
    server = town.server()
    async with running(town.wechat(), server):
        await answers(f"{town.base_url}/readyz")
        url = await _address(town)
        async with aioredis.Redis.from_url(url) as redis:
            pid = int((await redis.info("server"))["process_id"])
        os.kill(pid, signal.SIGKILL)
        await until(lambda: "it is started again" in server.said(), "the watch over Valkey")

        await town.add_clerk()
        async with running(town.departments(url)):
            said = await plays(town.journey("--quiet"))

    assert said.splitlines()[-1] == "All steps held."


async def test_while_wechat_is_dead_a_log_in_is_put_off_in_words_and_works_when_it_is_back(
    sqlite_url: str, valkey_url: str, parts: MakeParts
):
    town = parts(sqlite_url, valkey_url)
    wechat = town.wechat()
    async with running(wechat, town.server(), town.departments()):
        await answers(f"{town.base_url}/readyz")
        async with resident(town) as known:
            await wechat.kill()
            async with aiohttp.ClientSession() as http:
                stranger = Client(http, town.base_url, patience=0)
                status, problem = await stranger.raw("POST", "/auth/wechat", json={"code": "sandbox-li-once"})
            case = await applied(known)  # whoever is logged in does not notice

            await wechat.start()

            await decided(known, case)
            async with resident(town, "li") as back:
                assert back.token
    assert (status, problem["code"]) == (503, "unavailable")


async def test_departments_killed_in_the_middle_of_journeys_go_on_where_they_were(database_url: str, valkey_url: str, parts: MakeParts):
    town = parts(database_url, valkey_url)
    await town.add_clerk()
    departments = town.departments(delay=0.1)
    async with running(town.wechat(), town.server(), departments):
        await answers(f"{town.base_url}/readyz")
        journey = town.journey("--count", "4")
        await journey.start()
        for events in (6, 16, 30):
            await until(lambda events=events: journey.said().count("  event ") >= events or journey.returncode is not None, "events")  # type: ignore[misc]  # a default binds
            assert journey.returncode is None
            await departments.kill()
            await departments.start()
        await until(lambda: journey.returncode is not None, "the end of the journeys", 60)

    assert journey.returncode == 0, journey.said()
    assert departments.kills == 3


async def _address(parts: Parts) -> str:
    """Where the embedded Valkey of a town answers."""
    valkey = EmbeddedValkey(parts.folder / "valkey")
    url = await valkey.start()
    await valkey.stop()
    return url
