"""Supervision at work, on real stores: a change of a case plans the next look, a sweep looks at what is due, and nothing else."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from handlers import supervision, supervision_views
from handlers.access import Officer
from handlers.actors import department_actor
from handlers.cards import CardDelivery, CardExtension, CardPause, CardRevocation
from handlers.casefile import opened
from handlers.limits import local_date
from handlers.office import Office
from handlers.workdays import WorkCalendar
from storage import supervision as looks
from storage import supervision_cards
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database
from storage.ids import uuid7
from storage.redis import RedisStore
from tests.support.office import MORNING, open_office, submitted_case
from tests.support.town import settle_in

ITEM = "SJ-03"  # promised 5, legal 10 working days, no other department
GA = department_actor("GA")


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


def clock_of(office: Office) -> SettableClock:
    assert isinstance(office.clock, SettableClock)
    return office.clock


def on_workday(office: Office, days: int, start: dt.datetime = MORNING) -> dt.datetime:
    """Ten o'clock on the n-th working day after `start`."""
    day = office.calendar.add_workdays(start.date(), days).day
    return dt.datetime.combine(day, dt.time(2), dt.UTC)


async def submitted(office: Office, item: str = ITEM) -> str:
    return (await submitted_case(office, await settle_in(office.database, uuid7()), item)).id


async def accepted(office: Office, item: str = ITEM) -> str:
    """A case accepted now; the shortest way, for the state machine has tests of its own."""
    case_id = await submitted(office, item)
    async with opened(office, case_id) as file:
        file.row.update(state="in_review", accepted_at=file.now)
        file.change_task(file.tasks[0], state="done", result="accepted", answered_at=file.now)
        for position, part in enumerate(file.item.parts):
            due = file.office.calendar.add_workdays(file.now.date(), part.days).day
            file.add_task(part.department, "review", part.action, position=position, state="requested", due_on=due)
    return case_id


async def change(office: Office, case_id: str, **values: Any) -> None:
    async with opened(office, case_id) as file:
        file.row.update(values)


async def pause(office: Office, case_id: str) -> None:
    async with opened(office, case_id) as file:
        file.card = msgspec.structs.replace(file.card, pauses=(*file.card.pauses, CardPause("t", "听证", file.now)))


async def go_on(office: Office, case_id: str) -> None:
    async with opened(office, case_id) as file:
        ended = tuple(msgspec.structs.replace(one, end=one.end or file.now) for one in file.card.pauses)
        file.card = msgspec.structs.replace(file.card, pauses=ended)


async def deliver(office: Office, case_id: str) -> None:
    """Granted, so that its result is to be delivered in ten working days; or else delivered."""
    async with opened(office, case_id) as file:
        if file.card.delivery is not None:
            file.card = msgspec.structs.replace(file.card, delivery=msgspec.structs.replace(file.card.delivery, delivered_at=file.now))
            return
        due_on = file.office.calendar.add_workdays(local_date(file.now), 10).day
        file.row.update(state="decided", decision="granted", decided_at=file.now)
        file.card = msgspec.structs.replace(file.card, delivery=CardDelivery("counter", due_on))


async def sweep_at(office: Office, moment: dt.datetime) -> int:
    clock_of(office).time = moment
    return await supervision.sweep(office)


async def cards(office: Office, case_id: str) -> list[tuple[str, str, str]]:
    return [(row["object_kind"], row["level"], row["state"]) for row in await supervision_cards.of_case(office.database, case_id)]


async def planned(office: Office) -> dict[str, dt.datetime]:
    """The next look by kind of object."""
    rows = await office.database.rows("SELECT object_kind, look_at FROM supervision_due")
    return {row["object_kind"]: row["look_at"] for row in rows}


async def test_nobody_looked_at_an_application_for_two_working_days(office: Office):
    case_id = await submitted(office)
    assert await sweep_at(office, on_workday(office, 2)) == 0
    assert await sweep_at(office, on_workday(office, 3)) == 1
    assert await sweep_at(office, on_workday(office, 8)) == 2
    assert await cards(office, case_id) == [
        ("pre_acceptance", "warning", "issued"), ("pre_acceptance", "yellow", "issued"), ("pre_acceptance", "red", "pending"),
    ]  # fmt: skip


async def test_a_case_is_warned_then_yellow_then_red_and_each_only_once(office: Office):
    case_id = await accepted(office)
    for days, expected in ((2, 0), (3, 1), (3, 0), (5, 0), (6, 1), (10, 0), (11, 1), (30, 0)):
        assert await sweep_at(office, on_workday(office, days)) == expected, days
    assert await cards(office, case_id) == [("case", "warning", "issued"), ("case", "yellow", "issued"), ("case", "red", "pending")]
    assert await planned(office) == {}


async def test_a_card_says_what_the_template_says_with_its_rule_its_edition_and_the_day_of_its_answer(office: Office):
    case_id = await accepted(office)
    await sweep_at(office, on_workday(office, 6))
    row = (await supervision_cards.of_case(office.database, case_id))[-1]
    number = await office.database.one("SELECT number FROM cases WHERE id = $1", case_id)
    assert number is not None
    assert number["number"] in row["text"]
    assert "已用 6 天，超过承诺时限 5 个工作日" in row["text"]
    assert "$" not in row["text"]
    assert (row["rule"], row["rule_version"], row["department"], row["area"]) == ("case-yellow", 1, "SJ", office.division)
    assert row["feedback_due_on"] == office.calendar.add_workdays(on_workday(office, 6).date(), 3).day
    assert row["earned_at"] == on_workday(office, 6).replace(hour=0) - dt.timedelta(hours=8)


async def test_a_warning_before_the_law_ends_first_explains_both_limits(office: Office):
    """居住证: 10 working days promised, 15 natural days by law; across the Spring Festival the law ends first, on 28 February."""
    case_id = await accepted(office, "GA-03")

    assert await sweep_at(office, dt.datetime(2026, 2, 26, 2, tzinfo=dt.UTC)) >= 1

    row = next(row for row in await supervision_cards.of_case(office.database, case_id) if row["object_kind"] == "case")
    head = Officer("head-GA", "approver", "GA", "", office.division)
    texts = [line.text for line in (await supervision_views.detail(office, head, row)).explanation]
    assert row["level"] == "warning"
    assert "法定时限先于承诺时限届满，以法定到期日2026年2月28日（周六）为准。" in texts


async def test_a_case_done_before_the_sweep_gets_no_card(office: Office):
    """监察规则说明: what was void or returned before the run is not carded."""
    case_id = await accepted(office)
    clock_of(office).time = on_workday(office, 6)
    await change(office, case_id, state="decided", decided_at=office.clock.now(), decision="refused")
    assert await sweep_at(office, on_workday(office, 12)) == 0
    assert await cards(office, case_id) == []


async def test_nobody_looks_at_a_suspended_case_and_its_resumption_moves_the_look(office: Office):
    case_id = await accepted(office)
    before = (await planned(office))["case"]
    clock_of(office).time = on_workday(office, 1)
    await pause(office, case_id)
    assert await planned(office) == {}
    assert await sweep_at(office, on_workday(office, 20)) == 0
    clock_of(office).time = on_workday(office, 5)
    await go_on(office, case_id)
    after = (await planned(office))["case"]
    assert office.calendar.count(before.date(), after.date()) == 4


async def test_a_department_late_with_its_step_gets_the_card_though_the_case_is_in_time(office: Office):
    """监察办法 art. 6: step overrun inside the total."""
    case_id = await accepted(office, "MZ-05")
    item = office.catalogue.items["MZ-05"]
    part = item.parts[0]
    await sweep_at(office, on_workday(office, part.days + 1))
    found = [row for row in await supervision_cards.of_case(office.database, case_id) if row["object_kind"] == "step"]
    assert {(row["level"], row["department"]) for row in found} >= {("yellow", part.department)}
    assert all(part.action in row["text"] for row in found if row["department"] == part.department)


async def test_a_special_procedure_has_a_limit_of_its_own_that_is_supervised(office: Office):
    case_id = await accepted(office)
    due = office.calendar.add_workdays(MORNING.date(), 5).day
    async with opened(office, case_id) as file:
        special = CardPause("", "现场核查", file.now, None, uuid7(), "GA", due)
        file.card = msgspec.structs.replace(file.card, pauses=(special,))
    assert [await sweep_at(office, on_workday(office, days)) for days in (2, 3, 5, 6, 7)] == [0, 1, 0, 1, 1]
    assert [kind for kind, _, _ in await cards(office, case_id)] == ["procedure"] * 3


async def test_a_certificate_is_due_three_days_after_the_decision(office: Office):
    late, in_time = await accepted(office), await accepted(office)
    for case_id in (late, in_time):
        await change(office, case_id, state="completed", decision="granted", decided_at=MORNING, completed_at=MORNING)
    async with opened(office, in_time) as file:
        file.note("certificate_issued", GA, tell=False)
    assert await sweep_at(office, on_workday(office, 3)) == 0
    assert await sweep_at(office, on_workday(office, 4)) == 1
    assert (await cards(office, late), await cards(office, in_time)) == ([("certificate", "yellow", "issued")], [])


async def test_no_certificate_is_owed_for_a_decision_that_was_taken_back(office: Office):
    case_id = await accepted(office)
    await change(office, case_id, state="completed", decision="granted", decided_at=MORNING, completed_at=MORNING)
    async with opened(office, case_id) as file:
        file.card = msgspec.structs.replace(file.card, revoked=CardRevocation(file.now, "承诺不实"))
    assert await sweep_at(office, on_workday(office, 9)) == 0


async def test_a_granted_extension_moves_the_red_card_only(office: Office):
    """行政许可法 art. 42: the legal limit is longer, the promise is not."""
    case_id = await accepted(office)
    async with opened(office, case_id) as file:
        file.card = msgspec.structs.replace(file.card, extensions=(CardExtension(10, MORNING.date(), promise=False),))
    assert await sweep_at(office, on_workday(office, 20)) == 2
    assert await sweep_at(office, on_workday(office, 21)) == 1


async def test_new_holidays_move_what_is_planned(office: Office):
    await accepted(office)
    before = (await planned(office))["case"]
    assert await supervision.catch_up(office) == 1
    assert await supervision.catch_up(office) == 0
    without = Office(**{**{name: getattr(office, name) for name in Office.__dataclass_fields__}, "calendar": WorkCalendar()})
    assert await supervision.catch_up(without) == 1
    assert (await planned(office))["case"] < before  # the Spring Festival is not left out any more


async def test_a_sweep_reads_only_what_is_due(office: Office):
    await accepted(office)
    clock_of(office).time = on_workday(office, 2)
    await accepted(office)
    due = await looks.due(office.database, on_workday(office, 3), 100)
    assert len(due) == 1


async def test_an_item_that_has_left_the_catalogue_keeps_nobody_else_waiting(office: Office):
    broken, whole = await accepted(office), await accepted(office)
    await office.database.execute("UPDATE cases SET item_code = 'XX-99' WHERE id = $1", broken)
    assert await sweep_at(office, on_workday(office, 6)) == 2
    assert len(await cards(office, whole)) == 2


@pytest.mark.parametrize("seed", range(4))
async def test_sweeps_of_several_processes_at_any_times_issue_what_a_look_at_every_case_would(office: Office, seed: int):
    """The naive job looks at every open case each time; ours at what is due. Three at once, at random times, issue the same set."""
    chance = random.Random(seed)
    open_cases = {await accepted(office, chance.choice([ITEM, "MZ-05", "GA-05"])) for _ in range(6)}
    expected: set[tuple[str, str, str]] = set()
    day = 0.0
    while day < 45:
        day += chance.choice([0.04, 0.5, 1, 2.3, 6])
        clock_of(office).time = MORNING + dt.timedelta(days=day)
        if chance.random() < 0.6:
            await _something_happens(office, open_cases, chance)
        expected |= await _earned(office, open_cases)
        await asyncio.gather(*(supervision.sweep(office) for _ in range(3)))
        found = await office.database.rows("SELECT object_kind, object_id, rule FROM supervision_card")
        assert sorted((row["object_kind"], row["object_id"], row["rule"]) for row in found) == sorted(expected)
    assert expected


async def _something_happens(office: Office, open_cases: set[str], chance: random.Random) -> None:
    case_id = chance.choice(sorted(open_cases))
    async with opened(office, case_id) as file:
        standing = any(one.end is None for one in file.card.pauses)
        tasks = [task for task in file.tasks if task["step"] == "review" and task["state"] == "requested"]
        if tasks and chance.random() < 0.5:
            file.change_task(tasks[0], state="done", result="agreed", answered_at=file.now)
    if chance.random() < 0.15:
        await change(office, case_id, state="decided", decision="refused", decided_at=office.clock.now())
    elif chance.random() < 0.15:
        await deliver(office, case_id)
    elif standing:
        await go_on(office, case_id)
    else:
        await pause(office, case_id)


async def _earned(office: Office, case_ids: set[str]) -> set[tuple[str, str, str]]:
    """Computed directly from what the cases have been through by now."""
    by, now = supervision.reckoner(office), office.clock.now()
    loaded = await supervision.load(office, office.database, sorted(case_ids))
    return {
        (one.kind, one.id, found.rule.code)
        for facts in loaded.values()
        for one in supervision.watched(office, facts).values()
        if one.runs
        for found in by.earned(one, now)
    }
