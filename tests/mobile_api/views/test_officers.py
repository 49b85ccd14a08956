"""The officers' own work over HTTP: claims, notes, templates, batches and search, with their refusals."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from handlers import timeline
from mobile_api.journey.client import Client
from tests.support.staffed import hired
from tests.support.wechat import Platform, platform
from tests.support.wholetown import Town, application_for, open_town

__all__ = ["platform"]

ALONE, TOGETHER = "MZ-03", "MZ-01"


@pytest.fixture
async def town(sqlite_url: str, valkey_url: str, platform: Platform, tmp_path: Path) -> AsyncIterator[Town]:
    """A town whose departments are out."""
    async with open_town(sqlite_url, valkey_url, platform, tmp_path) as opened:
        await opened.departments.pause()
        yield opened


async def applied(town: Town, user: str = "zhang", item: str = ALONE) -> dict[str, Any]:
    resident = await town.resident(user)
    case: dict[str, Any] = await resident.call(
        "POST", "/cases", json=await application_for(resident, item), key=uuid.uuid4().hex, expect=(201,)
    )
    return case


async def refused(who: Client, method: str, path: str, **options: Any) -> tuple[int, str]:
    status, problem = await who.raw(method, path, **options)
    return status, problem["code"]


async def test_the_inbox_says_what_waits_and_who_has_it(town: Town):
    case, clerk = await applied(town), await town.staff("clerk")
    officer = await town.staff("officer", "MZ")
    await officer.call("POST", f"/desk/cases/{case['id']}/claim", json={})

    page = await clerk.call("GET", "/desk/tasks", params={"show": "all", "limit": "1"})
    rest = await clerk.call("GET", "/desk/tasks", params={"show": "all", "limit": "1", "cursor": page["next_cursor"]})
    resident = await town.resident("zhang")

    [task] = page["items"]
    assert (task["case_id"], task["step"], task["version"], task["card"]) == (case["id"], "accept", case["version"], "none")
    assert (task["holder"]["name"], task["holder"]["own"], task["holder"]["live"]) == ("李**", False, True)
    assert rest == {"items": [], "next_cursor": None}
    assert await refused(clerk, "GET", "/desk/tasks", params={"cursor": "x"}) == (422, "invalid_cursor")
    assert (await clerk.raw("GET", "/desk/tasks", params={"show": "hers"}))[0] == 422
    assert await refused(resident, "GET", "/desk/tasks") == (403, "forbidden")


async def test_a_claimed_case_is_refused_with_who_has_it_and_until_when(town: Town):
    case, clerk = await applied(town), await town.staff("clerk")
    officer = await town.staff("officer", "MZ")
    path = f"/desk/cases/{case['id']}"
    await officer.call("POST", f"{path}/claim", json={})

    status, problem = await clerk.raw("POST", f"{path}/claim", json={}, headers={"Accept-Language": "en"})
    act = await refused(clerk, "POST", f"{path}/accept", headers={"If-Match": f'"v{case["version"]}"'})
    seen = await clerk.call("GET", f"{path}/claim")
    released = await officer.call("POST", f"/desk/cases/{case['id']}/release")

    assert (status, problem["code"]) == (409, "claimed")
    assert problem["detail"].startswith("李** has claimed this case until ")
    assert act == (409, "claimed")
    assert (seen["step"], seen["holder"]["name"], seen["acts"]) == ("accept", "李**", [])
    assert released["holder"] is None
    assert await refused(officer, "POST", f"{path}/release") == (409, "not_held")


async def test_a_part_is_claimed_by_the_id_of_its_task_too(town: Town):
    case, clerk = await applied(town, item=TOGETHER), await town.staff("clerk")
    await clerk.call("POST", f"/desk/cases/{case['id']}/accept", headers={"If-Match": f'"v{case["version"]}"'})
    police = await town.staff("officer", "GA")
    current = await police.call("GET", f"/desk/cases/{case['id']}")
    task = next(task["id"] for task in current["tasks"] if task["department"]["code"] == "GA")

    claimed = await police.call("POST", f"/desk/tasks/{task}/claim", json={})

    assert (claimed["department"]["code"], claimed["holder"]["own"]) == ("GA", True)
    assert await refused(police, "POST", "/desk/tasks/nothing/claim", json={}) == (404, "not_found")


async def test_work_is_assigned_and_handed_over_to_colleagues_only(town: Town):
    case, chief = await applied(town), await town.staff("approver", "MZ")
    one = await hired(town.stores.office, "王小明", "MZ")
    stranger = await hired(town.stores.office, "赵外", "GA")
    officer = await town.staff("officer", "MZ")
    path = f"/desk/cases/{case['id']}"

    listed = await chief.call("GET", f"/desk/cases/{case['id']}/colleagues")
    assigned = await chief.call("POST", f"{path}/assign", json={"staff_id": one.id, "note": "请今天办"})
    await chief.call("POST", f"{path}/claim", json={"reason": "改由他人"})
    own = next(person["id"] for person in listed["items"] if person["id"] != one.id)
    await chief.call("POST", f"{path}/assign", json={"staff_id": own})
    handed = await officer.call("POST", f"{path}/hand-over", json={"staff_id": one.id})

    assert {person["name"] for person in listed["items"]} == {"王小明", "李窗口"}
    assert (assigned["holder"]["name"], assigned["holder"]["given"]) == ("王**", True)
    assert handed["holder"]["name"] == "王**"
    assert await refused(chief, "POST", f"{path}/assign", json={"staff_id": stranger.id}) == (422, "colleague_unknown")
    assert await refused(officer, "POST", f"{path}/assign", json={"staff_id": one.id}) == (403, "forbidden")
    assert await refused(officer, "POST", f"{path}/hand-over", json={"staff_id": one.id}) == (409, "not_held")


async def test_who_of_the_staff_works_on_a_case_is_no_line_of_the_residents_history(town: Town):
    resident = await town.resident("zhang")
    case = await applied(town)
    officer, chief = await town.staff("officer", "MZ"), await town.staff("approver", "MZ")
    [colleague] = (await chief.call("GET", f"/desk/cases/{case['id']}/colleagues"))["items"]
    before = await resident.call("GET", f"/cases/{case['id']}/events")

    await chief.call("POST", f"/desk/cases/{case['id']}/claim", json={})
    await chief.call("POST", f"/desk/cases/{case['id']}/assign", json={"staff_id": colleague["id"]})
    now = await resident.call("GET", f"/cases/{case['id']}")
    await officer.call("POST", f"/desk/cases/{case['id']}/accept", headers={"If-Match": f'"v{now["version"]}"'})

    after = await resident.call("GET", f"/cases/{case['id']}/events")
    assert [event["type"] for event in after["items"]][: len(before["items"]) + 1] == [
        *(event["type"] for event in before["items"]), "accepted",
    ]  # fmt: skip
    page = await resident.call("GET", f"/cases/{case['id']}/events", params={"limit": str(len(before["items"]))})
    rest = await resident.call("GET", f"/cases/{case['id']}/events", params={"cursor": str(page["next_cursor"])})
    assert page["items"] + rest["items"] == after["items"]
    assert "assigned" in [event.type for event in await timeline.history(town.stores.office, case["id"], 0, 100)]


async def test_notes_are_written_once_and_read_page_by_page(town: Town):
    case, clerk = await applied(town), await town.staff("clerk")
    path = f"/desk/cases/{case['id']}/notes"

    for key in ("a", "a", "b"):
        await clerk.call("POST", path, json={"text": f"备注 {key}"}, key=key, expect=(201,))
    first = await clerk.call("GET", path, params={"limit": "1"})
    second = await clerk.call("GET", path, params={"limit": "1", "cursor": first["next_cursor"]})

    assert [first["items"][0]["text"], second["items"][0]["text"]] == ["备注 b", "备注 a"]
    assert first["items"][0]["author"] == "李窗口"
    assert (await clerk.raw("POST", path, json={"text": " "}))[1]["code"] == "note_empty"
    assert (await (await town.resident("zhang")).raw("GET", path))[0] == 403


async def test_templates_are_kept_by_their_department(town: Town):
    case, officer = await applied(town), await town.staff("officer", "MZ")
    clerk, other = await town.staff("clerk"), await town.staff("officer", "SJ")
    body = {"kind": "correction", "title": "缺材料", "text": "{applicant}：请补齐材料。"}

    made = await officer.call("POST", "/desk/templates", json=body, key="t", expect=(201,))
    changed = await officer.call("PUT", f"/desk/templates/{made['id']}", json={**body, "title": "材料"})
    filled = await clerk.call("GET", f"/desk/cases/{case['id']}/templates")

    assert (await officer.call("GET", "/desk/templates", params={"kind": "correction"}))["items"] == [changed]
    assert filled["items"][0]["text"].endswith("*：请补齐材料。")
    assert (await other.call("GET", "/desk/templates"))["items"] == []
    assert await refused(other, "DELETE", f"/desk/templates/{made['id']}") == (404, "not_found")
    assert await refused(clerk, "POST", "/desk/templates", json=body) == (403, "forbidden")
    status, problem = await officer.raw("POST", "/desk/templates", json={**body, "text": "{secret_name}"})
    assert (status, problem["code"]) == (422, "placeholder_unknown")
    assert "secret_name" not in str(problem)
    await officer.call("DELETE", f"/desk/templates/{made['id']}", expect=(204,))
    assert (await officer.call("GET", "/desk/templates"))["items"] == []


async def test_a_batch_answers_for_each_case_and_the_same_again(town: Town):
    first, second = await applied(town), await applied(town, "li")
    clerk = await town.staff("clerk")
    cases = [{"id": first["id"], "version": first["version"]}, {"id": second["id"], "version": 99}]

    done = await clerk.call("POST", "/desk/batch", json={"act": "accept", "cases": cases}, key="monday")
    again = await clerk.call("POST", "/desk/batch", json={"act": "accept", "cases": cases}, key="monday")

    assert [(one["done"], one["code"]) for one in done["items"]] == [(True, None), (False, "precondition_failed")]
    assert done["items"][1]["detail"]
    assert again == done
    assert await refused(clerk, "POST", "/desk/batch", json={"act": "deliver", "cases": cases}, key="monday") == (
        422, "idempotency_key_reused",
    )  # fmt: skip
    many = {"act": "accept", "cases": [{"id": str(n), "version": 1} for n in range(51)]}
    assert (await clerk.raw("POST", "/desk/batch", json=many, key="too-many"))[0] == 422
    keyless = {"Idempotency-Key": ""}
    assert (await clerk.raw("POST", "/desk/batch", json={"act": "accept", "cases": cases}, headers=keyless))[0] == 400


async def test_a_search_says_its_purpose_and_finds_in_the_callers_own_area(town: Town):
    case, clerk = await applied(town), await town.staff("clerk")
    other = await town.staff("officer", "SJ")
    body = {"purpose": "enquiry", "code": case["number"][-6:]}

    found = await clerk.call("POST", "/desk/search", json=body)

    assert [hit["case"]["id"] for hit in found["items"]] == [case["id"]]
    assert found["items"][0]["applicant"].endswith("*")
    assert (await other.call("POST", "/desk/search", json=body))["items"] == []
    assert await refused(clerk, "POST", "/desk/search", json={"purpose": "enquiry"}) == (422, "search_empty")
    assert (await clerk.raw("POST", "/desk/search", json={"code": "1"}))[0] == 422
