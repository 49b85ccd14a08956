"""Officers at work with a browser: claim, template, many cases at once; by keyboard, and without barriers."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import Enter
from tests.browser.people import BROWSER, Person, applied
from tests.support.wholetown import Town

pytestmark = BROWSER

ALONE = "MZ-03"  # an item that its lead department, MZ, decides alone


def press(person: Person, name: str):
    return person.page.get_by_role("button", name=name, exact=True).click()


async def test_a_claim_keeps_the_second_officer_out_until_it_is_given_back(town: Town, enter: Enter):
    case, officer, clerk = await applied(town, "claim", ALONE), await enter(), await enter()
    await officer.log_in("officer", "MZ")
    await clerk.log_in()
    clerk.expects("status of 409")
    for person in (officer, clerk):
        await person.page.goto(f"/desk/cases/{case['id']}")

    await press(officer, "领取")
    await expect(officer.page.get_by_role("status")).to_contain_text("已领取")
    await officer.meets_no_barriers()
    await press(clerk, "受理")
    await expect(clerk.page.get_by_role("heading", name="正在由同事办理")).to_be_visible()
    await clerk.meets_no_barriers()
    await press(officer, "退回")
    await expect(officer.page.get_by_role("status")).to_contain_text("已退回")
    await clerk.page.get_by_role("link", name="查看最新情况").click()
    await press(clerk, "受理")

    await expect(clerk.page.get_by_role("status")).to_contain_text("已受理")


async def test_a_template_is_written_and_used_by_keyboard_alone(town: Town, enter: Enter):
    case, officer = await applied(town, "template", ALONE), await enter()
    await officer.log_in("officer", "MZ")
    await officer.page.get_by_role("link", name="办件", exact=True).click()
    await officer.page.get_by_role("link", name="答复模板").press("Enter")
    await officer.page.get_by_label("用于").select_option("补正告知")
    await officer.page.get_by_label("标题").fill("身份证不清")
    await officer.page.get_by_label("正文").fill("{applicant}：身份证照片看不清，请重拍。")
    await officer.page.get_by_role("button", name="保存模板").press("Enter")
    await expect(officer.page.get_by_role("status")).to_have_text("模板已保存。")
    await officer.meets_no_barriers()

    await officer.page.goto(f"/desk/cases/{case['id']}")
    await officer.page.get_by_text("一次性告知补正").press("Enter")
    await officer.page.get_by_label("居民身份证").fill("重拍正面")
    await officer.page.get_by_label("模板").select_option("身份证不清")
    await officer.page.get_by_role("button", name="套用").press("Enter")

    await expect(officer.page.get_by_label("总体说明")).to_have_value("张*：身份证照片看不清，请重拍。")
    await expect(officer.page.get_by_label("居民身份证")).to_have_value("重拍正面")
    await officer.meets_no_barriers()
    await officer.page.get_by_role("button", name="发出补正告知").press("Enter")
    await expect(officer.page.get_by_role("heading", name="等待申请人补正")).to_be_visible()


async def test_many_are_accepted_at_once_without_javascript_too(town: Town, enter: Enter):
    cases = [await applied(town, f"batch-{n}", "MZ-05") for n in range(3)]
    clerk = await enter(javascript=False)
    await clerk.log_in()
    await clerk.page.goto("/desk?item=MZ-05")

    for case in cases[:2]:
        await clerk.page.get_by_role("checkbox", name=case["number"]).check()
    await clerk.page.get_by_label("办什么").select_option("受理")
    await press(clerk, "办理勾选的")

    await expect(clerk.page.get_by_role("heading", name="批量办理：2 件已办理")).to_be_visible()
    states = [(await (await town.resident(f"batch-{n}")).call("GET", f"/cases/{case['id']}"))["state"] for n, case in enumerate(cases)]
    assert states == ["in_review", "in_review", "submitted"]


async def test_inbox_and_search_are_read_by_everybody(town: Town, enter: Enter):
    case, clerk, narrow = await applied(town, "read", ALONE), await enter(), await enter(width=390, height=844)
    for person in (clerk, narrow):
        await person.log_in()
        await person.page.goto("/desk?show=all")
        await expect(person.page.get_by_role("link", name=case["item"]["name"]).first).to_be_visible()
        await person.meets_no_barriers()
        await person.page.get_by_role("link", name="查找").click()
        await person.page.get_by_label("编号或收件凭证").fill(case["number"][-6:])
        await person.page.keyboard.press("Enter")
        await expect(person.page.locator(f"a[href='/desk/cases/{case['id']}']")).to_be_visible()
        await person.meets_no_barriers()
