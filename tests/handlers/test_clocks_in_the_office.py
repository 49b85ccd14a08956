"""How a town counts is a setting: the same case, counted by date and by the instant, up to what the resident is shown."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from config.settings import SettingsError, load
from handlers import reviews, timeline
from handlers.casecards import card_of
from handlers.limits import Counting
from handlers.office import Office
from storage import cases
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database, Row
from storage.envelopes import Answer
from storage.ids import uuid7
from storage.redis import RedisStore
from tests.support.office import open_office, submitted_case
from tests.support.town import settle_in


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    """Half past nine on 13 February 2026, a Friday before the Spring Festival."""
    return await open_office(database, bell, store, tmp_path)


async def accepted(office: Office, item: str, **data: object) -> Row:
    """A case that its department's system accepts at this moment; its row."""
    case = await submitted_case(office, await settle_in(office.database, "o1"), item)
    task = (await cases.tasks(office.database, case.id))[0]
    told = {"case": case.number, "task": task["id"], **data}
    async with office.database.transaction() as tx:
        await reviews.record(office, tx, Answer(uuid7(), "task.accepted", task["department"], case.id, case.number, 1, None, told))
    row = await cases.by_id(office.database, case.id)
    assert row is not None
    return row


@pytest.mark.parametrize(("counting", "due_at"), [("date", None), ("instant", "2026-02-27T09:30:00+08:00")])
async def test_the_resident_is_shown_the_day_or_the_very_second(office: Office, counting: Counting, due_at: str | None):
    town = replace(office, counting=counting)
    row = await accepted(town, "SJ-03")  # 5 working days promised

    due = (await timeline.due_dates(town, row)).promised

    assert due is not None
    assert due.due_on == row["promised_on"] == dt.date(2026, 2, 27)
    assert (due.due_at.isoformat() if due.due_at else None) == due_at
    assert any("春节放假 9 天" in step.text and "9 days off" in step.text_en for step in due.steps)


async def test_one_second_over_is_a_yellow_card_by_the_instant_and_none_by_date(office: Office):
    town = replace(office, counting="instant")
    row = await accepted(town, "SJ-03")
    assert isinstance(office.clock, SettableClock)
    office.clock.advance(days=14, seconds=1)

    assert (await card_of(town, row)).supervision == "yellow"
    assert (await card_of(office, row)).supervision == "warning"


async def test_an_immediate_item_is_due_today_also_where_seconds_count(office: Office):
    row = await accepted(replace(office, counting="instant"), "GA-01")
    assert row["promised_on"] == row["legal_on"] == dt.date(2026, 2, 13)


async def test_a_limit_that_the_law_ends_first_is_explained_to_the_resident(office: Office):
    row = await accepted(office, "GA-03")  # 10 working days promised, 15 natural days by law
    due = (await timeline.due_dates(office, row)).promised
    assert due is not None
    assert due.due_on == row["promised_on"] == row["legal_on"] == dt.date(2026, 2, 28)
    assert due.steps[-1].text == "法定时限先于承诺时限届满，以法定到期日2026年2月28日（周六）为准。"
    assert msgspec.json.encode(due)


async def test_a_department_cannot_date_its_acceptance_back(office: Office):
    """The office's own clock says when: a time in the message has no effect on a resident's date."""
    row = await accepted(office, "SJ-03", accepted_at="2026-01-05T09:00:00+08:00", at="2026-01-05T09:00:00+08:00")
    assert row["accepted_at"] == office.clock.now()
    assert row["promised_on"] == dt.date(2026, 2, 27)


@pytest.mark.parametrize("counting", ["date", "instant"])
def test_the_town_chooses_in_its_settings(counting: str):
    assert load(None, {"MOBILE_API_CLOCKS__COUNTING": counting}).clocks.counting == counting


def test_another_way_of_counting_is_no_setting():
    with pytest.raises(SettingsError, match="counting"):
        load(None, {"MOBILE_API_CLOCKS__COUNTING": "hour"})
