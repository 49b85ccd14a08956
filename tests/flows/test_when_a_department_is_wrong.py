"""A department says what cannot be: nothing is lost, nobody else waits, and an officer decides what becomes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mobile_api.journey.client import Client
from tests.support.wholetown import Town, application_for


@pytest.fixture(autouse=True)
async def _nobody_answers(town: Town) -> None:
    await town.departments.pause()


async def said(town: Town, case: dict[str, Any], sequence: int, kind: str, **data: Any) -> None:
    """An answer of MZ about a case, as its system writes it into the stream."""
    row = await town.stores.office.database.one("SELECT id FROM task WHERE case_id = $1 AND department = 'MZ'", case["id"])
    assert row
    envelope = {
        "specversion": "1.0", "id": f"{kind}-{sequence}", "source": "/departments/MZ", "type": f"cn.gov.town.{kind}.v1",
        "subject": f"case/{case['number']}", "partitionkey": case["id"], "sequence": sequence,
        "data": {"case": case["number"], "task": row["id"], **data},
    }  # fmt: skip
    line = await town.stores.office.database.one("SELECT partition FROM case_line WHERE case_id = $1", case["id"])
    assert line
    await town.stores.redis.commands.xadd(f"a:{{MZ.{line['partition']}}}", {"e": json.dumps(envelope).encode()})


async def waiting(town: Town, officer: Client) -> list[dict[str, Any]]:
    async def look() -> list[dict[str, Any]]:
        return (await officer.call("GET", "/exchange/set-aside", params={"department": "MZ"}))["items"]

    return await town.until(look, "a message that waits for an officer")


EARLY = {"procedure": "专家评审", "reason": "需要评审"}  # a special procedure stops a clock, and before acceptance none runs


async def test_a_suspension_before_acceptance_is_set_aside_and_an_officer_skips_it(town: Town):
    resident, officer = await town.resident("zhang"), await town.staff("officer", "MZ")
    case = await resident.call("POST", "/cases", json=await application_for(resident, "MZ-03"), key="first", expect=(201,))
    await said(town, case, 1, "task.suspended", **EARLY)
    await said(town, case, 2, "task.accepted")

    (message,) = await waiting(town, officer)
    detail = await officer.call("GET", f"/exchange/set-aside/{message['id']}")
    await officer.call("POST", f"/exchange/set-aside/{message['id']}/skip", json={"reason": "部门操作顺序有误"}, expect=(204,))

    assert (message["case_number"], message["sequence"], message["kind"]) == (case["number"], 1, "poison")
    assert "task.suspended" in detail["text"]
    await town.follow(resident, case["id"], until="case.accepted")  # what came after it was not held up
    assert (await officer.call("GET", "/exchange/set-aside"))["items"] == []


async def test_what_still_cannot_be_says_why_and_is_taken_in_once_its_time_has_come(town: Town):
    resident, officer = await town.resident("zhang"), await town.staff("officer", "MZ")
    case = await resident.call("POST", "/cases", json=await application_for(resident, "MZ-03"), key="first", expect=(201,))
    await said(town, case, 1, "task.suspended", **EARLY)
    (message,) = await waiting(town, officer)
    again = f"/exchange/set-aside/{message['id']}/replay"

    status, problem = await officer.raw("POST", again, json={"reason": "再试一次"})
    await said(town, case, 2, "task.accepted")
    await town.follow(resident, case["id"], until="case.accepted")

    assert (status, problem["code"]) == (409, "message_still_fails")
    assert (await officer.call("POST", again, json={"reason": "现在可以了"}))["messages"] == 1
    assert (await officer.call("GET", "/exchange/set-aside"))["items"] == []


async def test_nobody_else_reads_or_settles_what_a_department_said(town: Town):
    resident, stranger, clerk = await town.resident("zhang"), await town.staff("officer", "GA"), await town.staff("clerk")
    case = await resident.call("POST", "/cases", json=await application_for(resident, "MZ-03"), key="first", expect=(201,))
    await said(town, case, 1, "task.suspended", **EARLY)
    (message,) = await waiting(town, await town.staff("officer", "MZ"))

    for act in ("replay", "skip"):
        status, _ = await stranger.raw("POST", f"/exchange/set-aside/{message['id']}/{act}", json={"reason": "试试"})
        assert status == 404
    assert (await stranger.raw("GET", f"/exchange/set-aside/{message['id']}"))[0] == 404
    assert (await clerk.raw("GET", "/exchange/set-aside"))[0] == 403
