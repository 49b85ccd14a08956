"""Applications in which a paper is to follow, is promised, or cannot wait; and what happens to them later."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from handlers import cases, desk, paperdesk, papers, priorities
from handlers.caseviews import CaseView
from handlers.debts import Signing
from handlers.limits import local_date
from handlers.materials import HandedIn
from handlers.office import Office
from handlers.papers import Supply
from mobile_api.journey.sample import fill_form
from tests.support.lives import approver, clock_of, no_answer, officer
from tests.support.office import CLERK, ready_upload

NAME = "张三"
TOLERATED, COMMITMENT = Signing("tolerated-1", NAME), Signing("commitment-1", NAME)
HURRY = priorities.Urging("房屋被烧毁，今晚没有住处")

RELIEF = "MZ-03"  # 临时救助: green channel, hardship_proof may follow
LEGAL_AID = "SF-01"  # 法律援助: hardship may be promised


async def application(office: Office, resident: str, code: str, without: str = "", promised: str = "", **more: Any) -> cases.Application:
    """An application with every paper that is asked for but one; one promised instead."""
    item = office.catalogue.items[code]
    asked = [rule.code for rule in item.materials if rule.source == "upload" and rule.required]
    handed_in = [HandedIn(one, (await ready_upload(office, resident),)) for one in asked if one not in {without, promised}]
    handed_in += [HandedIn(promised, commitment=True)] if promised else []
    form = {**fill_form(msgspec.to_builtins(item.form.fields), local_date(office.clock.now())), "applicant_name": NAME}
    form |= more.pop("form", {})
    return cases.Application(item=code, form=form, materials=tuple(handed_in), **more)


async def applied(office: Office, resident: str, code: str, **more: Any) -> CaseView:
    """A case handed in."""
    return await cases.apply(office, resident, await application(office, resident, code, **more), no_answer)


async def accepted(office: Office, resident: str, code: str, **more: Any) -> CaseView:
    """A case accepted at the counter."""
    case = await applied(office, resident, code, **more)
    return await desk.accept(office, CLERK, case.id, case.version)


async def tolerated(office: Office, resident: str) -> CaseView:
    """A case accepted without the proof of need, which is to follow."""
    return await accepted(office, resident, RELIEF, without="hardship_proof", commitments=(TOLERATED,))


async def urgent(office: Office, resident: str) -> CaseView:
    """Urgent aid, granted before its papers are there."""
    case = await accepted(office, resident, RELIEF, without="hardship_proof", urgent=HURRY)
    return await paperdesk.decide_first(office, approver("MZ"), case.id, case.version, "家中失火，先行救助")


async def promised(office: Office, resident: str) -> CaseView:
    """A grant that rests on a promise."""
    case = await accepted(office, resident, LEGAL_AID, promised="hardship", commitments=(COMMITMENT,))
    for task in [one for one in case.tasks if one.step == "review"]:
        case = await desk.give_opinion(office, officer(task.department.code), task.id, case.id, case.version, "agreed", "")
    return await desk.decide(office, approver("SF"), case.id, case.version, "granted", "符合条件")


async def supply(office: Office, resident: str, case: CaseView, *codes: str) -> CaseView:
    """Hand in papers that were owed."""
    handed_in = tuple([HandedIn(code, (await ready_upload(office, resident),)) for code in codes])
    return await papers.supply(office, resident, case.id, Supply(handed_in), no_answer)


async def days_pass(office: Office, case: CaseView, days: int) -> None:
    """The clock goes to the morning so many days after the first paper of a case is due, and sweeps once."""
    due_on = case.debts[0].due_on
    assert due_on is not None
    clock_of(office).time = dt.datetime.combine(due_on + dt.timedelta(days=days), dt.time(1, 30), dt.UTC)
    await papers.sweep(office)


def states(case: CaseView) -> dict[str, str]:
    """Each paper that may follow, and how it stands."""
    return {one.material: one.state for one in case.debts}
