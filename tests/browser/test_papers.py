"""A paper that follows, from the phone to the desk and back: the commitment is read and signed by name, the paper handed in later."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from mobile_api.pages.rendering import STATIC
from tests.browser.conftest import Enter, needed
from tests.browser.people import BROWSER, Person
from tests.browser.test_residents import become, go, seen, upload
from tests.support.wholetown import Town

pytestmark = BROWSER

ANSWERS = {
    "applicant_name": "王秀英",
    "id_number": "11010519491231002X",
    "phone": "13800138000",
    "address": "示例镇幸福村一组12号",
    "amount": "3000",
    "story": "房屋失火，家具被褥烧毁。",
    "bank_account": "6217000000000000000",
}


@pytest.fixture(autouse=True)
def built() -> None:
    """The page is made by npm, not kept in the repository."""
    needed((STATIC / "m" / "index.html").exists(), "the residents' page is not built: python miniprogram/build.py")


async def fill(person: Person) -> None:
    """Everything that relief asks, but the proof of need."""
    for name, text in ANSWERS.items():
        await seen(person, f"field-{name}").locator("input, textarea").fill(text)
    await seen(person, "field-happened_on").locator("input").fill("2025-12-01")
    await seen(person, "field-difficulty").locator("select").select_option("fire")
    await seen(person, "field-urgent").get_by_text("否", exact=True).click()
    for paper in ("id_card", "hukou", "ssc"):
        await upload(person, paper)


async def apply(resident: Person) -> None:
    """Apply without the proof of need, and sign for it."""
    await become(resident, "wang")
    await go(resident, "apply/index?code=MZ-03")
    await expect(seen(resident, "urgent")).to_contain_text("48 小时内决定")
    await fill(resident)
    await seen(resident, "to-check").click()
    await expect(seen(resident, "text-tolerated")).to_contain_text("致困情形证明")
    await seen(resident, "submit").click()
    await expect(seen(resident, "fault-signed-by")).to_be_visible()
    await resident.meets_no_barriers()
    await seen(resident, "field-signed-by").locator("input").fill("王秀英")
    await seen(resident, "submit").click()
    await seen(resident, "see-case").click()
    await expect(seen(resident, "papers-owed")).to_contain_text("受理后告知补交期限")


async def take_in(clerk: Person) -> None:
    """Accept the newest case of relief, read what was signed, and find it in the ledger."""
    await clerk.log_in()
    await clerk.page.goto("/desk")
    await clerk.page.get_by_role("link", name="临时救助").first.click()
    await clerk.page.get_by_role("button", name="受理", exact=True).click()
    await clerk.page.get_by_text("容缺受理承诺书：王秀英").click()
    await expect(clerk.page.get_by_text("本人申请办理的事项")).to_be_visible()
    await clerk.meets_no_barriers()
    await clerk.page.get_by_role("link", name="待补材料").click()
    await expect(clerk.page.get_by_role("table")).to_contain_text("容缺后补")
    await clerk.meets_no_barriers()


@pytest.mark.timeout(120)
async def test_a_commitment_is_signed_on_the_phone_and_the_paper_handed_in_after_acceptance(town: Town, enter: Enter):
    resident, clerk = await enter(width=390, height=844), await enter()
    await apply(resident)
    await take_in(clerk)

    await expect(seen(resident, "papers-owed")).to_contain_text("前补交")
    await resident.meets_no_barriers()
    await upload(resident, "hardship_proof")
    await seen(resident, "send-papers").click()
    await expect(seen(resident, "debt-hardship_proof")).to_contain_text("已补交")
    await clerk.page.reload()
    await expect(clerk.page.get_by_text("没有未了结的材料")).to_be_visible()
