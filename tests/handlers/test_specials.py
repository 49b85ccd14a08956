"""Special procedures (行政许可法 art. 45): the clocks stand still, the procedure has a limit of its own, nothing stays open."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import pytest

from handlers import cases, desk, timeline
from handlers.cards import read_card
from handlers.errors import Refused
from handlers.office import Office
from handlers.specials import Special
from storage import specials as stored
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.support.lives import accepted_case, approver, clock_of, new_case, no_answer, now, officer, row_of, say, told, workdays_later
from tests.support.office import CLERK, open_office
from tests.support.reviews import with_item

HEARING = Special("听证", "利害关系人申请听证")


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def test_art_45_a_procedure_is_a_row_with_its_own_limit_told_in_writing(office: Office):
    case = await accepted_case(office, "LY-01", CLERK)  # 伐区现场勘查: three working days of its own

    stopped = await desk.suspend(office, officer("LY"), case.id, case.version, Special("伐区现场勘查", "需到场核实"))

    [row] = await stored.of_case(office.database, case.id)
    assert row["due_on"] == workdays_later(office, dt.date(2026, 2, 13), 3) == stopped.procedures[0].due_on
    assert (row["told_at"], row["ended_at"]) == (row["began_at"], None)
    assert (await told(office, case, "suspended"))["basis"] == "《中华人民共和国行政许可法》第四十五条"


async def test_an_announced_end_never_outlasts_the_limit_of_the_procedure(office: Office):
    case = await accepted_case(office, "LY-01", CLERK)

    stopped = await desk.suspend(
        office, officer("LY"), case.id, case.version, Special("伐区现场勘查", "需到场核实", until_on=dt.date(2026, 6, 1))
    )

    assert stopped.procedures[0].due_on == workdays_later(office, dt.date(2026, 2, 13), 3)


@pytest.mark.parametrize(
    ("item", "name", "until_on", "due_on"),
    [
        ("SJ-03", "听证", None, dt.date(2026, 3, 19)),  # art. 47: held within twenty days, here counted past the Spring Festival
        ("SJ-03", "鉴定", dt.date(2026, 6, 1), dt.date(2026, 6, 1)),  # nothing laid down: as long as was told in writing
        ("MZ-01", "公示", None, dt.date(2026, 2, 20)),  # the item's public notice lasts seven natural days
        ("MZ-01", "公示", dt.date(2026, 6, 1), dt.date(2026, 2, 20)),
    ],
)
async def test_art_45_no_procedure_is_without_an_end(office: Office, item: str, name: str, until_on: dt.date | None, due_on: dt.date):
    case = await accepted_case(office, item, CLERK)

    stopped = await desk.suspend(office, officer(item[:2]), case.id, case.version, Special(name, "需要", until_on=until_on))

    assert stopped.procedures[0].due_on == due_on
    assert (await told(office, case, "suspended"))["until_on"] == due_on.isoformat()


async def test_a_public_notice_that_counts_in_the_limit_stops_no_clock(office: Office):
    announcement = office.catalogue.items["MZ-01"].announcement
    assert announcement is not None
    town = await with_item(office, "MZ-01", announcement=msgspec.structs.replace(announcement, counts_in_limit=True))
    case = await accepted_case(town, "MZ-01", CLERK)

    with pytest.raises(Refused, match="procedure_unknown"):
        await desk.suspend(town, officer("MZ"), case.id, case.version, Special("公示", "需要"))


async def test_only_procedures_of_the_item_or_of_the_law_stop_a_clock(office: Office):
    case = await accepted_case(office, "SJ-03", CLERK)

    with pytest.raises(Refused, match="procedure_unknown"):
        await desk.suspend(office, officer("SJ"), case.id, case.version, Special("午休", "累了"))


async def test_no_clock_stands_still_before_acceptance_or_after_the_decision(office: Office):
    early = await new_case(office, "SJ-03")
    with pytest.raises(Refused, match="suspension_too_early"):
        await desk.suspend(office, officer("SJ"), early.id, early.version, HEARING)
    case = await accepted_case(office, "SJ-03", CLERK)
    done = await desk.decide(office, approver("SJ"), case.id, case.version, "granted", "符合")

    with pytest.raises(Refused, match="wrong_state"):
        await desk.suspend(office, officer("SJ"), done.id, done.version, HEARING)


async def test_the_end_may_not_lie_in_the_past(office: Office):
    case = await accepted_case(office, "SJ-03", CLERK)

    with pytest.raises(Refused, match="until_in_the_past"):
        await desk.suspend(office, officer("SJ"), case.id, case.version, Special("听证", "需要", until_on=dt.date(2026, 2, 12)))


async def test_overlapping_procedures_stop_the_clock_once_and_it_goes_on_after_the_last(office: Office):
    case = await accepted_case(office, "SJ-03", CLERK)
    who, before = officer("SJ"), case.promised_on
    assert before is not None
    first = await desk.suspend(office, who, case.id, case.version, HEARING)
    both = await desk.suspend(office, who, case.id, first.version, Special("鉴定", "需要鉴定"))
    with pytest.raises(Refused, match="already_suspended"):
        await desk.suspend(office, who, case.id, both.version, HEARING)
    clock_of(office).advance(days=14)
    one_left = await desk.resume(office, who, case.id, both.version, both.procedures[0].id, "维持")
    standing = await timeline.due_dates(office, await row_of(office, case))
    clock_of(office).advance(days=14)

    over = await desk.resume(office, who, case.id, one_left.version, both.procedures[1].id, "合格")

    assert standing.promised is not None
    assert standing.promised.due_on is None
    assert over.promised_on is not None
    assert office.calendar.count(before, over.promised_on) == office.calendar.count(dt.date(2026, 2, 13), dt.date(2026, 3, 12))
    assert [row["result"] for row in await stored.of_case(office.database, case.id)] == ["维持", "合格"]


async def test_a_decision_ends_every_open_procedure(office: Office):
    case = await accepted_case(office, "SJ-03", CLERK)
    stopped = await desk.suspend(office, officer("SJ"), case.id, case.version, HEARING)

    await desk.decide(office, approver("SJ"), case.id, stopped.version, "granted", "符合")

    assert all(pause.end is not None for pause in read_card(await row_of(office, case)).pauses)
    assert all(row["ended_at"] is not None for row in await stored.of_case(office.database, case.id))


async def test_a_withdrawal_ends_every_open_procedure(office: Office):
    case = await accepted_case(office, "MZ-04", CLERK)
    await say(office, case, "task.suspended", "GA", "review", procedure="听证", reason="需要", until_on=None)

    await cases.withdraw(office, (await row_of(office, case))["resident_id"], case.id, "", no_answer)

    assert all(row["ended_at"] is not None for row in await stored.of_case(office.database, case.id))
    assert {task.state for task in (await now(office, case)).tasks} == {"done", "void"}


async def test_a_department_with_a_part_stops_and_resumes_its_own_part_only(office: Office):
    case = await accepted_case(office, "MZ-04", CLERK)
    lead = await desk.suspend(office, officer("MZ"), case.id, case.version, HEARING)
    both = await desk.suspend(office, officer("GA"), case.id, lead.version, Special("鉴定", "需要鉴定"))

    with pytest.raises(Refused, match="not_suspended"):
        await desk.resume(office, officer("GA"), case.id, both.version, both.procedures[0].id, "")
    own = await desk.resume(office, officer("GA"), case.id, both.version, both.procedures[1].id, "")

    assert [task.state for task in both.tasks if task.department.code == "GA"] == ["suspended"]
    assert [task.state for task in own.tasks if task.department.code == "GA"] == ["in_progress"]
    with pytest.raises(Refused, match="not_found"):
        await desk.suspend(office, officer("SW"), case.id, own.version, HEARING)
