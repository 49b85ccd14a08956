"""The desk without JavaScript: what each role may press, what comes of it, and what nobody sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.mobile_api.pages.conftest import BOTH, Staffed
from tests.mobile_api.pages.plainforms import Seen, Visitor
from tests.mobile_api.pages.test_pages import apply
from tests.support.wholetown import Town

ALONE = "MZ-03"  # an item that its lead department, MZ, decides alone
TOGETHER = "MZ-01"  # one that five departments review; MZ leads


async def opened(visitor: Visitor, case: dict[str, Any]) -> Seen:
    return await visitor.visit(f"/desk/cases/{case['id']}")


async def accepted(town: Town, staff: Staffed, item: str = ALONE) -> dict[str, Any]:
    case = await apply(town, item=item)
    clerk = await staff("clerk")
    await clerk.press(await opened(clerk, case), "受理")
    return case


@BOTH
async def test_a_case_goes_from_acceptance_to_its_decision(town: Town, staff: Staffed):
    case = await apply(town, item=ALONE)
    clerk, approver = await staff("clerk"), await staff("approver", "MZ")

    taken = await clerk.press(await opened(clerk, case), "受理")
    decided = await approver.press(await opened(approver, case), "准予", reason="符合条件")
    told = await (await town.resident("zhang")).call("GET", f"/cases/{case['id']}")

    assert taken.status == 200
    assert "已受理，已通知" in taken.text
    assert "还剩" in taken.text
    assert "决定已作出" in decided.text
    assert (told["state"], told["decision"]) == ("completed", "granted")


async def test_a_decision_against_somebody_needs_its_reason_and_keeps_what_was_typed(town: Town, staff: Staffed):
    case, approver = await accepted(town, staff), await staff("approver", "MZ")

    silent = await approver.press(await opened(approver, case), "不予批准", reason="  ")
    told = await approver.press(silent, "不予批准", reason="收入超过标准")

    assert silent.status == 422
    assert "请先写明理由" in silent.text
    assert "收入超过标准" in told.text
    assert (await (await town.resident("zhang")).call("GET", f"/cases/{case['id']}"))["decision"] == "refused"


async def test_a_correction_names_what_to_mend_in_one_notice(town: Town, staff: Staffed):
    case, clerk = await apply(town, item=ALONE), await staff("clerk")
    page = await opened(clerk, case)

    vague = await clerk.press(page, "发出补正告知", reason="材料不清楚")
    clear = await clerk.press(vague, "发出补正告知", **{"reason": "材料不清楚", "material:id_card": "请重拍正面", "field:phone": "少一位"})
    told = await (await town.resident("zhang")).call("GET", f"/cases/{case['id']}")

    assert (vague.status, vague.form_of("发出补正告知").fields["reason"]) == (422, "材料不清楚")
    assert "等待申请人补正" in clear.text
    assert told["correction"]["materials"] == [{"material": "id_card", "message": "请重拍正面"}]
    assert told["correction"]["fields"] == [{"name": "phone", "message": "少一位"}]


async def test_a_case_is_not_accepted_with_a_reason_only(town: Town, staff: Staffed):
    case, clerk = await apply(town, item=ALONE), await staff("clerk")

    silent = await clerk.press(await opened(clerk, case), "不予受理", reason="")
    told = await clerk.press(silent, "不予受理", reason="不属于\u202e本机关职权")

    assert silent.status == 422
    assert "不属于本机关职权" in told.text
    assert told.buttons == {"保存备注"}


async def test_two_at_one_case_the_second_sees_that_it_changed(town: Town, staff: Staffed):
    case = await apply(town, item=ALONE)
    first, second = await staff("clerk"), await staff("officer", "MZ")
    seen_by_second = await opened(second, case)

    await first.press(await opened(first, case), "受理")
    late = await second.press(seen_by_second, "受理")

    assert late.status == 412
    assert "内容已被更新" in late.text
    assert late.links["查看最新情况"] == f"/desk/cases/{case['id']}"


ALWAYS = {"领取", "保存备注"}
BUTTONS = [
    ("clerk", "", {"受理", "发出补正告知", "不予受理", "登记优先", *ALWAYS}, {"登记优先", *ALWAYS}),
    ("officer", "MZ", {"受理", "发出补正告知", "登记优先", *ALWAYS}, {"启动并告知申请人", "登记优先", *ALWAYS}),
    ("approver", "MZ", {"不予受理", *ALWAYS}, {"准予", "不予批准", "先行准予", "启动并告知申请人", *ALWAYS}),
    ("supervisor", "", set(), set()),
]


@pytest.mark.parametrize(("role", "department", "submitted", "reviewed"), BUTTONS)
async def test_each_role_sees_its_own_buttons(
    town: Town, staff: Staffed, role: str, department: str, submitted: set[str], reviewed: set[str]
):
    case = await apply(town, item=ALONE)
    visitor = await staff(role, department)
    before = await opened(visitor, case)
    clerk = visitor if role == "clerk" else await staff("clerk")
    await clerk.press(await opened(clerk, case), "受理")
    after = await opened(visitor, case)

    assert before.buttons == submitted
    assert after.buttons == reviewed


async def test_a_reviewing_department_gives_its_opinion_and_no_other(town: Town, staff: Staffed):
    case = await accepted(town, staff, TOGETHER)
    police, approver = await staff("officer", "GA"), await staff("approver", "GA")

    asked, watched = await opened(police, case), await opened(approver, case)
    told = await police.press(asked, "同意", reason="户籍属实")

    assert asked.buttons == {"同意", "不同意", "启动并告知申请人", *ALWAYS}
    assert watched.buttons == {"启动并告知申请人", "分派经办人", *ALWAYS}
    assert "户籍属实" in told.text
    assert "李窗口" in told.text  # who said so
    assert told.buttons == {"保存备注"}


@pytest.mark.parametrize("role", ["officer", "approver"])
async def test_a_department_that_has_no_part_in_a_case_does_not_find_it(town: Town, staff: Staffed, role: str):
    case = await apply(town, item=ALONE)
    stranger, clerk = await staff(role, "SJ"), await staff("clerk")
    form = (await opened(clerk, case)).form_of("受理")
    own = (await stranger.visit("/desk")).forms[0].fields["form_token"]

    seen, listed = await opened(stranger, case), await stranger.visit("/desk")
    forced = await stranger.ask("POST", form.action, data={**form.fields, "form_token": own})

    assert seen.status == 404
    assert forced.status in {403, 404}
    assert case["number"] not in listed.html
    assert "受理" in (await opened(clerk, case)).buttons


async def test_files_are_for_those_who_see_their_case(town: Town, staff: Staffed, anyone: Callable[[], Visitor]):
    case, other = await apply(town, item=ALONE), await apply(town, item="SJ-03")
    upload = next(one["uploads"][0]["id"] for one in case["materials"] if one["uploads"])
    clerk, stranger = await staff("clerk"), await staff("officer", "SJ")
    path = f"/desk/cases/{case['id']}/uploads/{upload}"

    shown = await clerk.visit(path)
    hidden, sideways = await stranger.visit(path), await stranger.visit(f"/desk/cases/{other['id']}/uploads/{upload}")

    assert f'src="{path}"' in (await opened(clerk, case)).html
    assert (shown.status, shown.headers["Content-Type"]) == (200, "image/jpeg")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert (hidden.status, sideways.status) == (404, 404)
    assert (await anyone().visit(path)).path == "/login"


async def test_the_list_is_filtered_by_state_and_shows_the_oldest_first(town: Town, staff: Staffed):
    first, second = await apply(town, item=ALONE), await apply(town, user="li", item=ALONE)
    clerk = await staff("clerk")
    await clerk.press(await opened(clerk, second), "受理")

    everything, waiting = await clerk.visit("/desk", params={"show": "all"}), await clerk.visit("/desk", params={"state": "submitted"})

    places = [everything.html.index(case["id"]) for case in (first, second)]
    assert places == sorted(places)
    assert first["id"] in waiting.html
    assert second["id"] not in waiting.html
    assert "没有等待办理的办件" in (await clerk.visit("/desk", params={"state": "decided"})).text


@pytest.mark.parametrize(
    "wrong", [{"act": "delete"}, {"result": "maybe"}, {"reason": "长" * 2001}, {"act": "opinion", "result": "granted"}]
)
async def test_what_no_button_sends_is_refused(town: Town, staff: Staffed, wrong: dict[str, str]):
    case, approver = await accepted(town, staff), await staff("approver", "MZ")
    form = (await opened(approver, case)).form_of("准予")

    seen = await approver.ask("POST", form.action, data={**form.fields, "result": "granted", **wrong})

    assert seen.status == 400
    assert "准予" in (await opened(approver, case)).buttons


async def test_names_and_answers_are_shown_as_text(town: Town, staff: Staffed):
    case, clerk = await apply(town, item=ALONE), await staff("clerk")

    page = await clerk.press(await opened(clerk, case), "不予受理", reason="<script>alert(1)</script>")

    assert "<script>alert" not in page.html
    assert "&lt;script&gt;alert" in page.html
