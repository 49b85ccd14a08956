"""The desk as officers work with it, with JavaScript and without."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Dialog, expect

from tests.browser.conftest import Enter
from tests.browser.people import BROWSER, Person, applied, shown_code
from tests.support.wholetown import Town

pytestmark = BROWSER

ALONE = "MZ-03"  # an item that its lead department, MZ, decides alone

PHOTO_WIDTH = 320  # pixels, of what tests.support.wholetown photographs


def press(person: Person, name: str):
    return person.page.get_by_role("button", name=name, exact=True).click()


async def state_of(town: Town, user: str, case_id: str) -> str:
    state: str = (await (await town.resident(user)).call("GET", f"/cases/{case_id}"))["state"]
    return state


async def test_a_case_is_accepted_with_one_click_and_a_second_does_no_harm(town: Town, enter: Enter):
    case, clerk = await applied(town, "accept", ALONE), await enter()
    await clerk.log_in()
    await clerk.page.goto(f"/desk/cases/{case['id']}")
    await clerk.meets_no_barriers()

    await clerk.page.get_by_role("button", name="受理", exact=True).dblclick()

    await expect(clerk.page.get_by_role("status")).to_have_text("已受理，已通知申请人和各部门。")
    await expect(clerk.page.get_by_text("还剩")).to_be_visible()
    assert await state_of(town, "accept", case["id"]) == "in_review"
    await clerk.meets_no_barriers()


async def test_photographs_are_seen_on_the_page_and_open_whole(town: Town, enter: Enter):
    case, clerk = await applied(town, "photo", ALONE), await enter()
    await clerk.log_in()
    clerk.expects("Applying inline style")  # what Chromium itself puts around a picture; the file's own policy forbids all styles
    await clerk.page.goto(f"/desk/cases/{case['id']}")
    pictures = clerk.page.locator(".files img")

    await expect(pictures).to_have_count(4)
    for picture in await pictures.all():
        await picture.scroll_into_view_if_needed()
        await expect(picture).to_have_js_property("naturalWidth", PHOTO_WIDTH)
    async with clerk.context.expect_page() as opened:
        await clerk.page.get_by_role("link", name="id_card.jpg").click()
    tab = await opened.value

    await expect(tab.locator("img")).to_have_js_property("naturalWidth", PHOTO_WIDTH)


async def test_a_correction_is_written_once_and_stays_when_something_is_missing(town: Town, enter: Enter):
    case, clerk = await applied(town, "correct", ALONE), await enter(width=390, height=844)
    await clerk.log_in()
    clerk.expects("status of 422")
    await clerk.page.goto(f"/desk/cases/{case['id']}")

    await clerk.page.get_by_text("一次性告知补正").click()
    await clerk.page.get_by_label("总体说明").fill("身份证照片不清楚")
    await clerk.meets_no_barriers()
    await press(clerk, "发出补正告知")
    await expect(clerk.page.get_by_role("alert")).to_contain_text("至少指明一项")
    await expect(clerk.page.get_by_label("总体说明")).to_have_value("身份证照片不清楚")
    await clerk.meets_no_barriers()
    await clerk.page.get_by_label("居民身份证").fill("请重拍正面，四角完整")
    await press(clerk, "发出补正告知")

    await expect(clerk.page.get_by_role("heading", name="等待申请人补正")).to_be_visible()
    assert await state_of(town, "correct", case["id"]) == "correction_requested"
    await clerk.meets_no_barriers()


@pytest.mark.parametrize(("button", "heading"), [("准予", "准予"), ("不予批准", "不予批准")])
async def test_a_decision_is_asked_back_once_and_made_only_then(town: Town, enter: Enter, button: str, heading: str):
    user = f"decide-{len(button)}"
    case, clerk, approver = await applied(town, user, ALONE), await enter(), await enter()
    await clerk.log_in()
    await clerk.page.goto(f"/desk/cases/{case['id']}")
    await press(clerk, "受理")
    await expect(clerk.page.get_by_role("status")).to_be_visible()
    await approver.log_in("approver", "MZ")
    await approver.page.goto(f"/desk/cases/{case['id']}")
    await approver.page.get_by_label("理由 不予批准时必须填写").fill("依据核查结果")
    asked: list[str] = []

    async def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await (dialog.accept() if len(asked) > 1 else dialog.dismiss())

    approver.page.on("dialog", answer)
    await press(approver, button)
    assert await state_of(town, user, case["id"]) == "in_review"
    await press(approver, button)

    await expect(approver.page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    assert len(asked) == 2
    assert "不能撤销" in asked[0]
    assert await state_of(town, user, case["id"]) == "completed"
    await approver.meets_no_barriers()


async def test_who_comes_second_is_told_and_led_to_the_latest(town: Town, enter: Enter):
    case, first, second = await applied(town, "conflict", ALONE), await enter(), await enter(width=390, height=844)
    await first.log_in()
    await second.log_in("officer", "MZ")
    second.expects("status of 412")
    for person in (first, second):
        await person.page.goto(f"/desk/cases/{case['id']}")

    await press(first, "受理")
    await expect(first.page.get_by_role("status")).to_be_visible()
    await press(second, "受理")

    await expect(second.page.get_by_role("heading", name="内容已被更新")).to_be_visible()
    await second.meets_no_barriers()
    await second.page.get_by_role("link", name="查看最新情况").click()
    await expect(second.page.get_by_text("审查中")).to_be_visible()


async def test_the_list_follows_the_chosen_state_at_once(town: Town, enter: Enter):
    case, clerk = await applied(town, "list", ALONE), await enter()
    await clerk.log_in()
    await clerk.page.get_by_role("link", name="办件", exact=True).click()
    row = clerk.page.locator(f"a[href='/desk/cases/{case['id']}']")
    await expect(row).to_be_visible()

    await clerk.page.get_by_label("状态").select_option(label="审查中")

    await expect(clerk.page).to_have_url(re.compile("state=in_review"))
    await expect(row).to_have_count(0)


async def test_without_javascript_the_whole_job_can_be_done(town: Town, enter: Enter):
    case, clerk, approver = await applied(town, "plain", ALONE), await enter(javascript=False), await enter(javascript=False)
    short = (await shown_code(town, "plain"))["short"]
    await clerk.log_in()
    await approver.log_in("approver", "MZ")

    await clerk.page.get_by_label("扫码，或输入编号").fill(short)
    await press(clerk, "查看")
    await clerk.page.get_by_role("link", name="打开办件").click()
    await press(clerk, "受理")
    await expect(clerk.page.get_by_text("已受理，已通知申请人和各部门。")).to_be_visible()
    await approver.page.goto(f"/desk/cases/{case['id']}")
    await press(approver, "准予")

    await expect(approver.page.get_by_text("决定已作出，结果已告知申请人。")).to_be_visible()
    assert await state_of(town, "plain", case["id"]) == "completed"
