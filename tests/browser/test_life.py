"""What a resident sees beside the way of a case: a procedure that stops the clocks, how to object, where the result is."""

from __future__ import annotations

import asyncio
import datetime as dt

from playwright.async_api import Route, expect

from storage import cases
from tests.browser.conftest import Enter
from tests.browser.people import BROWSER, applied
from tests.browser.test_residents import become, built, go, seen
from tests.flows.test_the_life_of_a_case import act
from tests.support.wholetown import Town, application_for

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

    paused = seen(person, "paused")
    for said in ("办理时限暂停计算", "现场勘验（市场监管）：", "起暂停，最迟", "上方日期相应顺延"):
        await expect(paused).to_contain_text(said)
    await person.meets_no_barriers()
    await act(officer, case["id"], "resume", id=stopped["procedures"][0]["id"], result="符合要求")
    await expect(seen(person, "procedure")).to_contain_text("未计入办理时限")
    await expect(paused).to_have_count(0)


async def test_the_legal_date_is_marked_provisional_where_the_promised_one_is(enter: Enter, town: Town):
    case = await applied(town, "wang", "GA-05")
    await act(await town.staff("officer", "GA"), case["id"], "accept")
    in_no_calendar = dt.date(2199, 1, 4)  # with a date that is known, the sweep takes the mark away again
    for provisional in (False, True):
        if provisional:
            async with town.stores.office.database.transaction() as tx:
                await tx.execute("UPDATE cases SET is_provisional = TRUE, legal_on = $2 WHERE id = $1", case["id"], in_no_calendar)
                tx.ring(cases.topic(case["id"]))
        person = await enter(width=390, height=844)
        await become(person, "wang")
        await go(person, f"case/index?id={case['id']}")
        await expect(seen(person, "legal-on")).to_be_visible()
        await expect(person.page.get_by_text("法定办结日期（暂定）")).to_have_count(int(provisional))
        await expect(person.page.get_by_text("承诺办结日期（暂定）")).to_have_count(int(provisional))


async def test_the_date_of_a_delivery_is_marked_provisional_while_nobody_knows_the_holidays(enter: Enter, town: Town):
    resident = await town.resident("zhang")
    wish = {"delivery": {"method": "post", "address": "示例镇幸福路 1 号"}}
    body = {**await application_for(resident, "WJ-03"), **wish}
    case = await resident.call("POST", "/cases", json=body, key="delivered", expect=(201,))
    await act(await town.staff("officer", "WJ"), case["id"], "accept")
    await act(await town.staff("approver", "WJ"), case["id"], "decide", result="granted", reason="符合条件")
    tables = town.stores.office.calendar.tables
    known = dict(tables)
    tables.clear()
    try:
        person = await enter(width=390, height=844)
        await become(person, "zhang")
        await go(person, f"case/index?id={case['id']}")
        await expect(seen(person, "delivery")).to_contain_text("前送达（暂定）")
        await person.meets_no_barriers()
    finally:
        tables.update(known)


async def test_who_was_refused_reads_how_to_object_and_until_when(enter: Enter, town: Town):
    case = await applied(town, "wang", "MZ-03")
    officer, approver = await town.staff("officer", "MZ"), await town.staff("approver", "MZ")
    await act(officer, case["id"], "accept")
    await act(approver, case["id"], "decide", result="refused", reason="收入超过标准")
    person = await enter(width=390, height=844)
    await become(person, "wang")
    await go(person, f"case/index?id={case['id']}")

    await expect(seen(person, "remedy")).to_contain_text("行政复议")
    await expect(seen(person, "delivery")).to_contain_text("电子送达")
    await person.meets_no_barriers()


async def test_nothing_moves_under_the_finger_when_the_line_is_slow_after_an_application(enter: Enter, town: Town):
    case = await applied(town, "li", "WJ-03")
    person, arrives = await enter(width=390, height=844), asyncio.Event()
    await become(person, "li")

    async def late(route: Route) -> None:
        await arrives.wait()
        await route.continue_()

    await person.page.route("**/api/v1/subscriptions", late)
    await go(person, f"result/index?id={case['id']}")
    button, consent = seen(person, "see-case"), seen(person, "ask-consent")
    await expect(button).to_be_visible()
    await expect(seen(person, "result")).to_contain_text("受理后当场办结")
    before = await button.bounding_box()
    await expect(consent).to_have_attribute("aria-disabled", "true")
    arrives.set()
    await expect(consent).not_to_have_attribute("aria-disabled", "true")
    assert await button.bounding_box() == before
