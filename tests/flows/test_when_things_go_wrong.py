"""Bad input and bad days: a clear answer each, nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.wholetown import Town, application_for


async def test_everything_wrong_with_a_form_is_said_at_once(town: Town):
    resident = await town.resident("zhang")
    body = await application_for(resident, "SJ-03")
    body["form"]["phone"] = "not a phone"
    body["form"].pop("shop_name")

    status, problem = await resident.raw("POST", "/cases", json=body, key="first")

    assert (status, problem["code"]) == (422, "invalid_form")
    assert {error["pointer"] for error in problem["errors"]} == {"/form/phone", "/form/shop_name"}
    assert "not a phone" not in str(problem)


async def test_who_reads_english_gets_every_word_of_a_refusal_in_english(town: Town):
    resident = await town.resident("zhang")
    english = {"Accept-Language": "en"}
    empty = {"item": "SJ-03", "form": {}, "materials": []}
    draft = await resident.call("POST", "/cases", json={**empty, "submit": False}, key="draft", expect=(201,))
    whole = {**empty, "form": (await application_for(resident, "SJ-03"))["form"]}

    _, form = await resident.raw("POST", "/cases", json=empty, key="form", headers=english)
    _, papers = await resident.raw("POST", "/cases", json=whole, key="papers", headers=english)
    _, state = await resident.raw("POST", f"/cases/{draft['id']}/corrections", json={"form": whole["form"]}, key="state", headers=english)

    assert all(error["message"].endswith("is required.") for error in form["errors"])
    assert all("is missing; upload a clear photo or scan." in error["message"] for error in papers["errors"])
    assert state["detail"] == "The case is in state draft; possible now: submit, withdraw."


async def test_missing_materials_are_named_all_at_once_but_not_those_that_may_follow(town: Town):
    resident = await town.resident("zhang")
    body = await application_for(resident, "MZ-03")

    status, problem = await resident.raw("POST", "/cases", json={**body, "materials": []}, key="none")

    assert "hardship_proof" in {one["material"] for one in body["materials"]}
    assert (status, problem["code"]) == (422, "missing_material")
    assert {error["pointer"] for error in problem["errors"]} == {"/materials/id_card", "/materials/hukou", "/materials/ssc"}


async def test_a_double_tap_makes_one_case(town: Town):
    resident = await town.resident("zhang")
    body = await application_for(resident, "SJ-03")

    answers = await asyncio.gather(*(resident.call("POST", "/cases", json=body, key="tap", expect=(201,)) for _ in range(5)))
    other, problem = await resident.raw("POST", "/cases", json={**body, "materials": []}, key="tap")

    assert len({case["id"] for case in answers}) == 1
    assert (other, problem["code"]) == (422, "idempotency_key_reused")
    assert len((await resident.call("GET", "/cases"))["items"]) == 1


async def test_somebody_elses_case_is_not_there(town: Town):
    owner, other = await town.resident("zhang"), await town.resident("li")
    case = await owner.call("POST", "/cases", json=await application_for(owner, "SJ-03"), key="first", expect=(201,))

    for path in ("", "/events", "/due-dates", "/receipt.png"):
        status, problem = await other.raw("GET", f"/cases/{case['id']}{path}")
        assert (status, problem["code"]) == (404, "not_found")
    status, _ = await other.raw("POST", f"/cases/{case['id']}/withdraw", json={}, key="theirs")
    assert status == 404


async def test_a_used_login_code_is_refused(town: Town):
    stranger = town.anyone()
    code = {"code": "sandbox-zhang-0123456789"}
    await stranger.call("POST", "/auth/wechat", json=code)

    status, problem = await stranger.raw("POST", "/auth/wechat", json=code)

    assert (status, problem["code"]) == (401, "login_code_invalid")


async def test_a_correction_is_asked_for_once_made_and_the_case_goes_on(town: Town):
    await town.departments.misbehave(correction=1.0)
    resident = await town.resident("zhang")
    case = await resident.call("POST", "/cases", json=await application_for(resident, "SJ-03"), key="first", expect=(201,))
    await town.follow(resident, case["id"], until="case.correction_requested")
    asked = (await resident.call("GET", f"/cases/{case['id']}"))["correction"]

    complete = await application_for(resident, "SJ-03")
    form = {note["name"]: complete["form"][note["name"]] for note in asked["fields"]}
    materials = [one for one in complete["materials"] if one["material"] in {note["material"] for note in asked["materials"]}]
    await resident.call("POST", f"/cases/{case['id']}/corrections", json={"form": form, "materials": materials}, key="mended")
    events = await town.follow(resident, case["id"], until="case.completed")

    assert [event["type"] for event in events].count("case.correction_requested") == 1


async def test_departments_that_answer_twice_and_garble_change_nothing(town: Town):
    await town.departments.misbehave(twice=1.0, garble=0.5)
    resident = await town.resident("zhang")
    case = await resident.call("POST", "/cases", json=await application_for(resident, "MZ-01"), key="first", expect=(201,))

    events = await town.follow(resident, case["id"], until="case.completed")

    assert [event["type"] for event in events].count("case.accepted") == 1
    assert [event["type"] for event in events].count("case.decided") == 1
    assert [event["type"] for event in events].count("case.task_answered") == 5


async def test_with_redis_emptied_the_case_still_reaches_its_decision(town: Town):
    await town.departments.pause()
    resident = await town.resident("zhang")
    case = await resident.call("POST", "/cases", json=await application_for(resident, "SJ-03"), key="first", expect=(201,))
    await town.until(town.something_in_redis, "the request in Redis")

    await town.empty_redis()
    await town.departments.go_on()

    await town.follow(resident, case["id"], until="case.completed")


async def test_with_wechat_down_the_message_waits_and_arrives_later(town: Town):
    resident = await town.resident("zhang")
    await town.consent("zhang")
    await town.wechat_down()
    case = await resident.call("POST", "/cases", json=await application_for(resident, "SJ-03"), key="first", expect=(201,))
    await town.follow(resident, case["id"], until="case.completed")

    await town.wechat_up()

    assert await town.until(lambda: town.wechat_messages("zhang"), "the message that waited")


async def test_a_withdrawn_case_ends_for_every_department(town: Town):
    await town.departments.pause()
    resident = await town.resident("zhang")
    case = await resident.call("POST", "/cases", json=await application_for(resident, "SJ-03"), key="first", expect=(201,))

    withdrawn = await resident.call("POST", f"/cases/{case['id']}/withdraw", json={"reason": "改天再办"}, key="back")
    await town.departments.go_on()
    status, problem = await resident.raw("POST", f"/cases/{case['id']}/withdraw", json={}, key="again")

    assert withdrawn["state"] == "withdrawn"
    assert all(task["state"] == "void" for task in withdrawn["tasks"])
    assert (status, problem["code"]) == (409, "wrong_state")


async def test_who_names_the_version_he_looked_at_changes_no_other(town: Town):
    await town.departments.pause()
    resident = await town.resident("zhang")
    form = await application_for(resident, "SJ-03")
    case = await resident.call("POST", "/cases", json={**form, "submit": False}, key="draft", expect=(201,))

    async def act(verb: str, tag: str, body: object, key: str) -> tuple[int, dict[str, Any]]:
        return await resident.raw("POST", f"/cases/{case['id']}/{verb}", json=body, key=key, headers={"If-Match": tag})

    looked_at = f'"v{case["version"]}"'
    await resident.call("PUT", f"/cases/{case['id']}", json={"form": form["form"]}, headers={"If-Match": looked_at})
    for verb, body in (("submit", {}), ("withdraw", {}), ("corrections", {"form": form["form"]})):
        for n, tag in enumerate((looked_at, "v2")):
            status, problem = await act(verb, tag, body, f"{verb}{n}")
            assert (status, problem["code"]) == (412, "precondition_failed"), (verb, tag)
    now = await resident.call("GET", f"/cases/{case['id']}")
    assert now["state"] == "draft"

    status, submitted = await act("submit", f'"v{now["version"]}"', {}, "send")
    assert (status, submitted["state"]) == (200, "submitted")
    assert await act("submit", f'"v{now["version"]}"', {}, "send") == (status, submitted)  # the same act again is no other one
    status, withdrawn = await act("withdraw", f'"v{submitted["version"]}"', {}, "back")
    assert (status, withdrawn["state"]) == (200, "withdrawn")


async def test_a_draft_is_no_store_for_anything_at_all(town: Town):
    phone = await town.resident("zhang")
    long = {"item": "MZ-01", "form": {"reason": "很" * 30_000}, "submit": False}

    status, problem = await phone.raw("POST", "/cases", json=long, key="long")

    assert (status, problem["code"]) == (413, "too_large")
    assert "65536" in problem["detail"]
