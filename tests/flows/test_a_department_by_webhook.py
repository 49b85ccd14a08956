"""A department beyond the inner network is called over HTTPS, signed and encrypted both ways, and answers when it is ready."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import aiohttp
import msgspec
import pytest
from aiohttp import web
from joserfc.jwk import KeySet, OKPKey

from backoffice import partner_keys
from mobile_api.app import wechat_platform
from mobile_api.commands.serve import api, bridge
from mobile_api.composition import Stores, open_stores
from mobile_api.journey.client import Client
from sandbox.department_book import Book
from sandbox.department_ways import Ways
from sandbox.webhook_answers import Answers
from sandbox.webhook_border import Border
from sandbox.webhook_receiver import Receiver
from tests.support.processes import free_port, until
from tests.support.wechat import Platform
from tests.support.wholetown import TABLES, Departments, Town, application_for, settings_for

ITEM, DEPARTMENT = "SJ-03", "SJ"  # an item that one department decides alone


@dataclass
class Place:
    """A town, and the department that it calls."""

    town: Town
    stores: Stores
    receiver: Receiver

    async def apply(self, resident: Client, key: str) -> str:
        """Submit an application; the case's id."""
        case = await resident.call("POST", "/cases", json=await application_for(resident, ITEM), key=key, expect=(201,))
        return str(case["id"])

    async def decided(self, resident: Client, case_id: str) -> list[str]:
        """The types of a case's events, once it is completed."""
        events = await self.town.follow(resident, case_id, until="case.completed")
        return [event["type"] for event in events if event["case"]["id"] == case_id]

    async def is_settled(self) -> bool:
        """Whether everything that was sent is confirmed."""
        return not await self.stores.office.database.rows("SELECT id FROM outbox WHERE confirmed_at IS NULL")


def tables_with_webhook(folder: Path, port: int) -> Path:
    """The sample town's tables, with one department beyond the border."""
    tables = shutil.copytree(TABLES, folder / "tables", ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    file = tables / "departments" / f"{DEPARTMENT}.toml"
    link = f'link = "webhook"\naddress = "http://127.0.0.1:{port}/webhook"\nborder = true'
    file.write_text(re.sub(r'(?m)^link = "queue"', link, file.read_text(encoding="utf-8")), encoding="utf-8")
    return Path(tables)


@asynccontextmanager
async def department(stores: Stores, url: str, port: int, folder: Path) -> AsyncIterator[Receiver]:
    """The department's program: it makes its keys, hands in the public halves and reads the town's."""
    key, secret = await partner_keys.add_hmac_key(stores.office, DEPARTMENT)
    signing, opening = OKPKey.generate_key("Ed25519"), OKPKey.generate_key("X25519")
    await partner_keys.add_public_key(stores.office, DEPARTMENT, "verify", signing.as_dict(private=False))
    await partner_keys.add_public_key(stores.office, DEPARTMENT, "encrypt", opening.as_dict(private=False))
    async with aiohttp.ClientSession() as http, http.get(f"{url}/.well-known/jwks.json") as answer:
        assert answer.content_type == "application/jwk-set+json"
        border = Border(KeySet.import_key_set(await answer.json(content_type=None)), signing, opening)
    book = Book(folder / "department.db")
    receiver = Receiver(DEPARTMENT, key, bytes.fromhex(secret), book, Ways("市监所", 0.0, 3600.0, {}, Random(1)), border, chance=Random(2))
    runner = web.AppRunner(receiver.application(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    answers = asyncio.create_task(Answers(DEPARTMENT, url, key, bytes.fromhex(secret), book, resend=1.0, border=border).run())
    try:
        yield receiver
    finally:
        answers.cancel()
        await asyncio.gather(answers, return_exceptions=True)
        await runner.cleanup()
        book.close()


@pytest.fixture
async def place(database_url: str, valkey_url: str, platform: Platform, tmp_path: Path) -> AsyncIterator[Place]:
    port = free_port()
    settings = settings_for(database_url, valkey_url, platform.base_url, tmp_path)
    settings = msgspec.structs.replace(
        settings, town=msgspec.structs.replace(settings.town, tables=str(tables_with_webhook(tmp_path, port)))
    )
    async with open_stores(settings) as stores, aiohttp.ClientSession() as http:
        wechat = wechat_platform(http, settings, stores.office, stores.office.fleeting)
        async with api(stores, wechat, 0) as served, bridge(stores):
            url = f"http://127.0.0.1:{served}"
            async with department(stores, url, port, tmp_path) as receiver:
                yield Place(Town(url, stores, http, platform, Departments("", tmp_path)), stores, receiver)


async def test_a_case_is_accepted_and_decided_across_the_border(place: Place) -> None:
    resident = await place.town.resident("zhang")

    types = await place.decided(resident, await place.apply(resident, "first"))

    assert [types.count(f"case.{act}") for act in ("accepted", "decided", "completed")] == [1, 1, 1]
    await until(place.is_settled, "the last confirmation")
    assert await place.stores.office.database.rows("SELECT id FROM set_aside") == []


async def test_a_line_that_breaks_after_the_message_was_taken_doubles_nothing(place: Place) -> None:
    resident = await place.town.resident("zhang")
    place.receiver.faults = {"reset": 1.0}

    case_id = await place.apply(resident, "cut")

    async def came() -> bool:
        return bool(place.receiver.arrivals)

    await until(came, "the first delivery")
    place.receiver.faults = {}
    types = await place.decided(resident, case_id)
    assert [types.count(f"case.{act}") for act in ("accepted", "decided", "completed")] == [1, 1, 1]
    await until(place.is_settled, "the last confirmation")
    ids = [message_id for _, _, message_id in place.receiver.arrivals]
    assert ids[0] in ids[1:]


async def test_what_is_not_protected_is_refused_at_the_door_in_words(place: Place) -> None:
    plain = Answers(DEPARTMENT, place.town.base_url, place.receiver.key_id, place.receiver.secret, place.receiver.book)
    body = b'{"messages":[{"id":"1"}]}'
    async with aiohttp.ClientSession() as http:
        headers = {"Content-Type": "application/json", **plain.signed(body)}
        async with http.post(f"{place.town.base_url}/exchange/v1/messages", data=body, headers=headers) as answer:
            problem = await answer.json()
    assert (answer.status, problem["code"]) == (422, "border_unreadable")
    assert "没有加密" in problem["detail"]
