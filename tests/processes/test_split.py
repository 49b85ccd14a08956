"""One program, spread over several processes: carriers apart, and two servers behind one port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from tests.processes.conftest import MakeParts
from tests.support.processes import Parts, Process, answers, plays, running, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

TOGETHER = {"HTTP__REUSE_PORT": "true"}


@asynccontextmanager
async def open_town(parts: Parts, *servers: Process) -> AsyncIterator[None]:
    """The servers, and the world around them."""
    await parts.add_clerk()
    async with running(parts.wechat(), *servers, parts.departments()):
        await answers(f"{parts.base_url}/readyz")
        yield


def served(process: Process) -> int:
    """How many requests of the API a process has answered."""
    return process.said().count('"route":"/api/v1/')


async def both_answer(parts: Parts, servers: Sequence[Process]) -> None:
    """The kernel deals connections out to whoever listens: ask until each server has answered one."""

    async def asked() -> bool:
        await answers(f"{parts.base_url}/healthz")
        return all('"route":"/healthz"' in server.said() for server in servers)

    await until(asked, "an answer of both servers")


async def test_api_bridge_notifier_and_clock_may_be_processes_of_their_own(postgres_url: str, valkey_url: str, parts: MakeParts):
    town = parts(postgres_url, valkey_url)
    carriers = [town.server(only) for only in ("api", "bridge", "notifier", "clock")]

    async with open_town(town, *carriers):
        said = await plays(town.journey())

    assert said.splitlines()[-1] == "All steps held."
    assert served(carriers[0]) > 0
    assert not any(served(carrier) for carrier in carriers[1:])


async def test_two_servers_share_one_port(database_url: str, valkey_url: str, parts: MakeParts):
    town = parts(database_url, valkey_url)
    twins = [town.server(name=name, **TOGETHER) for name in ("first", "second")]

    async with open_town(town, *twins):
        await both_answer(town, twins)
        said = await plays(town.journey("--count", "8", "--quiet"))
        assert all(served(twin) > 0 for twin in twins)

    assert said.splitlines()[-1] == "All steps held."


async def test_one_of_two_servers_dies_in_the_middle_and_no_journey_notices(database_url: str, valkey_url: str, parts: MakeParts):
    town = parts(database_url, valkey_url)
    twins = [town.server(name=name, **TOGETHER) for name in ("first", "second")]

    async with open_town(town, *twins):
        await both_answer(town, twins)
        journey = town.journey("--count", "8")
        await journey.start()
        await until(lambda: journey.said().count("applied: case") >= 4 and served(twins[0]) > 0, "half of the applications")
        await twins[0].kill()
        await until(lambda: journey.returncode is not None, "the end of the journeys", 90)

    assert journey.returncode == 0, journey.said()
