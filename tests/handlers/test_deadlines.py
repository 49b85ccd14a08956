"""Acceptance by silence (行政许可法 art. 32(4)): five working days without an answer, counted by the calendar."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from handlers import cases, deadlines, desk, timeline
from handlers.casefile import opened
from handlers.corrections import Correction, FieldNote
from handlers.errors import Refused
from handlers.office import Office
from handlers.procedure import accept_by_silence
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.support.lives import clock_of, history, new_case, no_answer, now, pushed, row_of, say, workdays_later
from tests.support.office import CLERK, open_office

RECEIVED = dt.date(2026, 2, 13)  # the Friday before the Spring Festival; 14 and 28 February are worked
FIFTH = dt.date(2026, 2, 27)


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


def turn_to(office: Office, day: dt.date) -> None:
    """The morning of a day."""
    clock_of(office).time += day - clock_of(office).now().date()


async def test_art_32_silence_for_five_working_days_accepts_from_the_day_of_receipt(office: Office):
    case = await new_case(office, "SJ-03")
    assert workdays_later(office, RECEIVED, 5) == FIFTH
    turn_to(office, FIFTH)
    assert await deadlines.sweep(office) == 0  # the fifth day is not over

    turn_to(office, FIFTH + dt.timedelta(days=1))

    assert await deadlines.sweep(office) == 1
    taken = await now(office, case)
    assert (taken.state, taken.accepted_at) == ("in_review", case.submitted_at)
    assert taken.promised_on == workdays_later(office, RECEIVED, 5)  # promised in five working days, counted from the receipt
    assert "case.accepted_by_silence" in await pushed(office.database, case)


async def test_the_department_that_was_silent_is_told_and_its_late_acceptance_changes_nothing(office: Office):
    case = await new_case(office, "SJ-03")
    turn_to(office, FIFTH + dt.timedelta(days=1))
    await deadlines.sweep(office)
    letters = await office.database.rows("SELECT id, body FROM outbox WHERE case_id = $1", case.id)
    bodies = [office.keys.sealer.unseal(bytes(one["body"]), f"outbox.body:{one['id']}") for one in letters]

    await say(office, case, "task.accepted", "SJ", "accept")

    assert any(b"task.urged" in body for body in bodies)
    types = [one.type for one in await history(office, case)]
    assert (types.count("accepted_by_silence"), types.count("accepted")) == (1, 0)


async def test_a_correction_notice_in_time_is_an_answer(office: Office):
    case = await new_case(office, "SJ-03")
    await desk.request_correction(office, CLERK, case.id, 1, Correction("电话有误", (FieldNote("phone", "少一位"),)))

    turn_to(office, FIFTH + dt.timedelta(days=3))

    assert await deadlines.sweep(office) == 0
    assert (await now(office, case)).state == "correction_requested"


async def test_after_a_correction_the_five_days_count_from_its_receipt(office: Office):
    case = await new_case(office, "SJ-03")
    await desk.request_correction(office, CLERK, case.id, 1, Correction("电话有误", (FieldNote("phone", "少一位"),)))
    turn_to(office, dt.date(2026, 2, 26))
    resident = (await row_of(office, case))["resident_id"]
    mended = await cases.correct(office, resident, case.id, cases.Change(form={"phone": "13900139000"}), no_answer)
    turn_to(office, workdays_later(office, dt.date(2026, 2, 26), 5))
    assert await deadlines.sweep(office) == 0

    clock_of(office).advance(days=1)
    await deadlines.sweep(office)

    assert (await now(office, case)).accepted_at == mended.updated_at


async def test_silence_is_not_claimed_early(office: Office):
    case = await new_case(office, "SJ-03")

    with pytest.raises(Refused, match="silence_not_over"):
        async with opened(office, case.id) as file:
            accept_by_silence(file)


async def test_art_32_who_accepts_after_the_five_days_accepts_from_the_day_of_receipt(office: Office):
    """The clock of the office may have been down for days: the law does not wait for it."""
    case = await new_case(office, "SJ-03")
    turn_to(office, FIFTH + dt.timedelta(days=3))

    late = await desk.accept(office, CLERK, case.id, case.version)

    assert (late.state, late.accepted_at) == ("in_review", case.submitted_at)
    assert late.promised_on == FIFTH
    assert [one.type for one in await history(office, case)].count("accepted_by_silence") == 1


async def test_art_32_after_the_five_days_nobody_corrects_or_turns_away_any_more(office: Office):
    case = await new_case(office, "SJ-03")
    turn_to(office, FIFTH + dt.timedelta(days=1))
    phone = Correction("电话有误", (FieldNote("phone", "少一位"),))

    for act in (
        lambda: desk.request_correction(office, CLERK, case.id, case.version, phone),
        lambda: desk.not_accept(office, CLERK, case.id, case.version, "不属于本机关职权"),
    ):
        with pytest.raises(Refused, match="accepted_by_law"):
            await act()
    await say(office, case, "task.decided", "SJ", "accept", result="not_accepted", opinion="不符合")  # crosses, without effect

    assert (await now(office, case)).state == "submitted"
    assert await deadlines.sweep(office) == 1


async def test_on_the_fifth_day_the_office_may_still_turn_away(office: Office):
    case = await new_case(office, "SJ-03")
    turn_to(office, FIFTH)

    refused = await desk.not_accept(office, CLERK, case.id, case.version, "不属于本机关职权", "县水利局")

    assert refused.state == "not_accepted"


async def test_a_backdated_acceptance_is_explained_from_the_day_of_receipt(office: Office):
    case = await new_case(office, "SJ-03")
    turn_to(office, FIFTH + dt.timedelta(days=1))
    await deadlines.sweep(office)

    due = await timeline.due_dates(office, await row_of(office, case))

    assert due.promised is not None
    assert due.promised.steps[0].on == RECEIVED
    assert due.promised.due_on == (await now(office, case)).promised_on
