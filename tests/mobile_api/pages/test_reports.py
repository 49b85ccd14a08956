"""The reports' page: who sees which departments, what is asked and answered, and the same table as a file."""

from __future__ import annotations

from tests.mobile_api.pages.conftest import BOTH, Staffed
from tests.mobile_api.pages.test_desk import accepted
from tests.support.wholetown import Town


@BOTH
async def test_a_supervisor_sees_every_department_that_had_a_part(town: Town, staff: Staffed):
    await accepted(town, staff)
    seen = await (await staff("supervisor")).visit("/supervision/reports")
    assert seen.status == 200
    assert "民政" in seen.text
    assert "合计" in seen.text
    assert "全部部门" in seen.text


async def test_an_approver_sees_his_own_department(town: Town, staff: Staffed):
    await accepted(town, staff)
    approver = await staff("approver", "GA")
    seen = await approver.visit("/supervision/reports")
    assert seen.status == 200
    assert "全部部门" not in seen.text
    assert (await approver.visit("/supervision/reports?department=MZ")).status == 403


async def test_a_span_that_runs_backwards_is_said_in_words(staff: Staffed):
    seen = await (await staff("supervisor")).visit("/supervision/reports?since=2026-05&until=2026-01")
    assert seen.status == 422
    assert "36" in seen.text


async def test_the_table_is_taken_along_for_a_spreadsheet(town: Town, staff: Staffed):
    await accepted(town, staff)
    supervisor = await staff("supervisor")
    assert "民政" in (await supervisor.visit("/supervision/reports.csv")).text
    assert (await supervisor.visit("/supervision/reports.xlsx")).headers["Content-Type"].startswith("application/vnd.openxml")
    assert (await supervisor.visit("/supervision/reports?since=nonsense")).status == 400


async def test_counter_staff_do_not_see_reports(staff: Staffed):
    assert (await (await staff("clerk")).visit("/supervision/reports")).status == 403
