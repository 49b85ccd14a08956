"""A real browser in front of a whole town. One Chromium for the session, one town for each file, a fresh context for each person.

Everything here lives in the session's event loop, so that the browser outlives a test; `BROWSER` marks the tests that need it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, async_playwright

from sandbox.wechat.app import make_app
from sandbox.wechat.world import World
from storage.valkey import EmbeddedValkey
from tests.browser.people import AXE, Person
from tests.support.wechat import Platform
from tests.support.wholetown import Town, open_town

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
)  # fmt: skip

Enter = Callable[..., Awaitable[Person]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The machine's own Chromium, without a screen."""
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    needed(program is not None, "no Chromium: apt-get install chromium")
    needed(AXE.exists(), "no axe-core: python miniprogram/build.py installs it")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=[*_FLAGS])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A whole town on SQLite with a Valkey of its own; its departments are out until a test lets them go on."""
    folder = tmp_path_factory.mktemp("town")
    shutil.copyfile(sqlite_template, folder / "town.db")
    valkey, world = EmbeddedValkey(folder / "valkey"), World()
    url = await valkey.start()
    async with TestServer(make_app(world)) as server, aiohttp.ClientSession() as http:
        platform = Platform(world, str(server.make_url("")).rstrip("/"), http)
        async with open_town(f"sqlite://{folder / 'town.db'}", url, platform, folder) as opened:
            await opened.departments.pause()
            yield opened
    await valkey.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def enter(chromium: Browser, town: Town) -> AsyncIterator[Enter]:
    """Makes people at a browser: `await enter(width=390, height=844)`; what went wrong in any of them fails the test at its end."""
    people: list[Person] = []

    async def one(**options: object) -> Person:
        people.append(await Person.begin(chromium, town, **options))
        return people[-1]

    yield one
    for person in people:
        await person.leave()
    assert not (trouble := [line for person in people for line in person.trouble]), trouble


def needed(there: object, reason: str) -> None:
    """Skip for this reason, or fail where everything has to be tested."""
    if there:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
