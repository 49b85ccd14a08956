"""Several services as one (一件事): one form, papers handed in once, one number, and every department in its turn."""

from __future__ import annotations

import tomllib

import pytest

from tests.support.bundles import application_for_bundle, play_through
from tests.support.wholetown import TABLES, Town

NEWBORN, RESTAURANT, FAREWELL = "YJS-01", "YJS-02", "YJS-03"
BUNDLES = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((TABLES / "bundles").glob("*.toml"))}


@pytest.mark.parametrize("code", BUNDLES)
async def test_every_bundle_of_the_town_plays_through_with_its_departments(town: Town, code: str):
    resident = await town.resident("zhang")
    wanted = BUNDLES[code].get("optional", [])
    umbrella = await resident.call("POST", "/cases", json=await application_for_bundle(resident, code, *wanted), key="one", expect=(201,))

    finished = await play_through(town, resident, umbrella["id"])

    assert {part["code"] for part in finished["parts"]} == {*BUNDLES[code]["items"], *wanted}
    assert all(part["decision"] == "granted" and part["number"] for part in finished["parts"])
    assert finished["public_state"] == "completed"


async def test_one_application_gives_one_number_and_begins_the_first_stage_only(town: Town):
    resident = await town.resident("zhang")
    await town.departments.pause()

    umbrella = await resident.call("POST", "/cases", json=await application_for_bundle(resident, NEWBORN), key="one", expect=(201,))

    assert (umbrella["kind"], umbrella["number"][:10]) == ("bundle", "U130208108")
    assert umbrella["promised_on"]
    assert [part["code"] for part in umbrella["parts"] if part["number"]] == ["WJ-05"]
    assert [part["waits_for"] for part in umbrella["parts"] if part["code"] == "GA-01"] == [["WJ-05"]]
    assert (await resident.call("GET", "/umbrellas"))["items"] == [umbrella]
    assert [case["item"]["code"] for case in (await resident.call("GET", "/cases"))["items"]] == ["WJ-05"]


async def test_a_question_that_many_items_ask_is_asked_once(town: Town):
    resident = await town.resident("zhang")
    guide = await resident.call("GET", f"/bundles/{NEWBORN}")
    items = [await resident.call("GET", f"/items/{item['code']}") for item in guide["items"]]

    asked = [field["name"] for field in guide["form"]["fields"]]
    papers = [paper["code"] for paper in guide["materials"]]

    assert len(asked) == len(set(asked)) < sum(len(item["form"]["fields"]) for item in items) / 2 + 1
    assert papers.count("id_card") == 1
    assert "birth_med" not in papers  # the birth certificate comes out of the first stage


async def test_a_part_cannot_be_submitted_before_its_turn(town: Town):
    resident = await town.resident("zhang")
    await town.departments.pause()
    umbrella = await resident.call("POST", "/cases", json=await application_for_bundle(resident, NEWBORN), key="one", expect=(201,))
    waiting = next(part for part in umbrella["parts"] if part["waiting"])

    refused = await resident.call("POST", f"/cases/{waiting['case_id']}/submit", json={}, key="early", expect=(409,))

    assert refused["code"] == "part_waits"


async def test_what_is_taken_back_stays_decided_where_it_was(town: Town):
    resident = await town.resident("zhang")
    umbrella = await resident.call("POST", "/cases", json=await application_for_bundle(resident, FAREWELL), key="one", expect=(201,))
    await town.follow(resident, umbrella["parts"][0]["case_id"], until="case.completed")
    await town.departments.pause()

    after = await resident.call("POST", f"/umbrellas/{umbrella['id']}/withdraw", json={"reason": "不办了"}, key="back", expect=(200, 409))

    umbrella = await resident.call("GET", f"/umbrellas/{umbrella['id']}")
    assert umbrella["parts"][0]["decision"] == "granted"
    assert after.get("code") == "bundle_over" or {part["state"] for part in umbrella["parts"][1:]} <= {"withdrawn", "completed"}


async def test_somebody_elses_bundle_is_not_there(town: Town):
    resident, other = await town.resident("zhang"), await town.resident("li")
    umbrella = await resident.call("POST", "/cases", json=await application_for_bundle(resident, FAREWELL), key="one", expect=(201,))

    assert (await other.call("GET", f"/umbrellas/{umbrella['id']}", expect=(404,)))["code"] == "not_found"
    assert (await other.call("GET", "/umbrellas"))["items"] == []
