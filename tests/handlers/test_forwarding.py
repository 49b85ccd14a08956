"""上报件: the town reviews and sends up, the county decides, each level by its own clock (行政许可法 art. 43)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from handlers import desk, timeline
from handlers.caseviews import CaseView
from handlers.errors import Refused
from handlers.forwarding import FIRST_REVIEW
from handlers.office import Office
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.support.lives import accepted_case, approver, history, now, officer, row_of, say
from tests.support.office import CLERK, open_office

ITEM = "MZ-05"  # CL reviews, MZ leads, the county decides


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def reviewed(office: Office) -> CaseView:
    case = await accepted_case(office, ITEM, CLERK)
    await say(office, case, "task.decided", "CL", "review", result="agreed", opinion="属实")
    return await now(office, case)


async def test_the_county_decides_only_what_the_town_has_sent_up(office: Office):
    case = await reviewed(office)
    with pytest.raises(Refused, match="review_unfinished"):
        await desk.decide(office, approver("MZ"), case.id, case.version, "granted", "符合")

    up = await desk.forward(office, officer("MZ"), case.id, case.version, "初审合格")
    decided = await desk.decide(office, approver("MZ"), case.id, up.version, "granted", "符合")

    assert (up.state, up.public_state, decided.decision) == ("forwarded", "with_office", "granted")
    assert "forwarded" in [event.type for event in await history(office, case)]


async def test_who_sent_it_up_does_not_decide_it(office: Office):
    case = await reviewed(office)
    up = await desk.forward(office, officer("MZ"), case.id, case.version, "初审合格")
    same = approver("MZ", "officer")

    with pytest.raises(Refused, match="separation"):
        await desk.decide(office, same, case.id, up.version, "granted", "符合")


async def test_departments_systems_send_up_and_decide_by_message(office: Office):
    case = await reviewed(office)

    await say(office, case, "task.decided", "MZ", "review", result="agreed", opinion="初审合格")
    up = await now(office, case)
    await say(office, case, "task.decided", "MZ", "decide", result="granted", opinion="准予")

    assert up.state == "forwarded"
    assert (await now(office, case)).decision == "granted"


async def test_each_level_has_its_clock_and_its_explanation(office: Office):
    case = await reviewed(office)
    first = next(task for task in case.tasks if task.action == FIRST_REVIEW)
    town_only = (await timeline.due_dates(office, await row_of(office, case))).levels

    up = await desk.forward(office, officer("MZ"), case.id, case.version, "")
    levels = (await timeline.due_dates(office, await row_of(office, case))).levels

    assert case.promised_on is not None
    assert first.due_on == min(office.calendar.add_workdays(dt.date(2026, 2, 13), 20).day, case.promised_on)
    assert [(one.level, one.due_on, one.done_at is None) for one in town_only] == [
        ("town", first.due_on, True),
        ("county", case.promised_on, True),
    ]
    assert [(one.level, one.done_at is None) for one in levels] == [("town", False), ("county", True)]
    assert [task.due_on for task in up.tasks if task.step == "decide"] == [up.promised_on]


async def test_a_review_still_open_or_an_item_of_the_town_is_not_sent_up(office: Office):
    early, own = await accepted_case(office, ITEM, CLERK), await accepted_case(office, "SJ-03", CLERK)

    with pytest.raises(Refused, match="review_unfinished"):
        await desk.forward(office, officer("MZ"), early.id, early.version, "")
    with pytest.raises(Refused, match="not_for_the_county"):
        await desk.forward(office, officer("SJ"), own.id, own.version, "")
