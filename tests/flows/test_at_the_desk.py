"""Officers and clerks do by hand what departments' systems do by message: the same verbs, the same history."""

from __future__ import annotations

from typing import Any

import pytest

from mobile_api.journey.client import Client
from tests.support.wholetown import Town, application_for, photograph


@pytest.fixture(autouse=True)
async def _nobody_answers(town: Town) -> None:
    await town.departments.pause()


async def submitted(resident: Client, item: str = "MZ-01") -> dict[str, Any]:
    case: dict[str, Any] = await resident.call("POST", "/cases", json=await application_for(resident, item), key="first", expect=(201,))
    return case


ACCEPT = "/desk/cases/{id}/accept"
REJECT = "/desk/cases/{id}/reject"
CORRECTION = "/desk/cases/{id}/request-correction"
DECIDE = "/desk/cases/{id}/decide"


async def act(officer: Client, case: dict[str, Any], address: str, **body: Any) -> tuple[int, Any]:
    version = (await officer.call("GET", f"/desk/cases/{case['id']}"))["version"]
    options = {"json": body} if body else {}
    return await officer.raw("POST", address.format(id=case["id"]), headers={"If-Match": f'"v{version}"'}, **options)


async def test_a_clerk_accepts_and_every_department_is_asked(town: Town):
    resident, clerk = await town.resident("zhang"), await town.staff("clerk")
    case = await submitted(resident)
    waiting = await clerk.call("GET", "/desk/cases", params={"state": "submitted"})

    status, accepted = await act(clerk, case, ACCEPT)

    assert [one["id"] for one in waiting["items"]] == [case["id"]]
    assert (status, accepted["state"]) == (200, "in_review")
    assert {task["department"]["code"] for task in accepted["tasks"] if task["state"] == "requested"} == {"GA", "RS", "ZR", "SJ", "SW"}


async def test_two_officers_on_one_case_the_second_is_told_that_it_has_changed(town: Town):
    resident, clerk = await town.resident("zhang"), await town.staff("clerk")
    case = await submitted(resident)
    seen = (await clerk.call("GET", f"/desk/cases/{case['id']}"))["version"]
    await act(clerk, case, ACCEPT)

    stale, problem = await clerk.raw("POST", f"/desk/cases/{case['id']}/accept", headers={"If-Match": f'"v{seen}"'})
    blind, without = await clerk.raw("POST", f"/desk/cases/{case['id']}/accept")

    assert (stale, problem["code"]) == (412, "precondition_failed")
    assert (blind, without["code"]) == (428, "precondition_required")


async def test_an_act_sent_again_is_done_once_and_answered_the_same(town: Town):
    resident, clerk = await town.resident("zhang"), await town.staff("clerk")
    case = await submitted(resident)
    address, seen = ACCEPT.format(id=case["id"]), await clerk.call("GET", f"/desk/cases/{case['id']}")
    tag = {"If-Match": f'"v{seen["version"]}"'}

    first = await clerk.call("POST", address, headers=tag, key="tap")
    again = await clerk.call("POST", address, headers=tag, key="tap")
    other, reused = await clerk.raw("POST", address, headers=tag, key="tap", json={"reason": "?"})
    keyless, missing = await clerk.raw("POST", address, headers={**tag, "Idempotency-Key": ""})
    history = await clerk.call("GET", f"/desk/cases/{case['id']}")

    assert again == first
    assert (other, reused["code"]) == (422, "idempotency_key_reused")
    assert (keyless, missing["code"]) == (400, "idempotency_key_missing")
    assert history["version"] == first["version"]


async def test_opinions_and_decision_given_by_hand_complete_the_case(town: Town):
    resident, clerk, approver = await town.resident("zhang"), await town.staff("clerk"), await town.staff("approver", "MZ")
    case = await submitted(resident, "MZ-04")
    await act(clerk, case, ACCEPT)
    early, problem = await act(approver, case, DECIDE, result="granted")
    officer = await town.staff("officer", "GA")
    current = await officer.call("GET", f"/desk/cases/{case['id']}")
    task = next(task for task in current["tasks"] if task["department"]["code"] == "GA")

    await officer.call(
        "POST", f"/desk/tasks/{task['id']}/opinion", headers={"If-Match": f'"v{current["version"]}"'},
        json={"case_id": case["id"], "result": "agreed", "opinion": "情况属实"},
    )  # fmt: skip
    status, decided = await act(approver, case, DECIDE, result="granted")

    assert (early, problem["code"]) == (409, "review_unfinished")
    assert (status, decided["state"], decided["decision"]) == (200, "completed", "granted")
    assert (await resident.call("GET", f"/cases/{case['id']}"))["decision"] == "granted"


async def test_a_refusal_needs_its_reason(town: Town):
    resident, clerk, approver = await town.resident("zhang"), await town.staff("clerk"), await town.staff("approver", "SJ")
    case = await submitted(resident, "SJ-03")
    await act(clerk, case, ACCEPT)

    without, problem = await act(approver, case, DECIDE, result="refused")
    status, refused = await act(approver, case, DECIDE, result="refused", reason="面积超过标准，可申请行政复议")

    assert (without, problem["code"]) == (422, "reason_missing")
    assert (status, refused["decision"]) == (200, "refused")


async def test_a_clerk_asks_for_everything_that_is_missing_at_once(town: Town):
    resident, clerk = await town.resident("zhang"), await town.staff("clerk")
    case = await submitted(resident, "SJ-03")
    nothing, problem = await act(clerk, case, CORRECTION, reason="请补正", fields=[{"name": "no_such_field", "message": "?"}])
    wanted = [{"material": "id_card", "message": "照片模糊"}, {"material": "floor_plan", "message": "缺少尺寸"}]

    await act(clerk, case, CORRECTION, reason="请补正以下材料", materials=wanted)
    asked = await resident.call("GET", f"/cases/{case['id']}")
    materials = [{"material": one["material"], "uploads": [await photograph(resident, "again")]} for one in wanted]
    mended = await resident.call("POST", f"/cases/{case['id']}/corrections", json={"materials": materials}, key="mended")

    assert (nothing, problem["code"]) == (422, "correction_unknown")
    assert asked["public_state"] == "needs_you"
    assert asked["correction"]["materials"] == wanted
    assert (mended["state"], mended["correction"]) == ("submitted", None)
    assert len(mended["materials"]) == len(case["materials"])


async def test_non_acceptance_ends_the_case_with_its_reason(town: Town):
    resident, clerk = await town.resident("zhang"), await town.staff("clerk")
    case = await submitted(resident, "SJ-03")

    status, ended = await act(clerk, case, REJECT, reason="不属于本镇受理范围，请到县行政审批局办理")
    events = await town.follow(resident, case["id"], until="case.not_accepted")

    assert (status, ended["state"]) == (200, "not_accepted")
    assert "县行政审批局" in events[-1]["text"]


async def test_another_department_sees_nothing_and_nobody_acts_beyond_his_role(town: Town):
    resident, clerk = await town.resident("zhang"), await town.staff("clerk")
    case = await submitted(resident, "SJ-03")
    stranger, own = await town.staff("officer", "SW"), await town.staff("officer", "SJ")

    unseen, _ = await stranger.raw("GET", f"/desk/cases/{case['id']}")
    status, problem = await act(own, case, REJECT, reason="不行")
    beyond, _ = await act(clerk, case, DECIDE, result="granted")
    resident_at_desk, _ = await resident.raw("GET", "/desk/cases")

    assert unseen == 404
    assert (status, problem["code"]) == (403, "forbidden")
    assert beyond == 403
    assert resident_at_desk == 403
