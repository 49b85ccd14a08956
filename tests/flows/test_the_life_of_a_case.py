"""The life of a case at the desk, over HTTP: stopped, extended, decided, posted, signed for; and sent up to the county."""

from __future__ import annotations

from typing import Any

import pytest

from mobile_api.journey.client import Client
from tests.support.wholetown import Town, application_for


@pytest.fixture(autouse=True)
async def _nobody_answers(town: Town) -> None:
    await town.departments.pause()


async def submitted(resident: Client, item: str, **more: Any) -> dict[str, Any]:
    """An application handed in."""
    application = await application_for(resident, item)
    return dict(await resident.call("POST", "/cases", json={**application, **more}, key="first", expect=(201,)))


ADDRESSES = {
    "accept": "/desk/cases/{id}/accept",
    "suspend": "/desk/cases/{id}/suspend",
    "resume": "/desk/cases/{id}/resume",
    "extend": "/desk/cases/{id}/extend",
    "approve": "/desk/cases/{id}/extend/approve",
    "refuse": "/desk/cases/{id}/extend/refuse",
    "forward": "/desk/cases/{id}/forward",
    "decide": "/desk/cases/{id}/decide",
    "deliver": "/desk/cases/{id}/deliver",
    "complete": "/desk/cases/{id}/complete",
}


async def act(client: Client, case_id: str, name: str, status: int = 200, **body: Any) -> dict[str, Any]:
    """An act on the case as it stands."""
    current = await client.call("GET", f"/desk/cases/{case_id}")
    headers = {"If-Match": f'"v{current["version"]}"'}
    seen, answer = await client.raw("POST", ADDRESSES[name].format(id=case_id), headers=headers, json=body or None)
    assert seen == status, answer
    return dict(answer)


async def test_stopped_extended_decided_and_handed_over(town: Town):
    resident, clerk = await town.resident("zhang"), await town.staff("clerk")
    officer, approver = await town.staff("officer", "SJ"), await town.staff("approver", "SJ")
    case = await submitted(resident, "SJ-01")
    await act(clerk, case["id"], "accept")

    stopped = await act(officer, case["id"], "suspend", procedure="现场勘验", reason="需到现场核实")
    await act(officer, case["id"], "resume", id=stopped["procedures"][0]["id"], result="符合要求")
    more = await officer.call("GET", f"/desk/cases/{case['id']}/particulars")
    await act(officer, case["id"], "extend", days=1, reason="资料较多")
    await act(approver, case["id"], "refuse", reason="可以按期办结")
    await act(officer, case["id"], "extend", days=1, reason="资料确实较多")
    longer = await act(approver, case["id"], "approve")
    due = await resident.call("GET", f"/cases/{case['id']}/due-dates")

    assert "现场勘验" in more["procedures"]
    assert longer["extensions"] == [{"days": 1, "granted_on": longer["extensions"][0]["granted_on"]}]
    assert due["legal"]["due_on"] == longer["legal_on"]
    assert any("经批准延长" in step["text"] for step in due["legal"]["steps"])


async def test_the_applicant_wants_the_result_at_the_counter_and_signs_for_it(town: Town):
    resident, clerk, approver = await town.resident("zhang"), await town.staff("clerk"), await town.staff("approver", "SJ")
    case = await submitted(resident, "SJ-03", delivery={"method": "counter"})
    await act(clerk, case["id"], "accept")

    decided = await act(approver, case["id"], "decide", result="granted", reason="符合条件")
    ready = await act(clerk, case["id"], "deliver", method="counter")
    done = await act(clerk, case["id"], "complete", signed_by="张三")
    seen = await resident.call("GET", f"/cases/{case['id']}")

    assert (decided["state"], ready["state"], done["state"]) == ("decided", "delivering", "completed")
    assert seen["delivery"]["delivered_at"] is not None
    await town.follow(resident, case["id"], until="case.completed")


async def test_what_the_county_does_not_decide_is_not_sent_up(town: Town):
    resident, clerk, officer = await town.resident("zhang"), await town.staff("clerk"), await town.staff("officer", "SJ")
    case = await submitted(resident, "SJ-03")
    await act(clerk, case["id"], "accept")

    refused = await act(officer, case["id"], "forward", 409, opinion="同意")

    assert refused["code"] == "not_for_the_county"
