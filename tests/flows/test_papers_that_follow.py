"""Fast and fair over HTTP: a paper that is to follow, urgent aid before its papers, a promise that is checked, who goes first."""

from __future__ import annotations

from typing import Any

import pytest

from mobile_api.journey.client import Client
from tests.support.wholetown import Town, application_for, photograph

NAME = "张三"


@pytest.fixture(autouse=True)
async def _nobody_answers(town: Town) -> None:
    await town.departments.pause()


async def applied(resident: Client, item: str, without: str, **more: Any) -> tuple[int, dict[str, Any]]:
    """An application without one of its papers: status and answer."""
    body = await application_for(resident, item)
    body["materials"] = [one for one in body["materials"] if one["material"] != without] + more.pop("materials", [])
    status, answer = await resident.raw("POST", "/cases", json={**body, **more}, key=f"key-{sorted(more)}")
    return status, dict(answer)


async def signatures(resident: Client, kind: str) -> list[dict[str, str]]:
    """The text of a kind, read and signed."""
    texts = (await resident.call("GET", "/commitments"))["items"]
    return [{"version": one["version"], "signed_by": NAME} for one in texts if one["kind"] == kind]


async def act(client: Client, address: str, case_id: str, **body: Any) -> dict[str, Any]:
    """An act on the case as it stands."""
    current = await client.call("GET", f"/desk/cases/{case_id}")
    headers = {"If-Match": f'"v{current["version"]}"'}
    status, answer = await client.raw("POST", address.format(id=case_id), headers=headers, json=body or None)
    assert status == 200, answer
    return dict(answer)


async def test_a_paper_follows_against_a_signed_commitment(town: Town):
    resident, clerk = await town.resident("zhang"), await town.staff("clerk")
    status, problem = await applied(resident, "MZ-03", "hardship_proof")
    created, case = await applied(resident, "MZ-03", "hardship_proof", commitments=await signatures(resident, "tolerated"))
    await act(clerk, "/desk/cases/{id}/accept", case["id"])
    owing = await resident.call("GET", f"/cases/{case['id']}")
    paper = {"materials": [{"material": "hardship_proof", "uploads": [await photograph(resident, "proof")]}]}

    done = await resident.call("POST", f"/cases/{case['id']}/debts", json=paper, key="supply")

    assert (status, problem["code"], created) == (422, "commitment_unsigned", 201)
    assert (owing["owing"], owing["debts"][0]["due_on"]) == (True, owing["promised_on"])
    assert (done["owing"], done["debts"][0]["state"]) == (False, "supplied")
    await town.follow(resident, case["id"], until="case.papers_supplied")


async def test_urgent_aid_is_granted_before_its_paper_which_is_waived_in_the_end(town: Town):
    resident, clerk, approver = await town.resident("zhang"), await town.staff("clerk"), await town.staff("approver", "MZ")
    _, case = await applied(resident, "MZ-03", "hardship_proof", urgent={"reason": "房屋被烧毁"})
    await act(clerk, "/desk/cases/{id}/accept", case["id"])

    granted = await act(approver, "/desk/cases/{id}/urgent", case["id"], reason="先行救助")
    ledger = await approver.call("GET", "/desk/debts")
    status, problem = await approver.raw(
        "POST", f"/desk/cases/{case['id']}/revoke", headers={"If-Match": f'"v{granted["version"]}"'}, json={"reason": "未补"}
    )
    done = await act(approver, "/desk/cases/{id}/waive", case["id"], material="hardship_proof", reason="消防已出具证明")

    assert case["urgency"]["decide_by"] > case["urgency"]["asked_at"]
    assert (granted["state"], granted["decision"], granted["owing"]) == ("decided", "granted", True)
    assert [(one["case_id"], one["kind"], one["state"]) for one in ledger["items"]] == [(case["id"], "owed", "open")]
    assert (status, problem["code"]) == (409, "nothing_to_revoke")
    assert done["state"] == "completed"


async def test_a_broken_promise_is_on_record(town: Town):
    resident, clerk, officer = await town.resident("zhang"), await town.staff("clerk"), await town.staff("officer", "SF")
    promise = [{"material": "hardship", "commitment": True}]
    _, case = await applied(resident, "SF-01", "hardship", materials=promise, commitments=await signatures(resident, "commitment"))
    await act(clerk, "/desk/cases/{id}/accept", case["id"])

    checked = await act(officer, "/desk/cases/{id}/after-check", case["id"], material="hardship", result="broken", note="名下有房产")
    on_record = await officer.call("GET", "/desk/debts?shown=broken")

    assert checked["debts"][0]["state"] == "broken"
    assert [one["note"] for one in on_record["items"]] == ["名下有房产"]
    await town.follow(resident, case["id"], until="case.promise_broken")


async def test_a_clerk_puts_a_case_first(town: Town):
    resident, clerk = await town.resident("zhang"), await town.staff("clerk")
    _, case = await applied(resident, "SJ-03", "")

    first = await act(clerk, "/desk/cases/{id}/priority", case["id"], group="pregnant", evidence="出示孕产妇保健手册")

    assert first["priority"]["name"] == "孕产妇"
