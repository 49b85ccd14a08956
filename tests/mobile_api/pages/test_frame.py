"""What holds for all pages: how often one may try to log in, and what people see of an error of ours."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from handlers.office import Office
from mobile_api import pages
from mobile_api.pages import start
from mobile_api.pages.rendering import STATIC
from mobile_api.pages.table import PAGES
from mobile_api.web.frame import FrameOptions, install
from mobile_api.web.keys import OFFICE
from mobile_api.web.pace import ANONYMOUS_SHARE, Pace
from mobile_api.web.server import serving
from storage.bell import Bell
from storage.redis import RedisStore
from tests.conftest import OpenDatabase
from tests.mobile_api.pages.plainforms import Visitor
from tests.support.office import open_office

SLOW = FrameOptions(paces={"login": Pace(1 / ANONYMOUS_SHARE, 1)})


@pytest.fixture
async def office(sqlite_url: str, open_database: OpenDatabase, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(await open_database(sqlite_url), bell, store, tmp_path)


@pytest.fixture
async def visitor(office: Office) -> AsyncIterator[Visitor]:
    """Somebody at the pages of a server that lets an address try 20 log-ins at once."""
    app = web.Application()
    app[OFFICE], app[start.TLS], app[start.DEMO] = office, True, False
    install(app, [], {}, SLOW)
    pages.install(app, PAGES, SLOW)
    async with AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(serving(app))
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)))
        yield Visitor(base_url, session)


async def test_an_address_that_tries_many_passwords_has_to_wait(visitor: Visitor):
    attempts = [await visitor.log_in("nobody", "guess") for _ in range(ANONYMOUS_SHARE)]

    refused = await visitor.ask("POST", "/login", data={"username": "nobody", "password": "guess"})

    assert {seen.status for seen in attempts} == {401}
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "秒后再试" in refused.text


async def test_a_real_town_has_no_pretend_wechat_and_no_pretend_residents(visitor: Visitor):
    config = json.loads((await visitor.visit("/m/config.json")).html)
    assert (config["demo"], config["pretend_wechat"], config["demo_residents"]) == (False, "", [])


async def test_an_error_of_ours_is_a_page_with_a_number_to_quote(visitor: Visitor, office: Office):
    await office.database.execute("DROP TABLE session")

    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"Cookie": f"staff=p.{'0' * 36}.{'x' * 43}", "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    seen = await visitor.visit("/desk", headers=headers)

    assert seen.status == 500
    assert seen.headers["Content-Type"].startswith("text/html")
    assert trace in seen.text


async def test_demo_accounts_are_shown_in_a_demonstration_only(visitor: Visitor):
    assert "demo-clerk" not in (await visitor.visit("/login")).html


async def test_the_residents_page_keeps_its_policy_when_it_is_not_sent_again(visitor: Visitor):
    if not (STATIC / "m" / "index.html").exists():
        pytest.skip("the residents' page is not built: python miniprogram/build.py")
    first = await visitor.visit("/m/")

    again = await visitor.visit("/m/", headers={"If-None-Match": first.headers["ETag"]})

    assert (first.status, again.status) == (200, 304)
    assert first.headers["Content-Security-Policy"] == again.headers["Content-Security-Policy"]
    assert "script-src 'self'" in again.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["..%2f..%2findex.html", "..%5cindex.html", ".hidden", "nothing.js"])
async def test_only_assets_are_served_as_assets(visitor: Visitor, name: str):
    seen = await visitor.visit(f"/m/assets/{name}")

    assert seen.status == 404
