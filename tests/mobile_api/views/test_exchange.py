from __future__ import annotations

import re

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.flows.conftest import platform, town
from tests.support.wholetown import Town, application_for

__all__ = ["platform", "town"]

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@sqlite_only
async def test_a_supervisor_sees_what_waits_for_a_department_and_what_was_carried(town: Town):
    await town.departments.pause()
    resident, supervisor = await town.resident("zhang"), await town.staff("supervisor")
    await resident.call("POST", "/cases", json=await application_for(resident, "MZ-01"), key="first", expect=(201,))

    async def unconfirmed() -> dict[str, object] | None:
        found = await supervisor.call("GET", "/exchange/departments")
        assert found["is_redis_there"] is True
        return next((one for one in found["items"] if one["department"] == "MZ" and one["unconfirmed"] and one["counts"]["sent"]), None)

    waiting = await town.until(unconfirmed, "the message in the figures")
    assert (waiting["unconfirmed"], waiting["unsent"], waiting["link"], waiting["state"]) == (1, 0, "queue", "working")
    assert sum(lane["commands"]["entries"] for lane in waiting["lanes"]) == 1
    assert waiting["counts"]["sent"] == 1

    async with aiohttp.ClientSession(town.base_url) as http, http.get("/metrics") as response:
        text = await response.text()
    assert 'mobile_api_exchange_unconfirmed{department="MZ"} 1.0' in text
    assert 'mobile_api_exchange_messages_total{department="MZ",what="sent"} 1.0' in text
    assert re.search(r'mobile_api_exchange_stream_entries\{department="MZ",partition="\d",stream="commands"\} 1.0', text)
    assert "mobile_api_exchange_redis_up 1.0" in text
    names = [family.name for family in text_string_to_metric_families(text)]
    assert len(names) == len(set(names))


@sqlite_only
async def test_a_clerk_does_not_see_it_and_a_resident_least_of_all(town: Town):
    for somebody in (await town.staff("clerk"), await town.resident("zhang")):
        status, problem = await somebody.raw("GET", "/exchange/departments")
        assert (status, problem["code"]) == (403, "forbidden")
