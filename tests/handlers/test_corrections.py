"""Correction notices: complete, once, answered in time or sent back; named after the articles they follow."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from handlers import cases, deadlines, desk
from handlers.caseviews import CaseView
from handlers.corrections import Correction, FieldNote, MaterialNote
from handlers.errors import Refused
from handlers.office import Office
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.support.lives import clock_of, history, new_case, no_answer, now, pushed, row_of, say, told
from tests.support.office import CLERK, open_office

PHONE = Correction("电话有误", (FieldNote("phone", "少一位"),))
ID_CARD = Correction("证件不清", (), (MaterialNote("id_card", "请重拍"),))


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def ask(office: Office, case: CaseView, correction: Correction) -> CaseView:
    return await desk.request_correction(office, CLERK, case.id, (await now(office, case)).version, correction)


async def mend(office: Office, case: CaseView, phone: str = "13900139000") -> CaseView:
    resident = (await row_of(office, case))["resident_id"]
    return await cases.correct(office, resident, case.id, cases.Change(form={"phone": phone}), no_answer)


async def test_art_32_what_was_known_at_the_first_notice_is_not_asked_for_in_a_second(office: Office):
    case = await new_case(office, "MZ-04")
    await ask(office, case, PHONE)
    await mend(office, case)

    with pytest.raises(Refused, match="correction_repeated"):
        await ask(office, case, ID_CARD)

    assert (await now(office, case)).corrections == 1


async def test_art_32_what_newly_came_in_may_be_asked_for_again(office: Office):
    case = await new_case(office, "MZ-04")
    await ask(office, case, PHONE)
    await mend(office, case)

    again = await ask(office, case, PHONE)

    assert (again.state, again.corrections) == ("correction_requested", 2)
    assert (await told(office, case, "correction_requested"))["document"].endswith("-2")


async def test_handing_in_the_same_again_brings_nothing_new(office: Office):
    case = await new_case(office, "MZ-04")
    await ask(office, case, PHONE)
    await mend(office, case, str(case.form["phone"]))

    with pytest.raises(Refused, match="correction_repeated"):
        await ask(office, case, PHONE)


async def test_a_departments_second_notice_about_known_things_is_refused_too(office: Office):
    case = await new_case(office, "MZ-04")
    await ask(office, case, PHONE)
    await mend(office, case)

    with pytest.raises(Refused, match="correction_repeated"):
        await say(
            office, case, "task.correction-requested", "MZ", "accept", reason="?", materials=[{"material": "id_card", "message": "?"}]
        )


async def test_a_notice_says_until_when_it_waits(office: Office):
    case = await ask(office, await new_case(office, "MZ-04"), PHONE)

    assert case.correction_due_on == dt.date(2026, 3, 16)  # the thirtieth day is a Sunday (民法典 art. 203)
    assert (await told(office, case, "correction_requested"))["until_on"] == "2026-03-16"


async def test_a_correction_that_nobody_answers_in_time_is_sent_back_and_everybody_is_told(office: Office):
    case = await ask(office, await new_case(office, "MZ-04"), PHONE)
    clock_of(office).advance(days=31)
    assert await deadlines.sweep(office) == 0  # its last day is not over

    clock_of(office).advance(days=1)

    assert await deadlines.sweep(office) == 1
    lapsed = await now(office, case)
    assert (lapsed.state, [task.state for task in lapsed.tasks]) == ("expired", ["void"])
    assert "case.expired" in await pushed(office.database, case)
    letters = await office.database.rows("SELECT id, body FROM outbox WHERE case_id = $1", case.id)
    opened = [office.keys.sealer.unseal(bytes(one["body"]), f"outbox.body:{one['id']}") for one in letters]
    assert any(b"task.withdrawn" in body for body in opened)


async def test_a_correction_in_time_is_not_sent_back(office: Office):
    case = await ask(office, await new_case(office, "MZ-04"), PHONE)
    clock_of(office).advance(days=30)
    await mend(office, case)

    clock_of(office).advance(days=1)
    await deadlines.sweep(office)

    assert (await now(office, case)).state == "submitted"
    assert "expired" not in [one.type for one in await history(office, case)]
