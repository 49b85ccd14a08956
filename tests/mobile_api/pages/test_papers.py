"""Papers that may follow at the desk, without JavaScript: urgent aid, checks, priority, the ledger."""

from __future__ import annotations

from typing import Any

from tests.mobile_api.pages.conftest import Staffed
from tests.support.wholetown import Town, application_for


async def apply(town: Town, code: str, without: str, **more: Any) -> str:
    """The address of a case that was just handed in without one of its papers."""
    resident = await town.resident("zhang")
    body = await application_for(resident, code)
    body["materials"] = [one for one in body["materials"] if one["material"] != without] + more.pop("materials", [])
    case = await resident.call("POST", "/cases", json={**body, **more}, key=f"key-{code}", expect=(201,))
    return f"/desk/cases/{case['id']}"


async def test_urgent_aid_is_granted_first_and_its_paper_waived(town: Town, staff: Staffed):
    address = await apply(town, "MZ-03", "hardship_proof", urgent={"reason": "房屋被烧毁"})
    clerk, approver = await staff("clerk"), await staff("approver", "MZ")
    taken = await clerk.press(await clerk.visit(address), "受理")

    silent = await approver.press(await approver.visit(address), "先行准予", reason=" ")
    granted = await approver.press(silent, "先行准予", reason="先行救助")
    ledger = await approver.visit("/desk/debts")
    waived = await approver.press(granted, "免予补交", reason="消防已出具证明")

    assert "申请急办" in taken.text
    assert "请先写明理由" in silent.text
    assert "已决定，材料待补" in granted.text
    assert "急办后补" in ledger.text
    assert ledger.links["临时救助"] == address
    assert "已免予补交" in waived.text
    assert "已办结" in waived.text


async def test_a_promise_is_checked_and_a_broken_one_is_in_the_ledger(town: Town, staff: Staffed):
    signed = [{"version": "commitment-1", "signed_by": "张三"}]
    promise = [{"material": "hardship", "commitment": True}]
    address = await apply(town, "SF-01", "hardship", materials=promise, commitments=signed)
    clerk, officer, approver = await staff("clerk"), await staff("officer", "SF"), await staff("approver", "SF")
    early = await officer.visit(address)
    await clerk.press(await clerk.visit(address), "受理")

    checked = await officer.press(await officer.visit(address), "核查不实", reason="名下有房产")
    ledger = await officer.visit("/desk/debts?shown=broken")

    assert "核查不实" not in early.buttons
    assert "核查结果已登记" in checked.text
    assert "名下有房产" in ledger.text
    assert "撤销决定" not in (await approver.visit(address)).buttons  # nothing is granted yet


async def test_a_clerk_puts_a_case_first(town: Town, staff: Staffed):
    address = await apply(town, "SJ-03", "")
    clerk = await staff("clerk")

    silent = await clerk.press(await clerk.visit(address), "登记优先", group="disabled", evidence="")
    first = await clerk.press(silent, "登记优先", evidence="出示残疾人证")

    assert "请写明凭什么证件" in silent.text
    assert "残疾人（出示残疾人证）" in first.text


async def test_the_ledger_says_when_it_is_empty_and_knows_its_filters(town: Town, staff: Staffed):
    officer = await staff("officer", "MZ")

    assert "没有未了结的材料" in (await officer.visit("/desk/debts")).text
    assert (await officer.visit("/desk/debts?shown=all")).status == 400
    assert (await officer.visit("/desk/debts?after=1")).status == 400
