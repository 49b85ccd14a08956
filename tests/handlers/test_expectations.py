"""What to expect honestly: percentiles of like cases and what is left of them, never an average (field/platforms.md, c 14)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import expectations
from handlers.caseviews import DepartmentRef
from handlers.clocks import Days
from handlers.expectations import FEWEST, Waits, expect
from handlers.limits import DAY
from handlers.office import Office
from storage import cases, outcomes
from storage.bell import Bell
from storage.database import Database
from storage.ids import uuid7
from storage.redis import RedisStore
from tests.support import samples
from tests.support.office import open_office, submitted_case
from tests.support.town import settle_in

TEN = Days(10)
MZ = DepartmentRef("MZ", "民政")


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def decided(office: Office, *days: int, item: str = "GA-05", department: str = "GA", ending: str = "granted", ago: int = 5) -> None:
    """Cases that took so many working days."""
    now, resident = office.clock.now(), await settle_in(office.database, uuid7())
    unused = dict.fromkeys(("staff_id", "accepted_on", "used_days", "used_legal"))
    of_all = {"item_code": item, "department": department, "ending": ending, "ended_on": (now - ago * DAY).date()}
    row = {**samples.ROWS["case_outcome"], **unused, **of_all}
    for day in days:
        of = uuid7()
        case = {**samples.ROWS["cases"], "id": of, "number": of[-22:], "resident_id": resident, "item_code": item}
        await samples.insert(office.database, "cases", case)
        async with office.database.transaction() as tx:
            await outcomes.insert(tx, {**row, "case_id": of, "net_seconds": day * 86_400})


async def test_half_and_four_in_five_of_like_cases_by_the_nearest_rank(office: Office):
    await decided(office, *range(1, 21))
    found = await expectations.of_item(office, office.catalogue.items["GA-05"])
    assert (found.basis, found.cases, found.half_days, found.most_days, found.left_days) == ("item", 20, 10, 16, None)
    assert "一半在 10 个工作日内办结，八成在 16 个" in found.text
    assert "four in five within 16" in found.text_en


async def test_one_very_long_case_moves_no_percentile_as_it_would_move_an_average(office: Office):
    await decided(office, *[2] * (FEWEST - 1), 400)
    found = await expectations.of_item(office, office.catalogue.items["GA-05"])
    assert (found.half_days, found.most_days) == (2, 2)


async def test_with_few_like_cases_those_of_the_department_speak_and_with_none_the_promise(office: Office):
    item = office.catalogue.items["GA-05"]
    alone = await expectations.of_item(office, item)
    await decided(office, 3, 3)
    await decided(office, *[7] * FEWEST, item="GA-01")
    with_department = await expectations.of_item(office, item)
    assert (alone.basis, alone.cases, alone.most_days) == ("promise", 0, None)
    assert (with_department.basis, with_department.cases, with_department.most_days) == ("department", FEWEST + 2, 7)


async def test_only_what_was_decided_in_the_last_half_year_counts(office: Office):
    await decided(office, *[9] * FEWEST, ago=181)
    await decided(office, *[9] * FEWEST, ending="withdrawn")
    assert (await expectations.of_item(office, office.catalogue.items["GA-05"])).basis == "promise"


async def test_of_a_case_it_is_said_what_is_left_and_nothing_once_it_is_decided(office: Office):
    await decided(office, *[6] * FEWEST)
    case = await submitted_case(office, await settle_in(office.database, "o1"))
    row = await cases.by_id(office.database, case.id)
    assert row is not None
    item = office.catalogue.items["GA-05"]
    found = await expectations.of_case(office, row, item)
    assert found is not None
    assert (found.used_days, found.left_days) == (0, 6)
    assert await expectations.of_case(office, {**row, "state": "decided"}, item) is None
    assert await expectations.of_case(office, {**row, "state": "draft"}, item) is None


@given(half=st.integers(0, 60), more=st.integers(0, 60), used=st.integers(0, 200))
def test_what_is_left_is_never_negative_and_never_more_than_four_in_five_took(half: int, more: int, used: int):
    found = expect(Waits("item", 30, half * DAY, (half + more) * DAY), TEN, MZ, dt.timedelta(days=used))
    assert found.left_days is not None
    assert found.most_days is not None
    assert 0 <= found.left_days <= found.most_days
    assert ("比多数办件时间长" in found.text) == (found.left_days == 0)
