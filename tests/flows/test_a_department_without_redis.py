"""A department reads its messages by position over HTTPS, with the program that a stranger would copy: examples/department_pull.mjs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from backoffice import partner_keys
from mobile_api.app import wechat_platform
from mobile_api.commands.serve import api, bridge
from mobile_api.composition import Stores, open_stores
from mobile_api.journey.client import Client
from storage.valkey import EmbeddedValkey
from tests.support.partners import node
from tests.support.processes import ROOT, Process, running, until
from tests.support.wechat import Platform
from tests.support.wholetown import Departments, Town, application_for, settings_for, tables_linked

ITEM, DEPARTMENT = "SJ-03", "SJ"  # an item that one department decides alone
EXAMPLE = ROOT / "examples" / "department_pull.mjs"


@dataclass
class Place:
    """A town one of whose departments is connected by pull, a Redis that can be switched off, and the department's program."""

    town: Town
    stores: Stores
    redis: EmbeddedValkey
    program: Process
    state: Path

    async def apply(self, resident: Client, key: str) -> str:
        """Submit an application; the case's id."""
        body = await application_for(resident, ITEM)
        case = await resident.call("POST", "/cases", json=body, key=key, expect=(201,))
        return str(case["id"])

    async def count(self, sql: str) -> int:
        """One number from the database."""
        row = await self.stores.office.database.one(sql)
        assert row is not None
        return int(row["number"])

    async def is_settled(self) -> bool:
        """Whether everything that was sent is confirmed."""
        return await self.count("SELECT count(*) AS number FROM outbox WHERE confirmed_at IS NULL") == 0

    def taken_in(self) -> int:
        """How many messages the program says it has taken in, over all its lives."""
        return self.program.said().count("taken in")

    async def completed(self, resident: Client, case_id: str) -> list[str]:
        """The types of a case's events, once it is completed."""
        events = await self.town.follow(resident, case_id, until="case.completed")
        return [event["type"] for event in events if event["case"]["id"] == case_id]


@asynccontextmanager
async def open_place(database_url: str, platform: Platform, folder: Path) -> AsyncIterator[Place]:
    redis = EmbeddedValkey(folder / "valkey")
    settings = settings_for(database_url, await redis.start(), platform.base_url, folder)
    tables = tables_linked(folder, **{DEPARTMENT: "pull"})
    settings = msgspec.structs.replace(settings, town=msgspec.structs.replace(settings.town, tables=str(tables)))
    try:
        async with open_stores(settings) as stores, aiohttp.ClientSession() as http:
            wechat = wechat_platform(http, settings, stores.office, stores.office.fleeting)
            key, secret = await partner_keys.add_hmac_key(stores.office, DEPARTMENT)
            async with bridge(stores), api(stores, wechat, 0) as port:
                url = f"http://127.0.0.1:{port}"
                told = {"TOWN_URL": url, "EXCHANGE_KEY": key, "EXCHANGE_SECRET": secret, "STATE_FILE": str(folder / "department.json")}
                program = Process("department_pull", [str(EXAMPLE)], told, folder, program=node())
                yield Place(Town(url, stores, http, platform, Departments("", folder)), stores, redis, program, folder / "department.json")
    finally:
        await redis.stop()


@pytest.fixture
async def place(database_url: str, platform: Platform, tmp_path: Path) -> AsyncIterator[Place]:
    async with open_place(database_url, platform, tmp_path) as opened:
        yield opened


async def test_the_example_takes_a_case_from_acceptance_to_decision_and_fetches_its_files(place: Place) -> None:
    resident = await place.town.resident("zhang")

    async with running(place.program):
        case_id = await place.apply(resident, "first")
        types = await place.completed(resident, case_id)
        await until(place.is_settled, "the last confirmation")

    photos = sum(len(one["uploads"]) for one in (await application_for(resident, ITEM))["materials"])
    assert [types.count(f"case.{act}") for act in ("accepted", "decided", "completed")] == [1, 1, 1]
    assert await place.count("SELECT count(*) AS number FROM audit WHERE action = 'file.fetched'") == 2 * photos  # to accept, and to decide
    assert await place.count("SELECT count(*) AS number FROM set_aside") == 0


async def test_it_goes_on_without_redis(place: Place) -> None:
    resident = await place.town.resident("zhang")
    await place.redis.stop()

    async with running(place.program):
        types = await place.completed(resident, await place.apply(resident, "without"))

    assert types.count("case.decided") == 1


async def test_a_case_that_was_long_over_when_it_came_back_holds_up_no_other(place: Place) -> None:
    resident = await place.town.resident("zhang")
    gone = await place.apply(resident, "first")
    await resident.call("POST", f"/cases/{gone}/withdraw", json={"reason": "不办了"}, key="gone")
    await place.stores.office.database.execute("UPDATE file_grant SET expires_at = created_at")  # as after a week and more

    async with running(place.program):
        types = await place.completed(resident, await place.apply(resident, "second"))

    assert types.count("case.decided") == 1
    assert "can no longer be had" in place.program.said()


async def test_set_back_to_the_beginning_it_skips_what_it_knows(place: Place) -> None:
    resident = await place.town.resident("zhang")
    async with running(place.program):
        await place.completed(resident, await place.apply(resident, "first"))
        await until(place.is_settled, "the last confirmation")
    state = json.loads(place.state.read_text())
    place.state.write_text(json.dumps({**state, "next": 0, "confirmed": 0}))

    async with running(place.program):
        types = await place.completed(resident, await place.apply(resident, "second"))

    assert types.count("case.decided") == 1
    assert place.taken_in() == 4  # two messages a case, none of them twice
    assert await place.count("SELECT count(*) AS number FROM set_aside") == 0


async def test_killed_after_every_message_it_loses_and_doubles_nothing(place: Place) -> None:
    resident = await place.town.resident("zhang")
    cases = [await place.apply(resident, f"case-{n}") for n in range(3)]

    await place.program.start()
    try:
        for message in range(1, 2 * len(cases) + 1):  # each case is asked to be accepted, then to be decided
            await until(_more(place, message), f"message {message}")
            await place.program.kill()
            await place.program.start()
        for case_id in cases:
            types = await place.completed(resident, case_id)
            assert [types.count(f"case.{act}") for act in ("accepted", "decided", "completed")] == [1, 1, 1]
        await until(place.is_settled, "the last confirmation")
    finally:
        await place.program.kill()

    assert await place.count("SELECT count(*) AS number FROM set_aside") == 0, await _reasons(place)


def _more(place: Place, message: int) -> Callable[[], bool | Awaitable[bool]]:
    return lambda: place.taken_in() >= message


async def _reasons(place: Place) -> list[Any]:
    return await place.stores.office.database.rows("SELECT reason FROM set_aside")
