from __future__ import annotations

import aiohttp
import pytest

from tests.flows.conftest import platform, town
from tests.support.wholetown import Town

__all__ = ["platform", "town"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_server_says_that_it_lives_is_ready_and_how_it_does(town: Town):
    async with aiohttp.ClientSession(town.base_url) as http:
        async with http.get("/healthz") as response:
            assert await response.json() == {"status": "ok"}
        async with http.get("/readyz") as response:
            assert (response.status, await response.json()) == (200, {"status": "ok", "database": True, "redis": True})
        async with http.get("/metrics") as response:
            assert "mobile_api_requests" in await response.text()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_references_are_served_offline(town: Town):
    async with aiohttp.ClientSession(town.base_url) as http:
        async with http.get("/api/v1/asyncapi.json") as response:
            assert (await response.json())["asyncapi"] == "3.0.0"
        async with http.get("/api/v1/openapi.json") as response:
            assert (await response.json())["openapi"].startswith("3.1")
        for address in ("/docs", "/docs/errors"):
            async with http.get(address) as response:
                text = await response.text()
                assert response.status == 200
                assert "http://" not in text.replace("http://127.0.0.1", "").replace("http://www.w3.org", "")
