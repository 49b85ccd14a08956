"""Bundles (一件事) on the residents' page as it is built: choose, apply with one form, follow every part."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import Enter
from tests.browser.people import BROWSER
from tests.browser.test_residents import become, built, go, seen
from tests.support.bundles import application_for_bundle
from tests.support.wholetown import Town

__all__ = ["built"]

pytestmark = BROWSER

FAREWELL = "YJS-03"


async def test_a_bundle_is_found_chosen_and_asked_for_with_one_form(enter: Enter):
    person = await enter(width=390, height=844)
    await become(person, "zhang")
    await go(person, "home/index")

    await seen(person, f"bundle-{FAREWELL}").click()
    await seen(person, "part-GA-07").click()
    await expect(seen(person, "part-GA-07")).to_contain_text("办理")
    await person.meets_no_barriers()
    await seen(person, "apply-bundle").click()

    await expect(seen(person, "field-deceased_name")).to_have_count(1)
    await expect(seen(person, "material-driver")).to_have_count(1)  # asked for by the part that was chosen
    await person.meets_no_barriers()


async def test_the_parts_of_a_bundle_are_followed_on_one_screen(enter: Enter, town: Town):
    resident = await town.resident("zhang")
    umbrella = await resident.call("POST", "/cases", json=await application_for_bundle(resident, FAREWELL), key="one", expect=(201,))
    person = await enter(width=390, height=844)
    await become(person, "zhang")
    await go(person, "cases/index")

    await seen(person, "umbrella-row").first.click()

    await expect(seen(person, "umbrella-number")).to_have_text(umbrella["number"])
    await expect(seen(person, "part-RS-03")).to_contain_text("死亡登记")  # what it waits for, by name
    await person.meets_no_barriers()
    await seen(person, "withdraw").click()
    await seen(person, "withdraw-send").click()
    await expect(seen(person, "part-RS-03")).to_contain_text("已撤回")
