"""The life of a case at the desk without JavaScript: special procedures, extensions, delivery."""

from __future__ import annotations

from tests.mobile_api.pages.conftest import Staffed
from tests.mobile_api.pages.plainforms import Seen, Visitor
from tests.mobile_api.pages.test_pages import apply
from tests.support.wholetown import Town, application_for


async def taken(town: Town, staff: Staffed, item: str) -> str:
    """The address of a case that was just accepted."""
    case, clerk = await apply(town, item=item), await staff("clerk")
    address = f"/desk/cases/{case['id']}"
    await clerk.press(await clerk.visit(address), "受理")
    return address


async def test_an_officer_stops_the_clock_and_lets_it_go_on(town: Town, staff: Staffed):
    address, officer = await taken(town, staff, "SJ-03"), await staff("officer", "SJ")

    past = await officer.press(
        await officer.visit(address), "启动并告知申请人", procedure="听证", reason="利害关系人申请", until_on="2020-01-01"
    )
    stopped = await officer.press(past, "启动并告知申请人", procedure="听证", reason="利害关系人申请", until_on="")
    waiting = await officer.visit("/desk?show=all")
    over = await officer.press(stopped, "结束听证", result="维持")

    assert past.status == 422
    assert "预计结束日期不能早于今天" in past.text
    assert "进行中，时限中止" in stopped.text
    assert "还剩" not in stopped.text
    assert "特别程序告知书" in stopped.text
    assert "计时中止" in waiting.text
    assert "特别程序已结束" in over.text
    assert "已结束" in over.text


async def test_one_asks_for_more_time_and_another_approves(town: Town, staff: Staffed):
    address = await taken(town, staff, "MZ-01")
    officer, approver = await staff("officer", "MZ"), await staff("approver", "MZ")

    asked = await officer.press(await officer.visit(address), "提出延期申请", days="5", reason="案情复杂")
    waiting: Seen = await approver.visit(address)
    granted = await approver.press(waiting, "批准延期")

    assert "延期申请已提出" in asked.text
    assert "批准延期" not in asked.buttons
    assert "案情复杂" in waiting.text
    assert "须经分管负责人批准" in waiting.text
    assert "已批准延期" in granted.text
    assert "延长 5 个工作日" in granted.text


async def test_a_result_goes_by_post_comes_back_is_sent_again_and_is_signed_for(town: Town, staff: Staffed):
    resident = await town.resident("zhang")
    wish = {"delivery": {"method": "post", "address": "示例镇幸福路 1 号"}}
    body = {**await application_for(resident, "SJ-03"), **wish}
    case = await resident.call("POST", "/cases", json=body, key="post", expect=(201,))
    address, clerk, approver = f"/desk/cases/{case['id']}", await staff("clerk"), await staff("approver", "SJ")
    await clerk.press(await clerk.visit(address), "受理")
    await approver.press(await approver.visit(address), "准予", reason="符合条件")

    decided, unknown = await clerk.visit(address), await _in_unknown_years(town, clerk, address)
    nameless = await clerk.press(decided, "登记送达", method="post", carrier="", tracking="")
    sent = await clerk.press(nameless, "登记送达", method="post", carrier="邮政 EMS", tracking="EX1")
    again = await clerk.press(sent, "登记送达", method="post", carrier="邮政 EMS", tracking="EX2")
    done = await clerk.press(again, "已签收，办结", signed_by="本人")

    assert "示例镇幸福路 1 号" in decided.text
    assert "送达期限" in decided.text
    assert ("（暂定）" in decided.text, "（暂定）" in _delivery(unknown)) == (False, True)
    assert (nameless.status, "邮寄送达请填写快递公司和单号" in nameless.text) == (422, True)
    assert "重新送达" in sent.text
    assert "EX2" in again.text
    assert "本人 签收" in done.text
    assert "登记送达" not in done.buttons


async def test_a_refusal_shows_how_to_object(town: Town, staff: Staffed):
    address, approver = await taken(town, staff, "SJ-03"), await staff("approver", "SJ")

    refused = await approver.press(await approver.visit(address), "不予批准", reason="面积超过标准")

    assert "行政复议" in refused.text
    assert await _nothing_to_press(approver, address)


async def _in_unknown_years(town: Town, visitor: Visitor, address: str) -> str:
    """The page while nobody knows any year's holidays."""
    tables = town.stores.office.calendar.tables
    known = dict(tables)
    tables.clear()
    try:
        return (await visitor.visit(address)).text
    finally:
        tables.update(known)


def _delivery(page: str) -> str:
    return page.partition("送达期限")[2].partition("</div>")[0]


async def _nothing_to_press(visitor: Visitor, address: str) -> bool:
    return not (await visitor.visit(address)).buttons - {"退出", "保存备注"}
