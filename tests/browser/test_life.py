"""What a resident sees beside the way of a case: a procedure that stops the clocks, how to object, where the result is."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import Enter
from tests.browser.people import BROWSER, applied
from tests.browser.test_residents import become, built, go, seen
from tests.flows.test_the_life_of_a_case import act
from tests.support.wholetown import Town

__all__ = ["built"]

pytestmark = BROWSER


async def test_a_procedure_that_stops_the_clocks_is_on_the_case_while_it_lasts_and_after(enter: Enter, town: Town):
    case = await applied(town, "zhang", "SJ-01")
    clerk, officer = await town.staff("clerk"), await town.staff("officer", "SJ")
    await act(clerk, case["id"], "accept")
    stopped = await act(officer, case["id"], "suspend", procedure="现场勘验", reason="需到现场核实")
    person = await enter(width=390, height=844)
    await become(person, "zhang")
    await go(person, f"case/index?id={case['id']}")

    await expect(seen(person, "procedure")).to_contain_text("期间不计入办理时限")
    await person.meets_no_barriers()
    await act(officer, case["id"], "resume", id=stopped["procedures"][0]["id"], result="符合要求")
    await expect(seen(person, "procedure")).to_contain_text("未计入办理时限")


async def test_who_was_refused_reads_how_to_object_and_until_when(enter: Enter, town: Town):
    case = await applied(town, "li", "MZ-03")
    officer, approver = await town.staff("officer", "MZ"), await town.staff("approver", "MZ")
    await act(officer, case["id"], "accept")
    await act(approver, case["id"], "decide", result="refused", reason="收入超过标准")
    person = await enter(width=390, height=844)
    await become(person, "li")
    await go(person, f"case/index?id={case['id']}")

    await expect(seen(person, "remedy")).to_contain_text("行政复议")
    await expect(seen(person, "delivery")).to_contain_text("电子送达")
    await person.meets_no_barriers()
