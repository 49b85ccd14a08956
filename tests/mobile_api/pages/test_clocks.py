"""An officer reads at the desk how both due dates of a case were counted, without JavaScript."""

from __future__ import annotations

from tests.mobile_api.pages.conftest import Staffed
from tests.mobile_api.pages.test_desk import accepted, opened
from tests.mobile_api.pages.test_pages import apply
from tests.support.wholetown import Town


async def test_the_explanation_of_both_dates_is_on_the_page_of_an_accepted_case(town: Town, staff: Staffed):
    case, clerk = await accepted(town, staff), await staff("officer", "MZ")

    seen = (await opened(clerk, case)).text

    told = await (await town.resident("zhang")).call("GET", f"/cases/{case['id']}/due-dates")
    assert "到期日是怎样算出的" in seen
    for clock in ("promised", "legal"):
        assert all(step["text"] in seen for step in told[clock]["steps"])


async def test_before_acceptance_there_is_nothing_to_explain(town: Town, staff: Staffed):
    case, clerk = await apply(town, item="MZ-03"), await staff("officer", "MZ")
    assert "到期日是怎样算出的" not in (await opened(clerk, case)).text


async def test_the_legal_date_is_marked_provisional_as_the_promised_one_is(town: Town, staff: Staffed):
    case, officer, office = await accepted(town, staff), await staff("officer", "MZ"), town.stores.office
    for provisional, marked in ((False, 0), (True, 2)):
        await office.database.execute("UPDATE cases SET is_provisional = $2 WHERE id = $1", case["id"], provisional)
        assert (await opened(officer, case)).text.count("（暂定）") == marked


async def test_each_explanation_says_at_its_head_that_its_date_is_provisional(town: Town, staff: Staffed):
    case, officer, calendar = await accepted(town, staff), await staff("officer", "MZ"), town.stores.office.calendar
    known = dict(calendar.tables)
    calendar.tables.clear()  # nobody knows any year's holidays
    try:
        seen = (await opened(officer, case)).text
    finally:
        calendar.tables.update(known)
    assert seen.count("（暂定）") == 2
