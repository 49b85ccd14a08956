"""The main job as its resident lives it. Read this first."""

from __future__ import annotations

from tests.support.wholetown import Town, application_for

LOW_INCOME_AID = "MZ-01"
SMALL_RESTAURANT = "SJ-03"


async def test_a_resident_finds_a_service_by_the_words_people_use(town: Town):
    resident = await town.resident("zhang")

    by_everyday_word = await resident.call("GET", "/items", params={"q": "吃低保"})
    by_first_letters = await resident.call("GET", "/items", params={"q": "zdshbz"})
    by_pinyin = await resident.call("GET", "/items", params={"q": "xiaocanyin"})

    assert by_everyday_word["items"][0]["code"] == LOW_INCOME_AID
    assert by_first_letters["items"][0]["code"] == LOW_INCOME_AID
    assert by_pinyin["items"][0]["code"] == SMALL_RESTAURANT


async def test_an_application_with_photos_gets_a_case_number_at_once(town: Town):
    resident = await town.resident("zhang")

    case = await resident.call("POST", "/cases", json=await application_for(resident, LOW_INCOME_AID), key="first", expect=(201,))

    assert case["number"].startswith("130208108")
    assert case["state"] == "submitted"
    assert [task["step"] for task in case["tasks"]] == ["accept"]


async def test_every_department_answers_and_the_case_is_decided(town: Town):
    resident = await town.resident("zhang")
    case = await resident.call("POST", "/cases", json=await application_for(resident, LOW_INCOME_AID), key="first", expect=(201,))

    events = await town.follow(resident, case["id"], until="case.completed")

    case = await resident.call("GET", f"/cases/{case['id']}")
    assert case["decision"] == "granted"
    assert {task["department"]["code"] for task in case["tasks"] if task["step"] == "review"} == {"GA", "RS", "ZR", "SJ", "SW"}
    assert all(task["state"] == "done" for task in case["tasks"])
    assert [event["type"] for event in events][:2] == ["case.submitted", "case.accepted"]
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))


async def test_the_phone_gets_each_step_over_its_socket_and_the_decision_as_a_wechat_message(town: Town):
    resident = await town.resident("zhang")
    await town.consent("zhang")
    case = await resident.call("POST", "/cases", json=await application_for(resident, SMALL_RESTAURANT), key="first", expect=(201,))
    await town.follow(resident, case["id"], until="case.completed")

    async with resident.stream(0) as socket:
        frame = await socket.receive_json(timeout=10)
    messages = await town.until(lambda: town.wechat_messages("zhang"), "a WeChat message about the decision")

    assert frame["events"][-1]["type"] == "case.completed"
    assert any("小餐饮登记" in str(message) for message in messages)


async def test_the_timeline_explains_who_did_what_and_when_it_is_due(town: Town):
    resident = await town.resident("zhang")
    case = await resident.call("POST", "/cases", json=await application_for(resident, LOW_INCOME_AID), key="first", expect=(201,))
    await town.follow(resident, case["id"], until="case.completed")

    history = await resident.call("GET", f"/cases/{case['id']}/events")
    due = await resident.call("GET", f"/cases/{case['id']}/due-dates")

    assert [event["seq"] for event in history["items"]] == list(range(1, len(history["items"]) + 1))
    assert "公安" in [event["actor"]["name"] for event in history["items"]]
    assert due["promised"]["steps"]
    assert due["promised"]["due_on"] <= due["legal"]["due_on"]


async def test_a_finished_case_is_rated_once(town: Town):
    resident = await town.resident("zhang")
    case = await resident.call("POST", "/cases", json=await application_for(resident, SMALL_RESTAURANT), key="first", expect=(201,))
    await town.follow(resident, case["id"], until="case.completed")

    rated = await resident.call("POST", f"/cases/{case['id']}/evaluation", json={"level": 5, "text": "很快"}, key="rate")
    status, problem = await resident.raw("POST", f"/cases/{case['id']}/evaluation", json={"level": 1}, key="again")

    assert rated["evaluation"] == {"level": 5}
    assert (status, problem["code"]) == (409, "already_evaluated")
