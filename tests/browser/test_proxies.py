"""A granddaughter asks for an authority, a clerk approves it, she applies for her grandmother, and both see the case."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Enter
from tests.browser.people import BROWSER, Person
from tests.browser.test_papers import ANSWERS
from tests.browser.test_residents import become, built, go, seen, upload
from tests.support.proxies import GRANDMOTHER, OLD, YOUNG
from tests.support.wholetown import Town

__all__ = ["built"]

pytestmark = BROWSER


async def fill(person: Person, **answers: str) -> None:
    """Type into the fields with these names."""
    for name, text in answers.items():
        await seen(person, f"field-{name}").locator("input, textarea").fill(text)


async def ask(agent: Person) -> str:
    """Ask for an authority for everything; the code to tell the grandmother."""
    await become(agent, "wang")
    await go(agent, "proxies/index")
    await expect(seen(agent, "no-proxies")).to_be_visible()
    await agent.meets_no_barriers()
    await seen(agent, "ask").click()
    await fill(agent, principal_name=GRANDMOTHER, principal_number=OLD[:-1] + "0", agent_name="王小梅", agent_number=YOUNG)
    await seen(agent, "send-ask").click()
    await expect(seen(agent, "error-summary")).to_contain_text("被代办人身份证号")
    await agent.meets_no_barriers()
    await fill(agent, principal_number=OLD)
    await seen(agent, "field-relation").locator("select").select_option("grandchild")
    await seen(agent, "send-ask").click()
    await expect(seen(agent, "proxy")).to_contain_text("待审核")
    await agent.meets_no_barriers()
    code = await seen(agent, "proxy-code").locator(".mono").inner_text()
    return "".join(character for character in code if character.isdigit())


async def approve(clerk: Person) -> None:
    """Find it at the desk, look at it, approve it."""
    await clerk.log_in()
    await clerk.page.get_by_role("link", name="代办授权").click()
    await clerk.meets_no_barriers()
    await clerk.page.get_by_role("link", name="王** 替 赵**").click()
    await expect(clerk.page.get_by_text(OLD)).to_be_visible()
    await clerk.meets_no_barriers()
    await clerk.page.get_by_role("button", name="核对无误，通过").click()
    await expect(clerk.page.get_by_role("status").first).to_contain_text("授权已通过")


async def apply(agent: Person) -> None:
    """Apply for relief for the grandmother: nobody asks for her name and number again."""
    await go(agent, "apply/index?code=MZ-03")
    await seen(agent, "field-behalf").get_by_text(GRANDMOTHER).click()
    await expect(seen(agent, "behalf-filled")).to_be_visible()
    await expect(seen(agent, "field-applicant_name")).to_have_count(0)
    await agent.meets_no_barriers()
    await fill(agent, **{name: text for name, text in ANSWERS.items() if name not in {"applicant_name", "id_number"}})
    await seen(agent, "field-happened_on").locator("input").fill("2025-12-01")
    await seen(agent, "field-difficulty").locator("select").select_option("fire")
    await seen(agent, "field-urgent").get_by_text("否", exact=True).click()
    for paper in ("id_card", "hukou", "ssc", "hardship_proof"):
        await upload(agent, paper)
    await seen(agent, "to-check").click()
    await expect(seen(agent, "applies-for")).to_contain_text(GRANDMOTHER)
    await agent.meets_no_barriers()
    await seen(agent, "submit").click()
    await seen(agent, "see-case").click()
    await expect(seen(agent, "behalf")).to_contain_text(f"王小梅替{GRANDMOTHER}办理")
    await expect(seen(agent, "case").get_by_text("由王**代办")).to_be_visible()
    await agent.meets_no_barriers()


async def confirm(principal: Person, code: str) -> None:
    """The grandmother confirms on her own phone and finds the case in her list."""
    await become(principal, "zhang")
    await go(principal, "proxies/index")
    principal.expects("status of 422")
    await fill(principal, **{"confirm-number": OLD, "confirm-code": "00000000"})
    await seen(principal, "confirm-send").click()
    await expect(seen(principal, "confirm-proxy")).to_contain_text("确认码或证件号码不对")
    await fill(principal, **{"confirm-code": code})
    await seen(principal, "confirm-send").click()
    await expect(seen(principal, "proxy")).to_contain_text("王小梅替我办")
    await principal.meets_no_barriers()
    await go(principal, "cases/index")
    await expect(seen(principal, "case-row")).to_contain_text("王**替赵**办理")
    await seen(principal, "case-row").click()
    await expect(seen(principal, "behalf")).to_contain_text(GRANDMOTHER)


@pytest.mark.timeout(180)
async def test_a_granddaughter_applies_and_both_see_it_until_it_is_taken_back(town: Town, enter: Enter):
    agent, principal, clerk = await enter(width=390, height=844), await enter(width=390, height=844), await enter()
    code = await ask(agent)
    await approve(clerk)
    await apply(agent)
    await confirm(principal, code)

    await clerk.page.goto("/desk")
    await clerk.page.get_by_role("link", name="临时救助").first.click()
    await expect(clerk.page.get_by_role("heading", name="由他人代办")).to_be_visible()
    await clerk.meets_no_barriers()
    await go(principal, "proxies/index")
    await seen(principal, "revoke").click()
    await principal.meets_no_barriers()
    await seen(principal, "revoke-sure").click()
    await expect(seen(principal, "proxy")).to_contain_text("已撤销")
    agent.expects("status of 403")
    await agent.page.reload()
    await expect(agent.page.get_by_text("代办授权已经结束").first).to_be_visible()
