"""The holidays of a year become known: deliveries and papers that are owed are counted again, and nothing that lies behind is touched."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from handlers import calendars, desk, laterdates, paperdesk, papers, supervision
from handlers.cards import read_card
from handlers.caseviews import CaseView
from handlers.handovers import Wish
from handlers.laterdates import DELIVERY
from handlers.office import Office
from handlers.papers import Waiver
from handlers.workdays import YearTable
from mobile_api import sweeps
from storage import account_events
from storage import debts as stored
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.support.lives import approver, clock_of, history, now, officer, row_of
from tests.support.office import open_office
from tests.support.papers import HURRY, RELIEF, TOLERATED, accepted
from tests.support.town import settle_in

DECEMBER = dt.datetime(2026, 12, 28, 2, 0, tzinfo=dt.UTC)  # a Monday, ten o'clock in the town
NEW_YEAR = YearTable(2027, {dt.date(2027, 1, day): "元旦" for day in (1, 2, 3)}, {})
QUIET = YearTable(2027, {dt.date(2027, 5, 3): "劳动节"}, {})
PAPER = "hardship_proof"


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    """Late in December, before anybody knows the holidays of the next year."""
    office = await open_office(database, bell, store, tmp_path)
    clock_of(office).time = DECEMBER
    return office


def informed(office: Office, table: YearTable = NEW_YEAR) -> Office:
    """The same office once the notice is there."""
    return replace(office, calendar=office.calendar.with_table(table))


async def aided(office: Office, openid: str = "o1") -> CaseView:
    """Urgent aid granted on 28 December: to be fetched in ten working days, its paper to follow in five."""
    resident = await settle_in(office.database, openid)
    case = await accepted(office, resident, RELIEF, without=PAPER, urgent=HURRY, delivery=Wish("counter"))
    return await paperdesk.decide_first(office, approver("MZ"), case.id, case.version, "家中失火，先行救助")


async def dates(office: Office, case: CaseView) -> tuple[str, str]:
    """By when the result is delivered and the paper comes in; the tables say what the card says."""
    card = read_card(await row_of(office, case))
    assert card.delivery is not None
    (debt,), (kept,) = card.debts, await stored.of_case(office.database, case.id)
    delivery = await office.database.one("SELECT due_on FROM delivery WHERE case_id = $1", case.id)
    assert kept["due_on"] == debt.due_on
    assert delivery is not None
    assert delivery["due_on"] == card.delivery.due_on
    return str(card.delivery.due_on), str(debt.due_on)


async def planned(office: Office) -> list[tuple[str, str, str]]:
    found = [one async for one in laterdates.plan(office, dt.date(2026, 12, 1))]
    return sorted((one.what, str(one.date.on), one.date.kept) for one in found)


async def test_both_move_when_the_holidays_come_and_the_applicant_is_told_of_his_paper(office: Office):
    case = await aided(office)
    assert await dates(office, case) == ("2027-01-11", "2027-01-04")
    assert await planned(informed(office)) == [(DELIVERY, "2027-01-12", ""), (PAPER, "2027-01-05", "")]

    moved = await laterdates.recount(informed(office), case.id)

    assert {one.what for one in moved} == {DELIVERY, PAPER}
    assert await dates(office, case) == ("2027-01-12", "2027-01-05")
    news = await account_events.since(office.database, (await row_of(office, case))["resident_id"], 0, 100)
    assert [one.type for one in news].count("case.papers_owed") == 3  # at acceptance, at the decision, and now
    assert "case.recounted" not in {one.type for one in news}
    lines = {event.type: event.data for event in await history(office, case)}
    assert lines["recounted"] == {"former_delivery_on": "2027-01-11", "delivery_on": "2027-01-12"}
    assert lines["papers_owed"]["until_on"] == "2027-01-05"


async def test_counting_again_a_second_time_changes_nothing_not_even_the_version(office: Office):
    case = await aided(office)
    await laterdates.recount(informed(office), case.id)
    once = await row_of(office, case)
    assert await laterdates.recount(informed(office), case.id) == []
    assert await planned(informed(office)) == []
    assert await row_of(office, case) == once


async def test_a_look_at_what_would_move_writes_nothing_nor_does_a_year_that_moves_nothing(office: Office):
    case = await aided(office)
    before = await row_of(office, case)
    await planned(informed(office))
    assert await laterdates.recount(informed(office, QUIET), case.id) == []
    assert await row_of(office, case) == before


async def test_what_is_over_stays_late_and_nothing_moves_to_before_today(office: Office):
    case = await aided(office)
    clock_of(office).time = DECEMBER + dt.timedelta(days=8)  # 5 January: the paper was due the day before
    assert await planned(informed(office)) == [(DELIVERY, "2027-01-12", ""), (PAPER, "2027-01-04", "passed")]
    clock_of(office).time = DECEMBER + dt.timedelta(days=14)  # 11 January: two make-up days would have ended it on the 9th
    shorter = YearTable(2027, {}, {dt.date(2027, 1, 2): "元旦", dt.date(2027, 1, 3): "元旦"})
    assert (DELIVERY, "2027-01-11", "would_have_passed") in await planned(informed(office, shorter))
    await laterdates.recount(informed(office, shorter), case.id)
    assert await dates(office, case) == ("2027-01-11", "2027-01-04")


async def test_what_was_delivered_settled_or_lapsed_keeps_its_date(office: Office):
    done, lapsed = await aided(office), await aided(office, "o2")
    done = await paperdesk.waive(office, approver("MZ"), done.id, done.version, Waiver(PAPER, "已核实"))
    await desk.complete(office, officer("MZ"), done.id, done.version, "张三")
    clock_of(office).time = DECEMBER + dt.timedelta(days=8)
    await papers.sweep(office)
    clock_of(office).time = DECEMBER  # the clock of another machine may be behind
    assert await planned(informed(office)) == [(DELIVERY, "2027-01-12", "")]
    await laterdates.recount(informed(office), lapsed.id)
    assert await dates(office, lapsed) == ("2027-01-12", "2027-01-04")


async def test_both_are_provisional_until_the_holidays_are_known_and_no_longer_once_they_are_settled(office: Office):
    case = await aided(office)

    async def marks(of: Office) -> tuple[bool, bool]:
        view = await now(of, case)
        assert view.delivery is not None
        return view.delivery.provisional, view.debts[0].provisional

    assert await marks(office) == (True, True)
    assert await marks(informed(office)) == (False, False)
    case = await paperdesk.waive(office, approver("MZ"), case.id, case.version, Waiver(PAPER, "已核实"))
    assert await marks(office) == (True, False)
    await desk.complete(office, officer("MZ"), case.id, case.version, "张三")
    assert await marks(office) == (False, False)


async def test_a_paper_whose_date_moves_is_reminded_of_again(office: Office):
    case = await aided(office)
    clock_of(office).time = DECEMBER + dt.timedelta(days=3)
    assert await papers.sweep(office) == 1
    assert await papers.sweep(office) == 0
    late = informed(office, YearTable(2027, {dt.date(2027, 1, day): "元旦" for day in range(1, 9)}, {}))
    await laterdates.recount(late, case.id)
    assert (await dates(office, case))[1] == "2027-01-12"
    clock_of(office).time = dt.datetime(2027, 1, 11, 2, tzinfo=dt.UTC)
    assert await papers.sweep(late) == 1


async def test_a_tolerated_paper_follows_the_promised_day_that_moved(office: Office):
    resident = await settle_in(office.database, "o1")
    case = await accepted(office, resident, RELIEF, without=PAPER, commitments=(TOLERATED,))
    known, before = informed(office), case.promised_on
    await calendars.recount(known, case.id)
    await laterdates.recount(known, case.id)
    case = await now(office, case)
    assert case.promised_on != before
    assert case.debts[0].due_on == case.promised_on


async def test_the_look_at_a_delivery_moves_with_its_date(office: Office):
    await aided(office)
    before = await _look(office)
    assert await laterdates.catch_up(informed(office)) == 2
    assert await _look(office) > before


async def _look(office: Office) -> dt.datetime:
    row = await office.database.one("SELECT look_at FROM supervision_due WHERE object_kind = 'delivery'")
    assert row is not None
    moment: dt.datetime = row["look_at"]
    return moment


async def test_the_clock_finishes_what_an_import_left_once_after_each_change_of_the_calendar(office: Office):
    first, second = await aided(office), await aided(office, "o2")
    assert await laterdates.catch_up(office) == 0  # this office does not know the year yet
    await laterdates.recount(informed(office), first.id)
    assert await laterdates.catch_up(informed(office)) == 2
    assert await dates(office, first) == await dates(office, second)
    assert await laterdates.catch_up(informed(office)) == 0
    assert await laterdates.catch_up(informed(office, QUIET)) == 4
    assert await dates(office, second) == ("2027-01-11", "2027-01-04")


async def test_a_sweep_after_the_restart_counts_what_is_left(office: Office):
    case = await aided(office)
    await sweeps.sweep(informed(office))
    assert await dates(office, case) == ("2027-01-12", "2027-01-05")


async def test_a_case_that_cannot_be_written_holds_up_no_other_and_is_tried_again(office: Office):
    broken, sound = await aided(office), await aided(office, "o2")
    events = (await row_of(office, broken))["events"]
    await office.database.execute("UPDATE cases SET events = 0 WHERE id = $1", broken.id)  # its next event would have a number twice
    assert await laterdates.catch_up(informed(office)) == 2
    assert await dates(office, sound) == ("2027-01-12", "2027-01-05")
    await office.database.execute("UPDATE cases SET events = $2 WHERE id = $1", broken.id, events)
    assert await laterdates.catch_up(informed(office)) == 2
    assert await dates(office, broken) == ("2027-01-12", "2027-01-05")


@pytest.mark.parametrize("seed", range(6))
async def test_after_any_notices_the_dates_are_those_of_a_town_that_had_known_them_all_along(office: Office, seed: int):
    chance, case = random.Random(seed), await aided(office)
    for _ in range(4):
        year = [dt.date(2027, 1, 1) + dt.timedelta(days=n) for n in range(30)]
        off = dict.fromkeys(chance.sample(year, chance.randrange(12)), "节")
        worked: dict[dt.date, Any] = {day: "节" for day in year if day.weekday() >= 5 and day not in off and chance.random() < 0.3}
        town = informed(office, YearTable(2027, off, worked))
        await laterdates.catch_up(town)
        wanted = [str(town.calendar.add_workdays(DECEMBER.date(), days).day) for days in (10, 5)]
        assert list(await dates(office, case)) == wanted
        assert await supervision.catch_up(town) in {0, 1}
    assert msgspec.json.decode((await row_of(office, case))["card"])["debts"][0]["counted_from"] == "2026-12-28"
