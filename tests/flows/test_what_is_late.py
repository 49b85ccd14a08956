"""Supervision from the first warning to the county: cards come by themselves, units answer, supervisors decide; all of it is kept."""

from __future__ import annotations

from typing import Any

import pytest

from mobile_api.journey.client import Client
from storage import audit
from tests.support.late import make_late
from tests.support.wholetown import Town, application_for


@pytest.fixture(autouse=True)
async def _nobody_answers(town: Town) -> None:
    await town.departments.pause()


async def late_case(town: Town) -> dict[str, Any]:
    """A case of SJ, accepted sixty days ago."""
    resident, clerk = await town.resident("zhang"), await town.staff("clerk")
    case = await resident.call("POST", "/cases", json=await application_for(resident, "SJ-03"), key="first")
    seen = await clerk.call("GET", f"/desk/cases/{case['id']}")
    await clerk.call("POST", f"/desk/cases/{case['id']}/accept", headers={"If-Match": f'"v{seen["version"]}"'})
    assert await make_late(town.stores.office, case["id"]) == 3
    return dict(case)


async def by_level(reader: Client, **only: str) -> dict[str, dict[str, Any]]:
    found = await reader.call("GET", "/supervision/cards", params=only)
    return {card["level"]: card for card in found["items"]}


async def test_a_late_case_has_its_cards_and_each_says_line_by_line_why(town: Town):
    case, supervisor = await late_case(town), await town.staff("supervisor")

    cards = await by_level(supervisor)
    red = await supervisor.call("GET", f"/supervision/cards/{cards['red']['id']}")

    assert {level: card["state"] for level, card in cards.items()} == {"warning": "issued", "yellow": "issued", "red": "pending"}
    assert case["number"] in red["card"]["text"]
    assert (red["card"]["rule"], red["card"]["rule_version"]) == ("case-red", 1)
    assert red["recipients"] == ["officer", "approver", "supervisor"]
    assert "受理，当日不计入" in red["explanation"][0]["text"]
    assert "case-red（第 1 版）：红牌" in red["explanation"][-1]["text"]


async def test_a_red_card_is_confirmed_answered_appealed_and_revoked_and_every_act_is_in_the_record(town: Town):
    await late_case(town)
    supervisor, officer = await town.staff("supervisor"), await town.staff("officer", "SJ")
    card_id = (await by_level(supervisor))["red"]["id"]

    early, problem = await officer.raw("POST", f"/supervision/cards/{card_id}/feedback", json={"text": "正在补办"})
    confirmed = await supervisor.call("POST", f"/supervision/cards/{card_id}/confirm")
    await supervisor.call("POST", f"/supervision/cards/{card_id}/supervise", json={"reason": "限三日内办结"})
    answered = await officer.call("POST", f"/supervision/cards/{card_id}/feedback", json={"text": "人手不足，已增派"})
    await officer.call("POST", f"/supervision/cards/{card_id}/appeal", json={"text": "等待上级批复，不应计入"})
    settled = await supervisor.call(
        "POST", f"/supervision/cards/{card_id}/settle-appeal", json={"result": "revoked", "reason": "批复时间属实"}
    )
    again, _ = await supervisor.raw("POST", f"/supervision/cards/{card_id}/revoke", json={"reason": "再次撤销"})

    assert (early, problem["code"]) == (409, "card_state")
    assert confirmed["card"]["feedback_due_on"] is not None
    assert (answered["feedback"], answered["card"]["feedback_late"]) == ("人手不足，已增派", False)
    assert (settled["card"]["state"], settled["card"]["appeal_result"], settled["reason"]) == ("revoked", "revoked", "批复时间属实")
    assert again == 409
    acts = [row["action"] for row in await audit.of_object(town.stores.office.database, "supervision_card", card_id)]
    assert acts == ["card.settle_appeal", "card.appeal", "card.feedback", "card.supervise", "card.confirm", "card.pending"]


async def test_a_card_not_confirmed_is_dropped_and_a_revoked_one_is_kept_and_counted_apart(town: Town):
    await late_case(town)
    supervisor = await town.staff("supervisor")
    cards = await by_level(supervisor)

    silent, _ = await supervisor.raw("POST", f"/supervision/cards/{cards['red']['id']}/drop", json={"reason": ""})
    dropped = await supervisor.call("POST", f"/supervision/cards/{cards['red']['id']}/drop", json={"reason": "系统割接期间"})
    revoked = await supervisor.call("POST", f"/supervision/cards/{cards['yellow']['id']}/revoke", json={"reason": "录入有误"})

    assert silent == 422
    assert (dropped["card"]["state"], revoked["card"]["state"]) == ("dropped", "revoked")
    assert list(await by_level(supervisor, state="revoked")) == ["yellow"]
    assert list(await by_level(supervisor, state="issued")) == ["warning"]


async def test_the_list_is_filtered_and_read_page_by_page(town: Town):
    await late_case(town)
    supervisor = await town.staff("supervisor")
    everything = (await supervisor.call("GET", "/supervision/cards"))["items"]
    month = next(card["earned_at"][:7] for card in everything if card["level"] == "red")

    first = await supervisor.call("GET", "/supervision/cards", params={"limit": "2"})
    second = await supervisor.call("GET", "/supervision/cards", params={"limit": "2", "cursor": first["next_cursor"]})

    assert first["items"] + second["items"] == everything
    assert list(await by_level(supervisor, level="red", month=month, department="SJ", kind="case")) == ["red"]
    assert await by_level(supervisor, month="2020-01") == {}
    assert await by_level(supervisor, department="GA") == {}
    assert (await supervisor.raw("GET", "/supervision/cards", params={"month": "2020-13"}))[0] == 400


async def test_a_unit_sees_its_own_cards_only_and_does_not_judge_them(town: Town):
    await late_case(town)
    own, stranger, clerk = await town.staff("approver", "SJ"), await town.staff("officer", "GA"), (await town.resident("li"))
    cards = await by_level(own)

    assert set(cards) == {"warning", "yellow", "red"}
    assert await by_level(stranger) == {}
    assert (await stranger.raw("GET", f"/supervision/cards/{cards['red']['id']}"))[0] == 404
    assert (await own.raw("POST", f"/supervision/cards/{cards['red']['id']}/confirm"))[0] == 403
    assert (await clerk.raw("GET", "/supervision/cards"))[0] == 403


async def test_what_no_clock_sees_gets_its_card_by_hand_once(town: Town):
    """监察办法 art. 6: refusing without a reason, fees outside the standard, work outside the system."""
    case, supervisor, officer = await late_case(town), await town.staff("supervisor"), await town.staff("officer", "SJ")
    ground = next(one for one in (await supervisor.call("GET", "/supervision/grounds"))["items"] if one["code"] == "handled-offline")
    body = {"case_number": case["number"], "ground": ground["code"], "level": "yellow", "reason": "先办后录"}

    given = await supervisor.call("POST", "/supervision/cards", json=body, expect=(201,))
    twice, problem = await supervisor.raw("POST", "/supervision/cards", json=body)
    unknown, _ = await supervisor.raw("POST", "/supervision/cards", json={**body, "ground": "no-such"})
    beyond, _ = await officer.raw("POST", "/supervision/cards", json=body)

    assert (given["card"]["state"], given["card"]["rule_version"], given["basis"]) == ("issued", 0, ground["name"])
    assert given["card"]["text"] == f"{ground['name']}：先办后录"
    assert (twice, problem["code"]) == (409, "card_exists")
    assert (unknown, beyond) == (422, 403)


async def test_what_will_be_late_is_seen_before_it_is(town: Town):
    resident, supervisor = await town.resident("zhang"), await town.staff("supervisor")
    case = await resident.call("POST", "/cases", json=await application_for(resident, "SJ-03"), key="first")

    ahead = (await supervisor.call("GET", "/supervision/outlook", params={"days": "3"}))["items"]
    today = (await supervisor.call("GET", "/supervision/outlook", params={"days": "0"}))["items"]

    assert [(one["case_number"], one["kind"], one["level"]) for one in ahead] == [(case["number"], "pre_acceptance", "warning")]
    assert today == []
