"""Papers tolerated as missing (容缺受理, 化州 2025): signed for, listed with a date, reminded of, lapsed; and the ledger of all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from handlers import cases, desk, paperdesk, papers
from handlers.corrections import Correction, MaterialNote
from handlers.debts import Signing
from handlers.errors import Refused
from handlers.materials import HandedIn
from handlers.office import Office
from handlers.papers import Supply, Waiver
from storage import debts as stored
from storage import outbox
from storage.bell import Bell
from storage.database import Database
from storage.outbox import Letter
from storage.redis import RedisStore
from tests.support.lives import approver, history, no_answer, now, officer, pushed, row_of, told
from tests.support.office import CLERK, open_office, ready_upload
from tests.support.papers import (
    COMMITMENT,
    HURRY,
    NAME,
    RELIEF,
    TOLERATED,
    application,
    applied,
    days_pass,
    promised,
    states,
    supply,
    tolerated,
    urgent,
)
from tests.support.town import settle_in


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


@pytest.fixture
async def resident(office: Office) -> str:
    return await settle_in(office.database, "o1")


@pytest.mark.parametrize("signed", [(), (COMMITMENT,)])
async def test_a_paper_that_is_to_follow_needs_its_own_commitment_signed(office: Office, resident: str, signed: tuple[Signing, ...]):
    with pytest.raises(Refused, match="commitment_unsigned"):
        await applied(office, resident, RELIEF, without="hardship_proof", commitments=signed)


async def test_the_commitment_is_signed_with_the_applicants_name_which_lies_sealed(office: Office, resident: str):
    with pytest.raises(Refused, match="signature_differs"):
        await applied(office, resident, RELIEF, without="hardship_proof", commitments=(Signing("tolerated-1", "李四"),))

    case = await applied(office, resident, RELIEF, without="hardship_proof", commitments=(TOLERATED,))

    assert [(one.kind, one.text_version, one.due_on) for one in case.debts] == [("tolerated", "tolerated-1", None)]
    assert NAME not in (await row_of(office, case))["card"]


async def test_a_text_that_is_not_in_force_cannot_be_signed(office: Office, resident: str):
    with pytest.raises(Refused, match="commitment_text_changed"):
        await applied(office, resident, RELIEF, without="hardship_proof", commitments=(Signing("tolerated-0", NAME),))


@pytest.mark.parametrize("more", [{"commitments": (TOLERATED,)}, {"urgent": HURRY}])
async def test_core_material_never_follows(office: Office, resident: str, more: dict[str, object]):
    with pytest.raises(Refused, match="missing_material") as refused:
        await applied(office, resident, RELIEF, without="id_card", **more)

    assert [error.pointer for error in refused.value.errors] == ["/materials/id_card"]


async def test_safety_material_is_not_tolerated(office: Office, resident: str):
    with pytest.raises(Refused, match="missing_material"):
        await applied(office, resident, "SJ-03", without="health_cert", commitments=(TOLERATED,))


async def test_at_acceptance_a_list_with_a_date_within_the_legal_limit_goes_to_the_applicant(office: Office, resident: str):
    case = await tolerated(office, resident)

    said = await told(office, case, "papers_owed")

    assert case.owing
    assert case.promised_on is not None
    assert case.legal_on is not None
    assert case.debts[0].due_on == case.promised_on <= case.legal_on
    assert (said["text"], said["until_on"]) == (case.debts[0].name, case.promised_on.isoformat())
    assert "case.papers_owed" in await pushed(office.database, case)


async def test_a_paper_that_comes_in_settles_the_debt_and_reaches_the_departments(office: Office, resident: str):
    case = await tolerated(office, resident)

    done = await supply(office, resident, case, "hardship_proof")

    rows = await office.database.rows("SELECT * FROM outbox WHERE department = 'MZ' ORDER BY sequence")
    letters = [Letter(row["id"], row["case_id"], row["sequence"], bytes(row["body"]), None, None) for row in rows]
    last = json.loads(outbox.opened(letters[-1], office.keys.sealer))
    assert (done.owing, states(done)) == (False, {"hardship_proof": "supplied"})
    assert "hardship_proof" in {one.material for one in done.materials if one.uploads}
    assert last["type"].endswith("task.material-added.v1")
    assert "hardship_proof" in {one["material"] for one in last["data"]["materials"]}
    with pytest.raises(Refused, match="paper_not_owed"):
        await supply(office, resident, case, "hardship_proof")


async def test_only_what_is_owed_is_supplied_with_files_and_by_its_applicant(office: Office, resident: str):
    case, stranger = await tolerated(office, resident), await settle_in(office.database, "o2")

    with pytest.raises(Refused, match="paper_not_owed"):
        await supply(office, resident, case, "id_card")
    with pytest.raises(Refused, match="paper_not_owed"):
        await papers.supply(office, resident, case.id, Supply((HandedIn("hardship_proof"),)), no_answer)
    with pytest.raises(Refused, match="not_found"):
        await supply(office, stranger, case, "hardship_proof")


async def test_the_applicant_is_reminded_once_before_a_paper_lapses_and_told_when_it_has(office: Office, resident: str):
    case = await tolerated(office, resident)

    await days_pass(office, case, -1)
    await days_pass(office, case, 0)
    on_the_day = states(await now(office, case))
    await days_pass(office, case, 1)
    await days_pass(office, case, 2)

    events = [one.type for one in await history(office, case)]
    assert (events.count("papers_due"), events.count("papers_lapsed")) == (1, 1)
    assert on_the_day == {"hardship_proof": "open"}
    assert states(await now(office, case)) == {"hardship_proof": "lapsed"}
    assert {"case.papers_due", "case.papers_lapsed"} <= await pushed(office.database, case)


async def test_a_lapsed_paper_may_still_come_in_until_an_officer_has_settled_it(office: Office, resident: str):
    case = await tolerated(office, resident)
    await days_pass(office, case, 1)

    late = await supply(office, resident, case, "hardship_proof")

    assert (late.owing, states(late)) == (False, {"hardship_proof": "supplied"})


async def test_an_approver_may_let_a_lapsed_paper_go_with_a_reason(office: Office, resident: str):
    case = await tolerated(office, resident)
    await days_pass(office, case, 1)
    lapsed = await now(office, case)
    with pytest.raises(Refused, match="forbidden"):
        await paperdesk.waive(office, officer("MZ"), case.id, lapsed.version, Waiver("hardship_proof", "已核实"))

    waived = await paperdesk.waive(office, approver("MZ"), case.id, lapsed.version, Waiver("hardship_proof", "已核实"))

    assert (lapsed.owing, waived.owing, states(waived)) == (True, False, {"hardship_proof": "waived"})


async def test_a_refused_case_owes_nothing(office: Office, resident: str):
    case = await tolerated(office, resident)

    refused = await desk.decide(office, approver("MZ"), case.id, case.version, "refused", "材料不实")

    assert (refused.state, refused.owing, states(refused)) == ("completed", False, {"hardship_proof": "waived"})


async def test_a_granted_case_is_not_complete_before_its_paper_is_there(office: Office, resident: str):
    case = await tolerated(office, resident)

    granted = await desk.decide(office, approver("MZ"), case.id, case.version, "granted", "符合条件")
    done = await supply(office, resident, granted, "hardship_proof")

    assert (granted.state, granted.state_name, done.state) == ("decided", "已决定，材料待补", "completed")


async def test_a_correction_may_bring_the_paper_too(office: Office, resident: str):
    case = await applied(office, resident, RELIEF, without="hardship_proof", commitments=(TOLERATED,))
    wanted = Correction("证件照片不清楚", materials=(MaterialNote("id_card", "重拍"),))
    await desk.request_correction(office, CLERK, case.id, case.version, wanted)
    both = tuple([HandedIn(code, (await ready_upload(office, resident),)) for code in ("id_card", "hardship_proof")])

    mended = await cases.correct(office, resident, case.id, cases.Change(materials=both), no_answer)

    assert states(mended) == {"hardship_proof": "supplied"}


async def test_a_draft_is_signed_before_it_is_submitted(office: Office, resident: str):
    unsigned = await application(office, resident, RELIEF, without="hardship_proof", submit=False)
    draft = await cases.apply(office, resident, unsigned, no_answer)
    with pytest.raises(Refused, match="commitment_unsigned"):
        await cases.submit(office, resident, draft.id, no_answer)

    await cases.change_draft(office, resident, draft.id, draft.version, cases.Change(commitments=(TOLERATED,)))
    case = await cases.submit(office, resident, draft.id, no_answer)

    assert (case.state, states(case)) == ("submitted", {"hardship_proof": "open"})


async def test_the_ledger_has_the_earliest_date_first_page_by_page_and_only_for_those_who_may_see_the_case(office: Office, resident: str):
    later, sooner = await tolerated(office, resident), await urgent(office, resident)
    await promised(office, resident)

    page = await paperdesk.ledger(office, officer("MZ"), "open", None, 1)
    rest = await paperdesk.ledger(office, officer("MZ"), "open", paperdesk.cursor(page[0]), 10)

    assert [one.case_id for one in (*page, *rest)] == [sooner.id, later.id]
    assert [one.kind for one in await paperdesk.ledger(office, CLERK, "open", None, 10)] == ["owed", "tolerated", "commitment"]
    assert await paperdesk.ledger(office, officer("GA"), "open", None, 10) == []
    with pytest.raises(Refused, match="invalid_cursor"):
        await paperdesk.ledger(office, CLERK, "open", "gestern_x", 10)


async def test_the_table_says_what_the_card_says(office: Office, resident: str):
    case = await urgent(office, resident)

    (kept,) = await stored.of_case(office.database, case.id)

    assert (kept["material"], kept["kind"], kept["due_on"]) == ("hardship_proof", "owed", case.debts[0].due_on)
    assert (await row_of(office, case))["is_owing"]
