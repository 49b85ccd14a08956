"""Urgent aid (绿色通道: 先行救助、后补手续), notice and commitment (国办发〔2020〕42号), revocation (行政许可法 art. 69)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from handlers import debts, desk, paperdesk, priorities
from handlers.access import Officer
from handlers.errors import Refused
from handlers.handovers import Dispatch, Wish
from handlers.limits import local_date
from handlers.office import Office
from handlers.papers import Finding, Waiver
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.support.lives import approver, now, officer, pushed, row_of, told, workdays_later
from tests.support.office import CLERK, open_office
from tests.support.papers import (
    HURRY,
    LEGAL_AID,
    NAME,
    RELIEF,
    TOLERATED,
    accepted,
    applied,
    days_pass,
    promised,
    states,
    supply,
    urgent,
)
from tests.support.town import settle_in


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


@pytest.fixture
async def resident(office: Office) -> str:
    return await settle_in(office.database, "o1")


async def test_urgent_aid_is_decided_first_and_its_papers_follow_in_five_working_days(office: Office, resident: str):
    case = await urgent(office, resident)

    assert (case.decision, case.state, case.state_name, case.owing) == ("granted", "decided", "已决定，材料待补", True)
    assert [(one.kind, one.due_on) for one in case.debts] == [("owed", workdays_later(office, local_date(office.clock.now()), 5))]
    assert case.delivery is not None
    assert case.delivery.delivered_at is not None


async def test_decided_with_papers_owed_is_complete_when_the_last_one_is_in(office: Office, resident: str):
    done = await supply(office, resident, await urgent(office, resident), "hardship_proof")

    assert (done.state, done.owing) == ("completed", False)


async def test_aid_fetched_at_the_counter_leaves_the_case_open_while_papers_are_owed(office: Office, resident: str):
    case = await accepted(office, resident, RELIEF, without="hardship_proof", urgent=HURRY, delivery=Wish("counter"))
    case = await paperdesk.decide_first(office, approver("MZ"), case.id, case.version, "先行救助")

    fetched = await desk.complete(office, CLERK, case.id, case.version, NAME)
    with pytest.raises(Refused, match="already_delivered"):
        await desk.deliver(office, CLERK, case.id, fetched.version, Dispatch("counter"))
    with pytest.raises(Refused, match="already_delivered"):
        await desk.complete(office, CLERK, case.id, fetched.version, NAME)
    waived = await paperdesk.waive(office, approver("MZ"), case.id, fetched.version, Waiver("hardship_proof", "消防已出具"))

    assert fetched.delivery is not None
    assert (fetched.state, fetched.delivery.delivered_at) == ("decided", office.clock.now())
    assert waived.state == "completed"


async def test_urgent_aid_shows_its_hours_and_goes_before_everything(office: Office, resident: str):
    case = await applied(office, resident, RELIEF, without="hardship_proof", urgent=HURRY)

    assert case.urgency is not None
    assert case.urgency.decide_by - case.urgency.asked_at == dt.timedelta(hours=48)
    assert (await row_of(office, case))["priority"] == priorities.URGENT


async def test_only_an_item_with_a_green_channel_is_urgent_or_decided_first(office: Office, resident: str):
    with pytest.raises(Refused, match="no_green_channel"):
        await applied(office, resident, "SJ-03", urgent=HURRY)
    case = await accepted(office, resident, "SJ-03")
    with pytest.raises(Refused, match="no_green_channel"):
        await paperdesk.decide_first(office, approver("SJ"), case.id, case.version, "很急")


async def test_what_the_county_decides_is_not_decided_first_by_the_town(office: Office, resident: str):
    case = await accepted(office, resident, "YJ-02", urgent=HURRY)

    with pytest.raises(Refused, match="not_sent_up"):
        await paperdesk.decide_first(office, approver("YJ"), case.id, case.version, "寒潮")


@pytest.mark.parametrize(
    ("who", "reason", "refusal"),
    [
        (approver("MZ"), " ", "reason_missing"),
        (CLERK, "先行救助", "forbidden"),
        (officer("MZ"), "先行救助", "forbidden"),
        (approver("GA"), "先行救助", "not_found"),
    ],
)
async def test_an_approver_decides_first_with_a_reason_and_nobody_else(
    office: Office, resident: str, who: Officer, reason: str, refusal: str
):
    case = await accepted(office, resident, RELIEF, without="hardship_proof", urgent=HURRY)

    with pytest.raises(Refused, match=refusal):
        await paperdesk.decide_first(office, who, case.id, case.version, reason)


async def test_papers_that_never_come_let_the_aid_be_revoked_with_the_ways_to_object(office: Office, resident: str):
    case = await urgent(office, resident)
    with pytest.raises(Refused, match="nothing_to_revoke"):
        await paperdesk.revoke(office, approver("MZ"), case.id, case.version, "未补材料")
    await days_pass(office, case, 1)
    lapsed = await now(office, case)

    revoked = await paperdesk.revoke(office, approver("MZ"), case.id, lapsed.version, "逾期未补材料")

    assert (revoked.state, revoked.state_name, revoked.owing) == ("completed", "决定已撤销", False)
    assert revoked.revocation is not None
    assert "行政复议" in (await told(office, case, "revoked"))["remedy"]
    with pytest.raises(Refused, match="nothing_to_revoke"):
        await paperdesk.revoke(office, approver("MZ"), case.id, revoked.version, "再撤一次")


async def test_a_promise_needs_its_own_text_signed(office: Office, resident: str):
    with pytest.raises(Refused, match="commitment_unsigned"):
        await applied(office, resident, LEGAL_AID, promised="hardship", commitments=(TOLERATED,))


async def test_a_promise_is_no_paper_owed_and_is_to_be_checked_within_two_months_of_the_decision(office: Office, resident: str):
    case = await promised(office, resident)

    assert (case.state, case.owing) == ("completed", False)
    assert case.debts[0].due_on == local_date(office.clock.now()) + dt.timedelta(days=debts.AFTER_CHECK_DAYS)
    await days_pass(office, case, 1)
    assert states(await now(office, case)) == {"hardship": "open"}  # it is the office that is late


async def test_a_promise_that_was_kept_leaves_nothing_to_revoke(office: Office, resident: str):
    case = await promised(office, resident)

    kept = await paperdesk.check(office, officer("SF"), case.id, case.version, Finding("hardship", "kept", "已向村委会核实"))

    assert states(kept) == {"hardship": "kept"}
    with pytest.raises(Refused, match="nothing_to_revoke"):
        await paperdesk.revoke(office, approver("SF"), case.id, kept.version, "不实")


async def test_a_broken_promise_stays_on_record_is_told_and_lets_the_decision_be_revoked(office: Office, resident: str):
    case = await promised(office, resident)

    broken = await paperdesk.check(office, officer("SF"), case.id, case.version, Finding("hardship", "broken", "名下有两处房产"))
    revoked = await paperdesk.revoke(office, approver("SF"), case.id, broken.version, "承诺不实")

    on_record = await paperdesk.ledger(office, officer("SF"), "broken", None, 10)
    assert (revoked.state, states(revoked)) == ("completed", {"hardship": "broken"})
    assert [(one.state, one.note) for one in on_record] == [("broken", "名下有两处房产")]
    assert {"case.promise_broken", "case.revoked"} <= await pushed(office.database, case)


async def test_a_promise_may_be_made_good_with_the_paper_itself(office: Office, resident: str):
    supplied = await supply(office, resident, await promised(office, resident), "hardship")

    assert states(supplied) == {"hardship": "supplied"}
    with pytest.raises(Refused, match="paper_not_owed"):
        await paperdesk.check(office, officer("SF"), supplied.id, supplied.version, Finding("hardship", "broken", "迟了"))
