"""The counter as a clerk works with it: scanner gun, keyboard, camera, and the pages around it."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Enter
from tests.browser.people import BROWSER, Person, applied, shown_code
from tests.support.wholetown import Town

pytestmark = BROWSER

SCREENS = [(1280, 800), (390, 844), (320, 640)]

# Chromium on Linux has no BarcodeDetector: this one reads what the test holds before the camera.
_DETECTOR = """window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["qr_code"]; }
  async detect(video) { return video.videoWidth ? [{ rawValue: "%s" }] : []; }
};"""


async def sees(person: Person, heading: str) -> None:
    await expect(person.page.get_by_role("heading", level=2)).to_have_text(heading)


async def test_a_gun_types_into_the_field_and_the_next_scan_can_follow(town: Town, enter: Enter):
    case, clerk = await applied(town, "gun"), await enter()
    await clerk.log_in()
    field = clerk.page.get_by_label("扫码，或输入编号")
    await expect(field).to_be_focused()

    await clerk.gun(case["receipt_code"])
    await sees(clerk, "张三 1 个办件")

    await expect(clerk.page.get_by_role("heading", level=3)).to_have_text(case["item"]["name"])
    await expect(clerk.page.get_by_role("status").filter(has_text="1 个办件")).to_have_count(1)
    await expect(field).to_be_focused()
    await expect(field).to_have_value("")
    await clerk.gun(case["number"])
    await sees(clerk, "张三 1 个办件")


async def test_a_gun_is_heard_wherever_the_focus_is_and_fingers_are_not(town: Town, enter: Enter):
    case, clerk = await applied(town, "focus"), await enter()
    await clerk.log_in()
    link = clerk.page.get_by_role("link", name="跳到正文")

    await link.focus()
    for key in "1302081":
        await clerk.page.keyboard.press(key, delay=80)
    await expect(link).to_be_focused()
    assert clerk.page.url.endswith("/hall")
    await clerk.gun(case["number"])

    await sees(clerk, "张三 1 个办件")


async def test_a_gun_behind_a_chinese_input_method_types_full_width(town: Town, enter: Enter):
    case, clerk = await applied(town, "wide"), await enter()
    await clerk.log_in()

    await clerk.page.keyboard.insert_text("".join(chr(ord(one) + 0xFEE0) for one in case["number"]))
    await clerk.page.keyboard.press("Enter")

    await sees(clerk, "张三 1 个办件")


async def test_a_pasted_code_opens_once(town: Town, enter: Enter):
    case, clerk = await applied(town, "paste"), await enter()
    code = (await shown_code(town, "paste"))["code"]
    await clerk.log_in()
    clerk.expects("status of 404")

    await clerk.page.keyboard.insert_text(code)
    await clerk.page.get_by_role("button", name="查看").click()
    await expect(clerk.page.get_by_role("heading", level=3)).to_have_text(case["item"]["name"])
    await clerk.gun(code)

    await sees(clerk, "这个码不能使用")
    await expect(clerk.page.get_by_role("status").filter(has_text="这个码不能使用")).to_have_count(1)
    await clerk.meets_no_barriers()


async def test_a_code_whose_time_is_over_asks_for_a_new_one(town: Town, enter: Enter):
    await applied(town, "late")
    code = (await shown_code(town, "late"))["short"]
    clerk, redis = await enter(), town.stores.redis.commands
    await clerk.log_in()
    clerk.expects("status of 404")

    await redis.delete(*[key async for key in redis.scan_iter("*") if b"lookup:" in key])
    await clerk.gun(code.replace(" ", ""))

    await sees(clerk, "这个码不能使用")
    await expect(clerk.page.get_by_text("请居民刷新后重新出示")).to_be_visible()


async def test_the_keyboard_alone_is_enough(town: Town, enter: Enter):
    case, clerk = await applied(town, "keys"), await enter()
    await clerk.log_in()
    await clerk.gun(case["number"])
    await sees(clerk, "张三 1 个办件")

    reached = []
    for _ in range(4):
        await clerk.page.keyboard.press("Tab")
        reached.append(await clerk.page.evaluate("document.activeElement.textContent.trim()"))
        assert await clerk.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if reached[-1] == "打开办件":
            break
    await clerk.page.keyboard.press("Enter")

    assert reached[-1] == "打开办件", reached
    await expect(clerk.page).to_have_url(f"{town.base_url}/desk/cases/{case['id']}")


async def test_at_120_percent_nothing_is_cut_off(town: Town, enter: Enter):
    case, clerk = await applied(town, "zoom"), await enter(zoom=1.2)
    await clerk.log_in()
    await clerk.gun(case["number"])

    await sees(clerk, "张三 1 个办件")
    await clerk.meets_no_barriers()


async def test_the_camera_is_offered_where_the_browser_can_read_codes(town: Town, enter: Enter):
    case, clerk = await applied(town, "camera"), await enter()
    await clerk.log_in()
    button = clerk.page.get_by_role("button", name="摄像头扫码")
    await expect(button).to_be_hidden()

    await clerk.page.add_init_script(_DETECTOR % case["receipt_code"])
    await clerk.page.reload()
    await button.click()

    await sees(clerk, "张三 1 个办件")


async def test_after_the_log_out_the_back_button_shows_nothing(town: Town, enter: Enter):
    case, clerk = await applied(town, "back"), await enter()
    await clerk.log_in()
    await clerk.page.goto(f"/desk/cases/{case['id']}")
    await expect(clerk.page.get_by_text("13800138000")).to_be_visible()

    await clerk.page.get_by_role("button", name="退出").click()
    await expect(clerk.page.get_by_role("heading", name="工作人员登录")).to_be_visible()
    await clerk.page.go_back()

    await expect(clerk.page.get_by_role("heading", name="工作人员登录")).to_be_visible()
    await expect(clerk.page.get_by_text("13800138000")).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), SCREENS)
async def test_pages_have_no_barriers_on_any_screen(town: Town, enter: Enter, width: int, height: int):
    case, clerk = await applied(town, f"screen{width}"), await enter(width=width, height=height)
    clerk.expects("status of 404")
    for path in ("/", "/login", f"/r/{case['receipt_code']}", "/r/wrong", "/no/such/page"):
        await clerk.page.goto(path)
        await clerk.meets_no_barriers()
    await clerk.log_in()
    await clerk.meets_no_barriers()
    await clerk.gun(case["number"])
    await sees(clerk, "张三 1 个办件")
    await clerk.meets_no_barriers()
    for path in ("/desk", "/desk?state=decided", f"/desk/cases/{case['id']}"):
        await clerk.page.goto(path)
        await clerk.meets_no_barriers()


@pytest.mark.parametrize(("width", "height"), SCREENS)
async def test_verifying_and_the_administrators_page_have_no_barriers(enter: Enter, width: int, height: int):
    anybody, administrator, supervisor = [await enter(width=width, height=height) for _ in range(3)]
    anybody.expects("status of 404")
    await anybody.page.goto("/verify")
    await anybody.page.get_by_label("核验收件凭证").fill("A123")
    await anybody.page.get_by_role("button", name="核验").click()
    await expect(anybody.page.get_by_role("alert")).to_contain_text("没有查到")
    await anybody.meets_no_barriers()

    await administrator.log_in("administrator")
    await expect(administrator.page.get_by_role("heading", level=1)).to_have_text("系统管理")
    await administrator.meets_no_barriers()
    await supervisor.log_in("supervisor")  # has the longest menu
    await supervisor.meets_no_barriers()
