"""Authorities to act for others at the desk, without JavaScript: the list, the check with its paper, the refusal, the case."""

from __future__ import annotations

from tests.flows.test_on_behalf_of_others import applied, asked
from tests.mobile_api.pages.conftest import BOTH, Staffed
from tests.support.proxies import GRANDMOTHER, OLD, YOUNG
from tests.support.wholetown import Town, photograph


@BOTH
async def test_an_authority_is_looked_at_and_approved_and_the_case_says_who_acts(town: Town, staff: Staffed):
    agent, clerk = await town.resident("wang"), await staff("clerk")
    one = await asked(agent, kind="mandate", relation="", document=await photograph(agent, "mandate"))

    listed = await clerk.visit("/desk/proxies")
    page = await clerk.visit(listed.links["王** 替 赵**"])
    paper = await clerk.visit(page.links["打开授权证明"])
    approved = await clerk.press(page, "核对无误，通过")
    case = await applied(agent, one["id"])
    shown = await clerk.visit(f"/desk/cases/{case['id']}")
    same_paper = await clerk.visit(shown.links["打开授权证明"])
    desk = await clerk.visit("/desk")

    assert OLD in page.text
    assert YOUNG in page.text
    assert paper.headers["Content-Type"] == same_paper.headers["Content-Type"] == "image/jpeg"
    assert "授权已通过" in approved.text
    assert f"申请人（被代办人）{GRANDMOTHER}" in shown.text
    assert "由王**代办" in desk.text
    assert "没有待审核的授权" in (await clerk.visit("/desk/proxies")).text


async def test_a_refusal_needs_its_reason_and_what_holds_can_be_taken_back(town: Town, staff: Staffed):
    agent, clerk = await town.resident("wang"), await staff("clerk")
    one, other = await asked(agent), await asked(agent, "other", kind="mandate", document=await photograph(agent, "mandate"))
    address = f"/desk/proxies/{one['id']}"

    silent = await clerk.press(await clerk.visit(address), "不通过", reason=" ")
    refused = await clerk.press(silent, "不通过", reason="请到窗口核对户口簿")
    await clerk.press(await clerk.visit(f"/desk/proxies/{other['id']}"), "核对无误，通过")
    gone = await clerk.press(await clerk.visit(f"/desk/proxies/{other['id']}"), "收回授权", reason="委托书已作废")

    assert (silent.status, "请先写明理由" in silent.text) == (422, True)
    assert "请到窗口核对户口簿" in refused.text
    assert refused.buttons == set()
    assert "授权已收回" in gone.text
    assert (await clerk.visit("/desk/proxies?state=revoked")).links["王** 替 赵**"] == f"/desk/proxies/{other['id']}"


async def test_only_the_halls_clerks_see_them(town: Town, staff: Staffed):
    agent, officer, clerk = await town.resident("wang"), await staff("officer", "MZ"), await staff("clerk")
    one = await asked(agent)

    assert "代办授权" not in (await officer.visit("/desk")).links
    assert (await officer.visit("/desk/proxies")).status == 403
    assert (await officer.visit(f"/desk/proxies/{one['id']}")).status == 404
    assert (await clerk.visit("/desk/proxies?state=all")).status == 400
    assert (await clerk.visit("/desk/proxies?after=!")).status == 400
    assert (await clerk.visit(f"/desk/proxies/{one['id']}/document")).status == 404


async def test_the_counter_sees_for_whom_the_holder_acts(town: Town, staff: Staffed):
    agent, clerk, api = await town.resident("wang"), await staff("clerk"), await town.staff("clerk", "HALL")
    one = await asked(agent)
    await api.call("POST", f"/desk/proxies/{one['id']}/approve")
    case = await applied(agent, one["id"])

    found = await clerk.press(await clerk.visit("/hall"), "查看", code=case["number"])

    assert "赵**，由王**代办" in found.text

    await agent.call("DELETE", f"/me/proxies/{one['id']}", expect=(204,))
    over = await clerk.press(await clerk.visit("/hall"), "查看", code=case["number"])
    page = await clerk.visit(f"/desk/cases/{case['id']}")

    assert "授权已结束" not in found.text
    assert "由王**代办（授权已结束，不能再办理或领取结果）" in over.text
    assert "也不能领取结果" in page.text
    assert "没有人收到本办件的通知" in page.text


async def test_an_account_that_is_not_the_principals_is_parted_from_her(town: Town, staff: Staffed):
    agent, cheat, clerk, api = (
        await town.resident("wang"),
        await town.resident("other"),
        await staff("clerk"),
        await town.staff("clerk", "HALL"),
    )
    one = await asked(agent)
    await api.call("POST", f"/desk/proxies/{one['id']}/approve")
    case = await applied(agent, one["id"])
    await cheat.call("POST", "/me/proxies/confirm", json={"number": OLD, "code": one["code"]}, key="confirm")
    await api.call("POST", f"/desk/proxies/{one['id']}/revoke", json={"reason": "冒用他人身份"})
    await cheat.call("GET", f"/cases/{case['id']}")

    done = await clerk.press(await clerk.visit(f"/desk/proxies/{one['id']}"), "解除该账号", reason="不是本人")

    assert "已解除" in done.text
    assert done.buttons == set()
    await cheat.call("GET", f"/cases/{case['id']}", expect=(404,))
    again = await api.call("POST", f"/desk/proxies/{one['id']}/unlink", json={"reason": "不是本人"}, expect=(409, 422))
    assert again["code"] == "proxy_not_waiting"
