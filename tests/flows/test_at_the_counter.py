"""A clerk, a code and the card of a case."""

from __future__ import annotations

from tests.support.wholetown import Town, application_for


async def test_a_code_opens_the_cases_once_and_the_resident_is_told_who_looked(town: Town):
    resident, clerk = await town.resident("zhang"), await town.staff("clerk")
    case = await resident.call("POST", "/cases", json=await application_for(resident, "SJ-03"), key="first", expect=(201,))
    shown = await resident.call("POST", "/codes/lookup", json={"purpose": "hall"}, expect=(201,))

    card = await clerk.call("POST", "/codes/scan", json={"code": shown["code"], "purpose": "hall"})
    second, problem = await clerk.raw("POST", "/codes/scan", json={"code": shown["code"], "purpose": "hall"})

    assert [one["number"] for one in card["cases"]] == [case["number"]]
    assert second in {404, 410}, problem
    events = await resident.call("GET", "/sync", params={"since": "0"})
    assert "code.scanned" in [event["type"] for event in events["events"]]


async def test_the_eight_digits_below_the_code_do_the_same(town: Town):
    resident, clerk = await town.resident("zhang"), await town.staff("clerk")
    case = await resident.call("POST", "/cases", json=await application_for(resident, "SJ-03"), key="first", expect=(201,))
    shown = await resident.call("POST", "/codes/lookup", json={"purpose": "hall"}, expect=(201,))

    card = await clerk.call("POST", "/codes/scan", json={"code": shown["short"], "purpose": "hall"})

    assert [one["number"] for one in card["cases"]] == [case["number"]]


async def test_a_clerk_may_type_the_case_number_or_scan_the_printed_receipt(town: Town):
    resident, clerk = await town.resident("zhang"), await town.staff("clerk")
    case = await resident.call("POST", "/cases", json=await application_for(resident, "SJ-03"), key="first", expect=(201,))

    by_number = await clerk.call("POST", "/codes/scan", json={"code": case["number"], "purpose": "hall"})
    by_receipt = await clerk.call("POST", "/codes/scan", json={"code": case["receipt_code"], "purpose": "hall"})

    assert by_number["cases"][0]["id"] == by_receipt["cases"][0]["id"] == case["id"]


async def test_anybody_with_the_receipt_learns_the_stage_and_nothing_personal(town: Town):
    resident, stranger = await town.resident("zhang"), town.anyone()
    case = await resident.call("POST", "/cases", json=await application_for(resident, "SJ-03"), key="first", expect=(201,))

    public = await stranger.call("GET", f"/r/{case['receipt_code']}")
    wrong, problem = await stranger.raw("GET", f"/r/{case['receipt_code'][:-1]}{'A' if case['receipt_code'][-1] != 'A' else 'B'}")

    assert set(public) == {"item", "stage", "stage_name", "promised_on", "provisional"}
    assert (wrong, problem["code"]) == (404, "not_found")
