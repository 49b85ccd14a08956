"""A whole town in one test: the server on a real port, the WeChat stand-in, and departments over real Redis."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import msgspec

from config.settings import Settings, load
from handlers import staff
from mobile_api import sweeps
from mobile_api.app import wechat_platform
from mobile_api.commands.serve import api, bridge, notifier
from mobile_api.composition import Stores, open_stores
from mobile_api.journey.client import Client
from mobile_api.journey.sample import fill_form, photo
from sandbox.departments import Play, from_tables, play
from tests.support.contract import breaches
from tests.support.office import sample_tables
from tests.support.wechat import TEMPLATES, Platform

T = TypeVar("T")

TABLES = Path(__file__).resolve().parents[2] / "config"
PASSWORD = "a-password-for-tests"
PATIENCE = 30.0


class Departments:
    """Every department's own system, which can be told to rest or to misbehave."""

    def __init__(self, redis_url: str, folder: Path) -> None:
        self._redis_url = redis_url
        self._book = folder / "departments.db"
        self._faults: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None

    async def go_on(self) -> None:
        """Work."""
        wanted = Play(from_tables(TABLES / "departments"), delay=0.0, resend=1.0, faults=self._faults, seed=1)
        self._task = asyncio.create_task(play(self._redis_url, self._book, wanted))

    async def pause(self) -> None:
        """Be out for lunch, all of them."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def misbehave(self, **rates: float) -> None:
        """Go on with these faults (sandbox.department_ways.FAULTS)."""
        await self.pause()
        self._faults = rates
        await self.go_on()


class Town:
    """What a test can do with a town from outside, and how it looks behind the curtain."""

    def __init__(self, base_url: str, stores: Stores, http: aiohttp.ClientSession, platform: Platform, departments: Departments) -> None:
        self.base_url = base_url
        self.stores = stores
        self.departments = departments
        self._http = http
        self.wechat_url = platform.base_url
        self._platform = platform

    def anyone(self) -> Client:
        """Somebody who is not logged in."""
        return Client(self._http, self.base_url, PATIENCE)

    async def resident(self, user: str) -> Client:
        """A resident, logged in with WeChat."""
        client = self.anyone()
        await client.log_in(user)
        return client

    async def staff(self, role: str, department: str = "") -> Client:
        """A member of staff, logged in."""
        name = f"{role}{department}".lower()
        await staff.add(
            self.stores.office, username=name, name="李窗口", role=role, password=PASSWORD, department=department, hall="便民服务大厅"  # type: ignore[arg-type]
        )  # fmt: skip
        client = self.anyone()
        await client.log_in_staff(name, PASSWORD)
        return client

    async def follow(self, resident: Client, case_id: str, until: str) -> list[dict[str, Any]]:
        """The account's events up to the first of type `until` about the case."""
        events: list[dict[str, Any]] = []
        async with asyncio.timeout(PATIENCE):
            while not any(event["type"] == until and event["case"]["id"] == case_id for event in events):
                since = str(events[-1]["n"] if events else 0)
                events += (await resident.call("GET", "/sync", params={"since": since, "timeout": "10"}))["events"]
        return events

    async def until(self, look: Callable[[], Awaitable[T]], wanted: str) -> T:
        """Look again and again until there is something to see."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not (seen := await look()):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"{wanted} did not come within {PATIENCE:.0f} s") from None
        return seen

    async def consent(self, user: str) -> None:
        """The resident allows every kind of message."""
        for name in TEMPLATES.by_name:  # one dialog each: WeChat does not mix kinds in one
            await self._platform.tap(user, **{name: "accept"})
        client = await self.resident(user)
        results = {template.template_id: "accept" for template in TEMPLATES.by_name.values()}
        await client.call("POST", "/subscriptions", json={"results": results})

    async def wechat_messages(self, user: str) -> list[dict[str, Any]]:
        """What arrived on the phone by WeChat."""
        return await self._platform.messages(user)

    async def wechat_down(self) -> None:
        """The platform answers nothing but errors."""
        await self._platform.fault("down")

    async def wechat_up(self) -> None:
        """The platform works again."""
        await self._platform.heal()

    async def something_in_redis(self) -> bool:
        """Whether any stream to a department holds a message."""
        keys = [key async for key in self.stores.redis.commands.scan_iter("q:*")]
        return any([await self.stores.redis.commands.xlen(key) for key in keys])

    async def empty_redis(self) -> None:
        """Lose everything that Redis holds."""
        await self.stores.redis.commands.flushall()


async def application_for(resident: Client, code: str) -> dict[str, Any]:
    """A complete application: the form filled by its rules, a photo for every material that is asked for."""
    guide = await resident.call("GET", f"/items/{code}")
    rules = [rule for rule in guide["materials"] if rule["required"] and rule["source"] == "upload"]
    materials = [{"material": rule["code"], "uploads": [await photograph(resident, rule["code"])]} for rule in rules]
    return {"item": code, "form": fill_form(guide["form"]["fields"]), "materials": materials, "submit": True}


async def photograph(resident: Client, name: str) -> str:
    """Photograph a paper and upload it; the id of the upload."""

    def form() -> aiohttp.FormData:
        data = aiohttp.FormData()
        data.add_field("file", photo(name, 320, 240), filename=f"{name}.jpg", content_type="image/jpeg")
        return data

    upload = await resident.call("POST", "/uploads/simple", data=form, expect=(201,))
    return str(upload["id"])


def settings_for(database_url: str, valkey_url: str, wechat_url: str, folder: Path) -> Settings:
    """Settings of a town that lives in a folder of a test."""
    return load(
        None,
        {
            "MOBILE_API_DATABASE__URL": database_url,
            "MOBILE_API_REDIS__URL": valkey_url,
            "MOBILE_API_FILES__URL": f"file://{folder / 'files'}",
            "MOBILE_API_SECRETS__DIR": str(folder / "secrets"),
            "MOBILE_API_WECHAT__BASE_URL": wechat_url,
            "MOBILE_API_HTTP__PACE_FACTOR": "0",
            "MOBILE_API_EXCHANGE__RESEND_SECONDS": "1",
            "MOBILE_API_NOTIFY__POLL_SECONDS": "0.1",
            "MOBILE_API_DEMO__ENABLED": "true",
        },
    )


def tables_linked(folder: Path, **links: str) -> Path:
    """The sample town's tables in a folder of their own, with some departments linked another way: `MZ="pull"`."""
    tables = Path(shutil.copytree(TABLES, folder / "tables", ignore=shutil.ignore_patterns("__pycache__", "*.py")))
    for department, link in links.items():
        file = tables / "departments" / f"{department}.toml"
        text, changed = re.subn(r'(?m)^link = "queue"', f'link = "{link}"', file.read_text(encoding="utf-8"))
        assert changed == 1
        file.write_text(text, encoding="utf-8")
    return tables


@asynccontextmanager
async def open_town(
    database_url: str, valkey_url: str, platform: Platform, folder: Path, tables: Path | None = None
) -> AsyncIterator[Town]:
    """Everything running, and closed at the end; on the sample town's tables if no others are named."""
    settings = settings_for(database_url, valkey_url, platform.base_url, folder)
    if tables is not None:
        settings = msgspec.structs.replace(settings, town=msgspec.structs.replace(settings.town, tables=str(tables)))
    read = sample_tables() if tables is None else None
    async with open_stores(settings, tables=read) as stores, aiohttp.ClientSession() as http:
        wechat = wechat_platform(http, settings, stores.office, stores.office.fleeting)
        departments = Departments(valkey_url, folder)
        async with sweeps.running(stores.office), notifier(stores, wechat), bridge(stores), api(stores, wechat, 0) as port:
            await departments.go_on()
            try:
                yield Town(f"http://127.0.0.1:{port}", stores, http, platform, departments)
                assert await breaches(stores.office) == []
            finally:
                await departments.pause()
