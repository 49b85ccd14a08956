"""Extensions (行政许可法 art. 42) and the separation of duties: before the limit runs out, by two people, told with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import HERE
from handlers import desk, timeline
from handlers.access import Officer
from handlers.caseviews import CaseView
from handlers.errors import Refused
from handlers.extensions import Asking, approved_by, most
from handlers.office import Office
from handlers.specials import Special
from mobile_api.tables import load_catalogue
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.support.lives import accepted_case, approver, clock_of, history, officer, pushed, row_of, told
from tests.support.office import CLERK, DIVISION, open_office

ASKED = Asking(10, "案情复杂，需进一步核查")
ITEM = "MZ-01"  # its legal limit may become 45 days


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def asked(office: Office, asking: Asking = ASKED) -> CaseView:
    case = await accepted_case(office, ITEM, CLERK)
    return await desk.ask_extension(office, officer("MZ"), case.id, case.version, asking)


async def test_art_42_an_approved_extension_moves_both_dates_and_is_told_with_its_reason(office: Office):
    case = await asked(office)
    assert case.promised_on is not None
    assert case.legal_on is not None

    longer = await desk.approve_extension(office, approver("MZ"), case.id, case.version)

    assert longer.promised_on is not None
    assert longer.legal_on is not None
    assert office.calendar.count(case.promised_on, longer.promised_on) == 10
    assert office.calendar.count(case.legal_on, longer.legal_on) == 10
    event = next(one for one in await history(office, case) if one.type == "extended")
    assert (event.reason, event.data["promised_on"]) == (ASKED.reason, longer.promised_on.isoformat())
    assert "case.extended" in await pushed(office.database, case)
    due = await timeline.due_dates(office, await row_of(office, case))
    assert due.legal is not None
    assert any("经批准延长 10 个工作日" in step.text for step in due.legal.steps)
    assert (due.legal.due_on, longer.extensions[0].days) == (longer.legal_on, 10)


async def test_asking_moves_nothing_and_is_not_told(office: Office):
    before = await accepted_case(office, ITEM, CLERK)

    after = await desk.ask_extension(office, officer("MZ"), before.id, before.version, ASKED)

    assert (after.promised_on, after.legal_on) == (before.promised_on, before.legal_on)
    assert "case.extended" not in await pushed(office.database, before)


async def test_who_asks_does_not_approve(office: Office):
    case = await accepted_case(office, ITEM, CLERK)
    one = approver("MZ")
    case = await desk.ask_extension(office, one, case.id, case.version, ASKED)

    for settle in (
        desk.approve_extension(office, one, case.id, case.version),
        desk.refuse_extension(office, one, case.id, case.version, "不"),
    ):
        with pytest.raises(Refused, match="separation"):
            await settle

    assert (await desk.approve_extension(office, approver("MZ", "other"), case.id, case.version)).extensions


async def test_a_refused_extension_leaves_the_limits_and_may_be_asked_again(office: Office):
    case = await asked(office)
    with pytest.raises(Refused, match="extension_already_asked"):
        await desk.ask_extension(office, officer("MZ"), case.id, case.version, ASKED)

    same = await desk.refuse_extension(office, approver("MZ"), case.id, case.version, "理由不足")
    again = await desk.ask_extension(office, officer("MZ"), case.id, same.version, ASKED)

    assert (again.legal_on, again.extensions) == (case.legal_on, ())
    fresh = await desk.refuse_extension(office, approver("MZ"), case.id, again.version, "理由不足")
    with pytest.raises(Refused, match="extension_not_asked"):
        await desk.approve_extension(office, approver("MZ"), case.id, fresh.version)


async def test_never_longer_than_the_item_allows(office: Office):
    left = most(office.catalogue.items[ITEM])
    with pytest.raises(Refused, match="extension_too_long"):
        await asked(office, Asking(left + 1, "太长"))
    case = await asked(office, Asking(left, "刚好"))
    case = await desk.approve_extension(office, approver("MZ"), case.id, case.version)

    with pytest.raises(Refused, match="extension_too_long"):
        await desk.ask_extension(office, officer("MZ"), case.id, case.version, Asking(1, "再多一天"))


@pytest.mark.parametrize(
    ("item", "days", "approver_"),
    [
        ("SJ-02", 5, "本机关负责人"),  # the item: ten, at most fifteen
        ("SJ-03", 10, "本机关负责人"),  # art. 42(1): a licence of one office
        ("NY-01", 15, "本级人民政府负责人"),  # art. 42(2): several departments work on it
        ("YB-03", 0, "本机关负责人"),  # no licence, and the item says nothing
    ],
)
def test_art_42_how_much_longer_and_by_whose_leave(item: str, days: int, approver_: str):
    found = load_catalogue(HERE).items[item]
    assert most(found) == days
    if days:
        assert approved_by(found) == approver_


async def test_art_42_not_after_the_limit_ran_out_neither_asked_nor_approved(office: Office):
    waiting, late = await asked(office), await accepted_case(office, ITEM, CLERK)
    clock_of(office).advance(days=200)

    with pytest.raises(Refused, match="extension_too_late"):
        await desk.approve_extension(office, approver("MZ"), waiting.id, waiting.version)
    with pytest.raises(Refused, match="extension_too_late"):
        await desk.ask_extension(office, officer("MZ"), late.id, late.version, ASKED)


async def test_a_broken_promise_stays_broken_when_the_legal_limit_is_extended(office: Office):
    case = await asked(office)
    assert case.promised_on is not None
    assert case.legal_on is not None
    clock_of(office).advance(days=(case.promised_on - clock_of(office).now().date()).days + 1)

    longer = await desk.approve_extension(office, approver("MZ"), case.id, case.version)

    assert longer.promised_on == case.promised_on
    assert longer.legal_on is not None
    assert longer.legal_on > case.legal_on


async def test_the_decision_task_is_due_when_the_case_is(office: Office):
    case = await accepted_case(office, "MZ-02", CLERK)
    assert most(office.catalogue.items["MZ-02"]) == 0  # neither a licence nor an item that says so
    with pytest.raises(Refused, match="extension_too_long"):
        await desk.ask_extension(office, officer("MZ"), case.id, case.version, ASKED)

    alone = await accepted_case(office, "SJ-03", CLERK)
    stopped = await desk.suspend(office, officer("SJ"), alone.id, alone.version, Special("听证", "需要"))
    clock_of(office).advance(days=10)
    gone_on = await desk.resume(office, officer("SJ"), alone.id, stopped.version, stopped.procedures[0].id, "")

    assert gone_on.promised_on != alone.promised_on
    assert [task.due_on for task in gone_on.tasks if task.step == "decide"] == [gone_on.promised_on]


@pytest.mark.parametrize("role", ["officer", "approver"])
async def test_who_accepted_a_case_does_not_decide_it_whatever_his_role_is_today(office: Office, role: str):
    same = Officer("wang", "officer", "SJ", "", DIVISION)
    case = await accepted_case(office, "SJ-03", same)
    promoted = Officer("wang", "approver", "SJ", "", DIVISION)
    somebody = promoted if role == "approver" else same

    with pytest.raises(Refused, match="separation" if role == "approver" else "forbidden"):
        await desk.decide(office, somebody, case.id, case.version, "granted", "符合")

    decided = await desk.decide(office, approver("SJ"), case.id, case.version, "granted", "符合")
    assert decided.decision == "granted"
    assert (await told(office, case, "decided"))["document"].startswith("准予决定书 JD-")
