"""By when each part of the review is done: procedures and holidays move it, and the day of silence (行政许可法 art. 43, 45)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from handlers import calendars, desk, parallel, partdates, supervision
from handlers.catalogue import Part
from handlers.office import Office
from handlers.specials import Special
from handlers.workdays import YearTable
from storage.bell import Bell
from storage.database import Database, Row
from storage.redis import RedisStore
from tests.support.lives import accepted_case, clock_of, officer, say, workdays_later
from tests.support.office import CLERK, open_office
from tests.support.reviews import task_of, with_item

ITEM = "NY-02"
TODAY = dt.date(2026, 2, 13)  # a Friday; 14 February is worked, then the Spring Festival until the 23rd
HEARING = Special("听证", "利害关系人申请听证")
SILENT = Part(department="ZR", action="ZR审查", days=2, silent="agreed", silent_basis="示例镇并联审批办法第八条")
NEW_YEAR = YearTable(2027, {dt.date(2027, 1, day): "元旦" for day in (1, 2, 3)}, {dt.date(2027, 1, 9): "元旦"})


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await with_item(await open_office(database, bell, store, tmp_path), ITEM, parts=(SILENT,))


async def part(office: Office, case_id: str) -> Row:
    return await task_of(office, case_id, "ZR")


def on(office: Office, day: dt.date) -> None:
    """Nine in the morning of a day."""
    clock_of(office).time = dt.datetime.combine(day, dt.time(1), dt.UTC)


async def told_to(office: Office, department: str) -> list[tuple[dt.date, str]]:
    """The dates that a department was told anew, with the words."""
    letters = await office.database.rows("SELECT id, body FROM outbox WHERE department = $1", department)
    bodies = [msgspec.json.decode(office.keys.sealer.unseal(bytes(one["body"]), f"outbox.body:{one['id']}")) for one in letters]
    data = [body["data"] for body in bodies if "task.urged" in body["type"]]
    return [(dt.date.fromisoformat(one["due_on"]), one["text"]) for one in data]


@pytest.mark.parametrize("department", ["NY", "ZR"], ids=["the whole case", "its own part"])
async def test_a_procedure_of_k_days_moves_the_part_and_its_silence_by_k(office: Office, department: str):
    case = await accepted_case(office, ITEM, CLERK)
    who = officer(department)
    stopped = await desk.suspend(office, who, case.id, case.version, HEARING)
    on(office, workdays_later(office, TODAY, 3))  # it stood still today and on two working days more
    await desk.resume(office, who, case.id, stopped.version, stopped.procedures[0].id, "维持")

    due_on = workdays_later(office, TODAY, 4)  # two days of its own, the second to the fourth
    assert (await part(office, case.id))["due_on"] == due_on
    assert (due_on, partdates.MOVED) in await told_to(office, "ZR")
    on(office, due_on)
    assert await parallel.sweep(office) == 0
    on(office, due_on + dt.timedelta(days=1))
    assert await parallel.sweep(office) == 1


async def test_nobody_is_silent_while_the_clock_stands_still(office: Office):
    case = await accepted_case(office, ITEM, CLERK)
    await desk.suspend(office, officer("NY"), case.id, case.version, HEARING)

    on(office, TODAY + dt.timedelta(days=60))

    assert await parallel.sweep(office) == 0
    assert (await part(office, case.id))["state"] == "requested"


async def test_the_procedure_of_another_department_leaves_a_part_its_date(office: Office):
    town = await with_item(office, ITEM, parts=(SILENT, Part(department="LY", action="LY审查", days=2)))
    case = await accepted_case(town, ITEM, CLERK)
    before = (await part(town, case.id))["due_on"]

    await desk.suspend(town, officer("LY"), case.id, case.version, HEARING)

    assert ((await part(town, case.id))["due_on"], (await part(town, case.id))["deemed_on"]) == (before, before + dt.timedelta(days=1))


async def test_the_first_review_of_the_town_moves_with_the_case_and_supervision_counts_it_once(office: Office):
    case = await accepted_case(office, "MZ-05", CLERK)
    await say(office, case, "task.decided", "CL", "review", result="agreed", opinion="属实")
    before = await task_of(office, case.id, "MZ")
    stopped = await desk.suspend(office, officer("MZ"), case.id, case.version + 1, HEARING)
    on(office, workdays_later(office, TODAY, 3))
    await desk.resume(office, officer("MZ"), case.id, stopped.version, stopped.procedures[0].id, "维持")

    after = await task_of(office, case.id, "MZ")

    assert office.calendar.count(before["due_on"], after["due_on"]) == 2
    assert await boundary(office, case.id, "step-yellow") == workdays_later(office, after["due_on"], 1)


async def boundary(office: Office, case_id: str, rule: str) -> dt.date:
    """The day on which the first review earns a card."""
    by, facts = supervision.reckoner(office), (await supervision.load(office, office.database, [case_id]))[case_id]
    one = next(one for one in supervision.watched(office, facts).values() if one.kind == "step" and one.department == "MZ")
    moment = by.boundary(one, next(held for held in by.rules(one) if held.code == rule))
    assert moment is not None
    return (moment + dt.timedelta(hours=8)).date()


@pytest.fixture
async def december(office: Office) -> tuple[Office, Any]:
    """A case accepted late in the year: its part is due in a year without a calendar."""
    on(office, dt.date(2026, 12, 30))
    return office, await accepted_case(office, ITEM, CLERK)


async def test_a_holiday_that_becomes_known_moves_the_part_with_the_case(december: tuple[Office, Any]):
    office, case = december
    assert (await part(office, case.id))["due_on"] == dt.date(2027, 1, 1)

    await calendars.recount(replace(office, calendar=office.calendar.with_table(NEW_YEAR)), case.id)

    assert ((await part(office, case.id))["due_on"], (await part(office, case.id))["deemed_on"]) == (
        dt.date(2027, 1, 4),
        dt.date(2027, 1, 5),
    )


async def test_nobody_is_deemed_to_agree_on_a_holiday_that_was_not_counted_yet(december: tuple[Office, Any]):
    office, case = december
    informed = replace(office, calendar=office.calendar.with_table(NEW_YEAR))
    on(office, dt.date(2027, 1, 4))

    assert await parallel.sweep(informed) == 0
    on(office, dt.date(2027, 1, 5))
    assert await parallel.sweep(informed) == 1

    assert (await part(office, case.id))["result"] == "agreed"
