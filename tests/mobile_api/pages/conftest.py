"""A town whose departments are out, so that every case waits for the people at the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.mobile_api.pages.plainforms import Visitor
from tests.support.wechat import Platform, platform
from tests.support.wholetown import PASSWORD, Town, open_town, tables_linked

__all__ = ["platform"]

BOTH = pytest.mark.parametrize("town", ["sqlite", "postgres"], indirect=True)

Staffed = Callable[..., Awaitable[Visitor]]


@pytest.fixture
async def town(request: pytest.FixtureRequest, valkey_url: str, platform: Platform, tmp_path: Path) -> AsyncIterator[Town]:
    """The town on SQLite, nobody at work in the departments; `BOTH` adds PostgreSQL, the mark `links(MZ="pull")` links departments."""
    database_url = request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_url")
    links = request.node.get_closest_marker("links")
    tables = tables_linked(tmp_path, **links.kwargs) if links else None
    async with open_town(database_url, valkey_url, platform, tmp_path, tables) as opened:
        await opened.departments.pause()
        yield opened


@pytest.fixture
async def anyone(town: Town) -> AsyncIterator[Callable[[], Visitor]]:
    """Makes visitors who are not logged in."""
    async with AsyncExitStack() as stack:

        def one() -> Visitor:
            session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
            stack.push_async_callback(session.close)
            return Visitor(town.base_url, session)

        yield one


@pytest.fixture
async def staff(town: Town, anyone: Callable[[], Visitor]) -> Staffed:
    """Makes members of staff who are logged in: `await staff("officer", "MZ")`."""

    async def one(role: str, department: str = "") -> Visitor:
        await town.staff(role, department)
        visitor = anyone()
        seen = await visitor.log_in(f"{role}{department}".lower(), PASSWORD)
        assert seen.status == 200, seen.text
        return visitor

    return one
