"""The residents' page (H5) as it is built: the whole job on a phone's screen, and what makes it readable for everybody."""

from __future__ import annotations

import io
import os
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Locator, expect

from mobile_api.pages.rendering import STATIC
from tests.browser.conftest import Enter, needed
from tests.browser.people import BROWSER, Person, applied
from tests.support.wholetown import Town

pytestmark = BROWSER

ITEM, NAME, PINYIN = "SJ-03", "小餐饮登记", "xiaocanyin"
ANSWERS = {
    "applicant_name": "幸福面馆",
    "credit_code": "91350100M000100Y43",
    "contact_name": "李建国",
    "phone": "13800138000",
    "shop_name": "幸福面馆",
    "address": "示例镇幸福村一组12号",
    "area": "30",
    "items": "面条、馄饨",
    "staff_count": "2",
}
PAPERS = ("id_card", "biz_license", "health_cert", "floor_plan", "safety_rules")
SLOW_UPLOAD = 60_000  # bytes a second: a phone at the edge of the village


@pytest.fixture(autouse=True)
def built() -> None:
    """The page is made by npm, not kept in the repository."""
    needed((STATIC / "m" / "index.html").exists(), "the residents' page is not built: python miniprogram/build.py")


@pytest_asyncio.fixture(loop_scope="session")
async def departments(town: Town) -> AsyncIterator[Town]:
    """The town; its departments, if the test lets them go on, rest again afterwards."""
    yield town
    await town.departments.pause()


def seen(person: Person, testid: str) -> Locator:
    """What has this test id on the page that is open; the pages below it are kept in the document, hidden."""
    return person.page.get_by_test_id(testid).filter(visible=True)


async def go(person: Person, path: str) -> None:
    """Open a screen by its address and wait for it."""
    await person.page.goto(f"/m/#/pages/{path}")


async def become(person: Person, user: str) -> None:
    """Choose a pretend resident."""
    await go(person, "login/index")
    await seen(person, f"login-{user}").click()
    await expect(seen(person, "login")).to_have_count(0)


def picture(size: int) -> dict[str, str | bytes]:
    """A photograph of noise, which no codec makes smaller."""
    out = io.BytesIO()
    Image.frombytes("RGB", (size, size), os.urandom(size * size * 3)).save(out, "JPEG", quality=60)
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


async def fill(person: Person) -> None:
    for name, text in ANSWERS.items():
        await seen(person, f"field-{name}").locator("input, textarea").fill(text)
    await seen(person, "field-online_sale").get_by_text("否", exact=True).click()


async def upload_slowly(person: Person, paper: str) -> None:
    """Upload over a bad network, and see the bar between its ends."""
    line = await person.context.new_cdp_session(person.page)
    await line.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": SLOW_UPLOAD}
    await line.send("Network.emulateNetworkConditions", slow)
    await seen(person, f"file-{paper}").set_input_files([picture(400)])  # type: ignore[list-item]
    bar = seen(person, f"material-{paper}").get_by_role("progressbar")
    await expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d$"))
    await line.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    await line.detach()
    await expect(seen(person, f"material-{paper}").get_by_test_id("upload-row")).to_have_attribute("data-state", "ready", timeout=30_000)


async def upload(person: Person, paper: str) -> None:
    await seen(person, f"file-{paper}").set_input_files([picture(64)])  # type: ignore[list-item]
    await expect(seen(person, f"material-{paper}").get_by_test_id("upload-row")).to_have_attribute("data-state", "ready")


async def apply(person: Person) -> None:
    """From the search to the number of the case."""
    await go(person, "home/index")
    await seen(person, "search").fill(PINYIN)
    await seen(person, f"item-{ITEM}").click()
    await expect(person.page.get_by_role("heading", level=1, name=NAME)).to_be_visible()
    await expect(seen(person, "guide-materials").get_by_role("listitem")).to_have_count(len(PAPERS) + 1)
    await seen(person, "start-apply").click()
    await fill(person)
    await upload_slowly(person, PAPERS[0])
    for paper in PAPERS[1:]:
        await upload(person, paper)
    await seen(person, "to-check").click()
    await expect(seen(person, "answers")).to_contain_text("幸福面馆")
    await person.meets_no_barriers()
    await seen(person, "submit").click()
    await expect(seen(person, "result-number")).to_have_text(re.compile(r"^\d{22}[0-9A-Z]$"))


@pytest.mark.timeout(150)
async def test_the_whole_job_from_the_search_to_the_counter(departments: Town, enter: Enter):
    town, resident, clerk = departments, await enter(width=390, height=844), await enter()
    await become(resident, "li")
    await apply(resident)
    number = await seen(resident, "result-number").inner_text()
    await resident.meets_no_barriers()

    await seen(resident, "see-case").click()
    await expect(seen(resident, "state")).to_have_attribute("data-state", "submitted")
    await expect(seen(resident, "live")).to_have_attribute("data-state", "live")
    await resident.page.evaluate("window.sameDocument = true")
    await town.departments.go_on()
    await expect(seen(resident, "state")).to_have_attribute("data-state", "completed", timeout=30_000)
    for happened in ("submitted", "accepted", "decided", "completed"):
        await expect(seen(resident, "timeline").locator(f"[data-type={happened}]")).to_have_count(1)
    assert await resident.page.evaluate("window.sameDocument"), "the timeline moved by itself"

    await resident.meets_no_barriers()
    await seen(resident, "rate-5").click()
    await seen(resident, "rate-send").click()
    await expect(seen(resident, "rated")).to_contain_text("非常满意")

    await go(resident, "code/index")
    short = await seen(resident, "lookup-short").get_attribute("data-code")
    await clerk.log_in()
    await clerk.gun(short or "")
    await expect(clerk.page.get_by_role("heading", level=3)).to_have_text(NAME)
    assert await clerk.page.locator(".number").inner_text() == number
    await expect(seen(resident, "code-scanned")).to_be_visible()


async def test_a_correction_asked_at_the_desk_is_mended_on_the_phone(town: Town, enter: Enter):
    case, resident, clerk = await applied(town, "wang"), await enter(width=390, height=844), await enter()
    await become(resident, "wang")
    await go(resident, f"case/index?id={case['id']}")
    await expect(seen(resident, "live")).to_have_attribute("data-state", "live")
    await clerk.log_in()
    await clerk.page.goto(f"/desk/cases/{case['id']}")
    await clerk.page.get_by_text("一次性告知补正").click()
    await clerk.page.get_by_label("总体说明").fill("请改正电话")
    await clerk.page.get_by_label("联系电话").fill("少一位")
    await clerk.page.get_by_role("button", name="发出补正告知").click()
    await expect(clerk.page.get_by_role("status")).to_be_visible()

    await expect(seen(resident, "state")).to_have_attribute("data-state", "correction_requested")
    await seen(resident, "go-correction").click()
    await seen(resident, "field-phone").locator("input").fill("13900139000")
    await resident.meets_no_barriers()
    await seen(resident, "send-correction").click()

    await expect(seen(resident, "state")).to_have_attribute("data-state", "submitted")
    await clerk.page.reload()
    await expect(clerk.page.get_by_text("13900139000")).to_be_visible()


async def test_what_is_missing_is_said_at_once_and_at_its_place(town: Town, enter: Enter):
    resident = await enter(width=390, height=844)
    await become(resident, "wang")
    await go(resident, f"apply/index?code={ITEM}")
    await expect(seen(resident, "field-phone")).to_be_visible()
    await seen(resident, "field-phone").locator("input").fill("123")

    await seen(resident, "to-check").click()

    await expect(seen(resident, "error-summary")).to_be_visible()
    await expect(seen(resident, "fault-phone")).to_be_visible()
    await expect(seen(resident, "fault-id_card")).to_be_visible()
    await resident.meets_no_barriers()


async def test_the_elder_mode_makes_words_large_and_targets_easy(town: Town, enter: Enter):
    resident = await enter(width=390, height=844)
    await go(resident, "home/index")
    switch = seen(resident, "elder-switch")
    await expect(seen(resident, "items").get_by_role("listitem").first).to_be_visible()
    await expect(switch).to_have_attribute("aria-checked", "false")

    await switch.click()

    await expect(switch).to_have_attribute("aria-checked", "true")
    await resident.meets_no_barriers()
    # MIIT 2021 ageing-friendly norm: main text 18 dp and more, targets 60 dp and more
    row = seen(resident, "items").get_by_role("button").first
    size = await row.locator(".strong").evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)")
    box = await row.bounding_box()
    assert size >= 18
    assert box is not None
    assert box["height"] >= 60
    await resident.page.reload()
    await expect(switch).to_have_attribute("aria-checked", "true")


@pytest.mark.timeout(150)
@pytest.mark.parametrize(("width", "elder"), [(390, False), (320, False), (320, True)])
async def test_screens_have_no_barriers(town: Town, enter: Enter, width: int, elder: bool):  # noqa: FBT001 - a row of the table
    case, resident = await applied(town, "zhang"), await enter(width=width, height=844)
    await become(resident, "zhang")
    if elder:
        await go(resident, "home/index")
        await seen(resident, "elder-switch").click()
    screens = {
        "home/index": "items",
        f"guide/index?code={ITEM}": "start-apply",
        f"apply/index?code={ITEM}": "field-phone",
        "cases/index": "case-list",
        f"case/index?id={case['id']}": "timeline",
        "code/index": "lookup-qr",
        "me/index": "resident-name",
        "inbox/index": "inbox",
        "login/index": "login-li",
    }

    for path, testid in screens.items():
        await go(resident, path)
        await expect(seen(resident, testid).first).to_be_visible()
        await resident.meets_no_barriers()


async def test_who_allows_it_by_a_tap_gets_the_news_from_wechat_too(departments: Town, enter: Enter):
    resident = await enter(width=390, height=844)
    await become(resident, "wang")
    await apply(resident)

    await seen(resident, "ask-consent").click()
    await expect(seen(resident, "consent-outcome")).to_have_text("已开启，有进展会通知您。")
    await seen(resident, "ask-consent").click()
    await expect(seen(resident, "ask-consent")).to_have_count(0)
    await departments.departments.go_on()

    async def results() -> list[str]:
        return [message["title"] for message in await departments.wechat_messages("wang") if message["title"] == "办理结果通知"]

    assert await departments.until(results, "the result on the phone")


async def test_a_link_followed_while_the_page_is_open_shows_what_it_says_in_the_language_chosen(enter: Enter):
    resident = await enter(width=390, height=844)
    heading = resident.page.get_by_role("heading", level=1).filter(visible=True)
    await go(resident, "guide/index?code=MZ-01")
    await expect(heading).to_have_text("最低生活保障审核确认")

    await go(resident, f"guide/index?code={ITEM}")

    await expect(heading).to_have_text(NAME)
    await go(resident, "me/index")
    await resident.page.get_by_text("English").filter(visible=True).click()
    await expect(resident.page.locator(".uni-page-head__title").filter(visible=True)).to_have_text("Me")
