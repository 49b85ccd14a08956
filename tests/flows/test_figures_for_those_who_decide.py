"""From one case to the month's report: the resident hears what to expect, the office counts, the supervisor takes the table along."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from tests.support.wholetown import Town, application_for

ALONE = "MZ-03"  # an item that its lead department decides alone


async def decided(town: Town, user: str) -> dict[str, Any]:
    """A case that its department has decided."""
    resident = await town.resident(user)
    case = await resident.call("POST", "/cases", json=await application_for(resident, ALONE), key=user, expect=(201,))
    await town.follow(resident, case["id"], until="case.completed")
    return dict(case)


async def test_a_resident_is_told_what_to_expect_before_applying_and_while_waiting(town: Town):
    await town.departments.pause()
    resident = await town.resident("zhang")

    before = await town.anyone().call("GET", f"/items/{ALONE}/expectation")
    case = await resident.call("POST", "/cases", json=await application_for(resident, ALONE), key="first", expect=(201,))
    waiting = await resident.call("GET", f"/cases/{case['id']}/expectation")
    foreign, _ = await (await town.resident("li")).raw("GET", f"/cases/{case['id']}/expectation")

    assert (before["basis"], before["half_days"], before["used_days"]) == ("promise", None, None)
    assert "承诺在受理后" in before["text"]
    assert (waiting["basis"], waiting["left_days"]) == ("promise", None)
    assert foreign == 404


async def test_the_month_as_a_report_and_as_the_same_table_for_any_spreadsheet(town: Town):
    await decided(town, "zhang")
    supervisor, approver, clerk = await town.staff("supervisor"), await town.staff("approver", "GA"), await town.staff("clerk")

    report = await supervisor.call("GET", "/supervision/reports?group=item")
    _, table = await supervisor.raw("GET", "/supervision/reports.csv?group=item")
    _, book = await supervisor.raw("GET", "/supervision/reports.xlsx?group=item")
    of_another = await approver.call("GET", "/supervision/reports")
    refused, _ = await clerk.raw("GET", "/supervision/reports")

    assert [(line["key"], line["received"], line["done"]) for line in report["lines"]] == [(ALONE, 1, 1)]
    assert report["total"]["done_rate"] == 100.0
    assert table.decode("utf-8-sig").splitlines()[1].startswith(f"{ALONE},")
    assert zipfile.ZipFile(io.BytesIO(book)).testzip() is None
    assert of_another["total"]["received"] == 0
    assert refused == 403


async def test_a_decided_case_is_expected_no_more(town: Town):
    case = await decided(town, "zhang")
    status, nothing = await (await town.resident("zhang")).raw("GET", f"/cases/{case['id']}/expectation")
    assert (status, nothing) == (204, b"")
