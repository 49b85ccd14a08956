"""The holidays of a year become known: open cases are counted again, and nothing that lies behind is touched."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import calendars, reviews, timeline
from handlers.calendars import Recounted, known_to, settle, settle_both
from handlers.cases import withdraw
from handlers.caseviews import CaseView
from handlers.office import Office
from handlers.workdays import WorkCalendar, YearTable
from mobile_api import sweeps
from storage import account_events, cases
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database, Transaction
from storage.envelopes import Answer
from storage.ids import uuid7
from storage.redis import RedisStore
from tests.support.office import open_office, submitted_case
from tests.support.town import settle_in

DECEMBER = dt.datetime(2026, 12, 28, 2, 0, tzinfo=dt.UTC)  # a Monday, ten o'clock in the town
NOTICE = YearTable(
    2027,
    {dt.date(2027, 1, 1): "元旦", dt.date(2027, 1, 2): "元旦", dt.date(2027, 1, 3): "元旦"},
    {dt.date(2027, 1, 9): "元旦"},
)
days = st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31))


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    """Late in December, before anybody knows the holidays of the next year."""
    office = await open_office(database, bell, store, tmp_path)
    clock_of(office).advance(seconds=(DECEMBER - office.clock.now()).total_seconds())
    return office


def clock_of(office: Office) -> SettableClock:
    assert isinstance(office.clock, SettableClock)
    return office.clock


def informed(office: Office, table: YearTable = NOTICE) -> Office:
    """The same office once the notice is there."""
    return replace(office, calendar=office.calendar.with_table(table))


async def accepted(office: Office, openid: str = "o1", item: str = "SJ-03") -> str:
    """A case accepted today; SJ-03 promises 5 and the law gives 10 working days."""
    case = await submitted_case(office, await settle_in(office.database, openid), item)
    await say(office, case.id, "task.accepted", "accept")
    return case.id


async def say(office: Office, case_id: str, kind: str, step: str, **data: Any) -> None:
    """A department's system says something about its task."""
    row = await row_of(office, case_id)
    task = next(one for one in await cases.tasks(office.database, case_id) if one["step"] == step)
    told = {"case": row["number"], "task": task["id"], **data}
    async with office.database.transaction() as tx:
        await reviews.record(office, tx, Answer(uuid7(), kind, task["department"], case_id, row["number"], 1, None, told))


async def row_of(office: Office, case_id: str) -> dict[str, Any]:
    row = await cases.by_id(office.database, case_id)
    assert row is not None
    return row


async def no_answer(_tx: Transaction, _view: CaseView) -> None:
    """Nobody waits."""


async def history(office: Office, case_id: str) -> list[str]:
    return [event["type"] for event in await cases.events(office.database, case_id)]


def dates(row: dict[str, Any]) -> tuple[str, str, bool]:
    return str(row["promised_on"]), str(row["legal_on"]), row["is_provisional"]


async def planned(office: Office) -> list[calendars.Recount]:
    return [found async for found in calendars.plan(office, dt.date(2026, 12, 1))]


async def test_a_provisional_date_moves_when_the_holidays_come_and_the_resident_is_told_both_dates(office: Office):
    case = await accepted(office)
    assert dates(await row_of(office, case)) == ("2027-01-04", "2027-01-11", True)

    done = await calendars.recount(informed(office), case)

    row = await row_of(office, case)
    assert done is not None
    assert done.moves
    assert dates(row) == ("2027-01-05", "2027-01-11", False)
    events = await cases.events(office.database, case)
    told = await account_events.since(office.database, row["resident_id"], 0, 100)
    assert events[-1]["type"] == "recounted"
    assert msgspec.json.decode(events[-1]["data"])["former_on"] == "2027-01-04"
    assert told[-1].type == "case.recounted"


async def test_counting_again_a_second_time_changes_nothing_not_even_the_version(office: Office):
    case = await accepted(office)
    await calendars.recount(informed(office), case)
    once = await row_of(office, case)

    assert await calendars.recount(informed(office), case) is None
    assert await planned(informed(office)) == []

    assert await row_of(office, case) == once


async def test_a_look_at_what_would_move_writes_nothing(office: Office):
    case = await accepted(office)
    before = await row_of(office, case)

    found = await planned(informed(office))

    assert [(one.case_id, one.promised.former, one.promised.on) for one in found] == [(case, dt.date(2027, 1, 4), dt.date(2027, 1, 5))]
    assert await row_of(office, case) == before


async def test_a_date_that_only_becomes_certain_is_written_without_a_word(office: Office):
    case = await accepted(office)
    quiet = informed(office, YearTable(2027, {dt.date(2027, 5, 3): "劳动节"}, {}))

    await calendars.recount(quiet, case)

    assert dates(await row_of(office, case)) == ("2027-01-04", "2027-01-11", False)
    assert "recounted" not in await history(office, case)


async def test_a_date_already_over_stays_as_it_was_counted_and_says_so(office: Office):
    case = await accepted(office)
    clock_of(office).advance(days=8)  # 5 January: the promise ended the day before, the notice comes too late

    found = await calendars.recount(informed(office), case)

    row = await row_of(office, case)
    assert found is not None
    assert found.promised == Recounted(dt.date(2027, 1, 4), dt.date(2027, 1, 4), "passed")
    assert dates(row) == ("2027-01-04", "2027-01-11", False)
    due = await timeline.due_dates(informed(office), row)
    assert due.promised is not None
    assert due.promised.due_on == dt.date(2027, 1, 4)
    assert due.promised.steps[-1].text == "放假安排导入时该到期日已无法变更，仍为2027年1月4日（周一）。"
    assert [one.promised.kept for one in await planned(informed(office))] == ["passed"]


async def test_a_case_whose_clock_stands_still_is_counted_when_it_goes_on(office: Office):
    case = await accepted(office, item="MZ-04")
    await say(office, case, "task.suspended", "review", procedure="入户调查", reason="需要核实", until_on=None)
    before = await row_of(office, case)

    assert await planned(informed(office)) == []
    assert await calendars.recount(informed(office), case) is None

    assert await row_of(office, case) == before
    await say(informed(office), case, "task.resumed", "review")
    assert (await row_of(office, case))["is_provisional"] is False


async def test_a_withdrawn_case_keeps_its_dates(office: Office):
    case = await accepted(office)
    await withdraw(office, (await row_of(office, case))["resident_id"], case, "", no_answer)
    assert await calendars.recount(informed(office), case) is None


async def test_a_date_across_two_unknown_years_stays_provisional_until_both_are_known(office: Office):
    clock_of(office).advance(days=366)  # 29 December 2027
    case = await accepted(office)
    assert (await row_of(office, case))["is_provisional"] is True
    both = informed(informed(office), YearTable(2028, {dt.date(2028, 1, 3): "元旦"}, {}))

    assert await calendars.recount(informed(office), case) is None
    assert (await row_of(office, case))["is_provisional"] is True
    await calendars.recount(both, case)

    assert (await row_of(office, case))["is_provisional"] is False


async def test_the_clock_finishes_what_an_import_that_was_killed_left(office: Office):
    first, second = await accepted(office), await accepted(office, "o2")
    await calendars.recount(informed(office), first)

    assert await calendars.catch_up(office) == 0  # this office does not know the year yet
    assert await calendars.catch_up(informed(office)) == 1
    assert await calendars.catch_up(informed(office)) == 0

    assert dates(await row_of(office, first)) == dates(await row_of(office, second))


async def test_after_the_restart_a_sweep_counts_what_is_left(office: Office):
    case = await accepted(office)
    await sweeps.sweep(informed(office))
    assert (await row_of(office, case))["is_provisional"] is False


async def test_a_case_that_cannot_be_written_holds_up_no_other(office: Office):
    broken, sound = await accepted(office), await accepted(office, "o2")
    await office.database.execute("UPDATE cases SET events = 0 WHERE id = $1", broken)  # its next event would have a number twice

    assert await calendars.catch_up(informed(office)) == 1

    assert (await row_of(office, broken))["is_provisional"] is True
    assert (await row_of(office, sound))["is_provisional"] is False


async def test_the_earlier_of_a_promise_in_working_days_and_a_legal_limit_in_natural_days_holds(office: Office):
    case = await accepted(office, item="GA-03")  # 居住证: 10 working days promised, 15 natural days by law
    row = await row_of(office, case)
    due = await timeline.due_dates(office, row)

    assert (str(row["promised_on"]), str(row["legal_on"])) == ("2027-01-11", "2027-01-12")
    assert due.promised is not None
    assert due.promised.due_on == row["promised_on"]

    spring = YearTable(2027, {dt.date(2027, 1, 4) + dt.timedelta(days=n): "春节" for n in range(5)}, {})
    await calendars.recount(informed(office, spring), case)
    row = await row_of(office, case)
    due = await timeline.due_dates(informed(office, spring), row)

    assert (str(row["promised_on"]), str(row["legal_on"])) == ("2027-01-12", "2027-01-12")
    assert due.promised is not None
    assert due.promised.steps[-1].text == "法定时限先于承诺时限届满，以法定到期日2027年1月12日（周二）为准。"


@given(days, days, days)
def test_a_settled_date_is_the_counted_one_or_stays_and_never_moves_into_the_past(former: dt.date, counted: dt.date, today: dt.date):
    one = settle(former, counted, today)
    assert one.on in {former, counted}
    assert one.on == former or (one.on >= today and former >= today)
    assert (one.kept == "") == (one.on == counted)
    assert settle(one.on, counted, today).on == one.on


@given(st.lists(days, min_size=2, max_size=2).map(sorted), st.lists(days, min_size=2, max_size=2).map(sorted), days)
def test_a_promise_never_outlasts_the_law_and_what_is_over_stays_over(stood: list[dt.date], counted: list[dt.date], today: dt.date):
    promised, legal = settle_both((stood[0], counted[0]), (stood[1], counted[1]), today)
    assert promised.on <= legal.on
    for one in (promised, legal):
        assert one.on == one.former or (one.former >= today and one.on >= today)
    again = settle_both((promised.on, counted[0]), (legal.on, counted[1]), today)
    assert (again[0].on, again[1].on) == (promised.on, legal.on)


def test_known_to_is_the_end_of_the_last_year_without_a_gap():
    calendar = WorkCalendar([YearTable(2026, {}, {}), YearTable(2027, {}, {}), YearTable(2029, {}, {})])
    assert known_to(calendar, 2026) == dt.date(2027, 12, 31)
    assert known_to(calendar, 2028) is None
