"""The parallel review (并联审批): parts begin in turn, each with its limit; the join comes once; silence and lateness are settled."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pytest

from handlers import parallel
from handlers.access import Officer
from handlers.catalogue import Part
from handlers.desk import give_opinion
from handlers.errors import Refused
from handlers.office import Office
from storage import cases
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database
from storage.redis import RedisStore
from tests.support.office import DIVISION, open_office, submitted_case
from tests.support.reviews import accept, decide, events_of, row_of, say, task_of, with_item
from tests.support.town import settle_in

ITEM = "NY-02"
RULE = "示例镇并联审批办法第八条"


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    """Half past nine on 13 February 2026, a Friday before the Spring Festival."""
    return await open_office(database, bell, store, tmp_path)


def a_part(department: str, **values: Any) -> Part:
    return Part(**{"department": department, "action": f"{department}审查", "days": 2, **values})


async def reviewed(office: Office, *parts: Part, **changes: Any) -> tuple[Office, str]:
    """An office whose item has these parts, and a case of it that has just been accepted."""
    town = await with_item(office, ITEM, parts=parts, **changes)
    case = await submitted_case(town, await settle_in(town.database, "o1"), ITEM)
    await accept(town, case.id)
    return town, case.id


async def opinion(office: Office, case_id: str, department: str, result: str = "agreed") -> None:
    await say(office, case_id, "task.decided", department, "review", result=result, opinion="已核")


async def states(office: Office, case_id: str) -> dict[str, str]:
    return {task["department"]: task["state"] for task in await cases.tasks(office.database, case_id) if task["step"] == "review"}


async def is_decision_asked(office: Office, case_id: str) -> bool:
    return any(task["step"] == "decide" for task in await cases.tasks(office.database, case_id))


async def test_a_part_begins_when_the_departments_it_names_have_answered(office: Office):
    town, case = await reviewed(office, a_part("ZR"), a_part("ZJ"), a_part("LY", after=("ZR",)))
    assert await states(town, case) == {"ZR": "requested", "ZJ": "requested", "LY": "waiting"}

    await opinion(town, case, "ZR")

    assert await states(town, case) == {"ZR": "done", "ZJ": "requested", "LY": "requested"}


async def test_the_limit_of_a_part_runs_from_the_day_it_is_asked(office: Office):
    town, case = await reviewed(office, a_part("ZR"), a_part("LY", mode="serial"))
    assert (await task_of(town, case, "LY"))["due_on"] is None
    assert isinstance(town.clock, SettableClock)

    town.clock.advance(days=17)  # 2 March 2026, after the Spring Festival
    await opinion(town, case, "ZR")

    assert (await task_of(town, case, "LY"))["due_on"] == dt.date(2026, 3, 4)


async def test_by_default_the_lead_department_waits_for_all(office: Office):
    town, case = await reviewed(office, a_part("ZR"), a_part("ZJ"))

    await opinion(town, case, "ZR")
    assert not await is_decision_asked(town, case)
    await opinion(town, case, "ZJ", "disagreed")

    assert await is_decision_asked(town, case)


async def test_where_one_agreement_is_enough_the_others_are_told_to_stop(office: Office):
    town, case = await reviewed(office, a_part("ZR"), a_part("ZJ"), join="any")

    await opinion(town, case, "ZR", "disagreed")
    assert not await is_decision_asked(town, case)
    await opinion(town, case, "ZJ")

    assert await is_decision_asked(town, case)
    assert await states(town, case) == {"ZR": "done", "ZJ": "done"}


async def test_where_the_lead_may_decide_early_it_is_asked_at_once_and_the_rest_is_void(office: Office):
    town, case = await reviewed(office, a_part("ZR"), a_part("ZJ"), join="lead")
    assert await is_decision_asked(town, case)

    await opinion(town, case, "ZR")
    await decide(town, case, "granted")

    assert (await row_of(town, case))["decision"] == "granted"
    assert await states(town, case) == {"ZR": "done", "ZJ": "void"}


async def test_an_opinion_after_an_early_decision_is_kept_and_changes_nothing(office: Office):
    town, case = await reviewed(office, a_part("ZR"), join="lead")
    await decide(town, case, "granted")

    await opinion(town, case, "ZR", "disagreed")
    await opinion(town, case, "ZR", "disagreed")

    assert (await events_of(town, case)).count("late_opinion") == 1
    assert (await row_of(town, case))["decision"] == "granted"
    assert (await task_of(town, case, "ZR"))["opinion"] == "逾期后答复：不同意，已核"


async def test_silence_counts_as_agreement_only_where_the_item_says_so_and_names_the_rule(office: Office):
    town, case = await reviewed(office, a_part("ZR", silent="agreed", silent_basis=RULE), a_part("ZJ"))
    assert isinstance(town.clock, SettableClock)

    assert await parallel.sweep(town) == 0
    town.clock.advance(days=30)
    assert await parallel.sweep(town) == 1

    task = await task_of(town, case, "ZR")
    assert (task["state"], task["result"], task["opinion"]) == ("done", "agreed", f"逾期未答复，视为同意（{RULE}）")
    assert (await states(town, case))["ZJ"] == "requested"
    assert (await events_of(town, case))[-1] == "task_deemed"


async def test_on_its_last_day_a_department_is_not_silent_yet(office: Office):
    town, case = await reviewed(office, a_part("ZR", silent="agreed", silent_basis=RULE))
    due_on = (await task_of(town, case, "ZR"))["due_on"]
    assert isinstance(town.clock, SettableClock)

    town.clock.time = dt.datetime.combine(due_on, dt.time(15, 59), dt.UTC)  # 23:59 in China
    assert await parallel.sweep(town) == 0
    town.clock.advance(minutes=1)

    assert await parallel.sweep(town) == 1


async def test_a_late_opinion_of_a_silent_department_is_recorded_without_effect(office: Office):
    town, case = await reviewed(office, a_part("ZR", silent="agreed", silent_basis=RULE))
    assert isinstance(town.clock, SettableClock)
    town.clock.advance(days=30)
    await parallel.sweep(town)

    await opinion(town, case, "ZR", "disagreed")

    task = await task_of(town, case, "ZR")
    assert task["result"] == "agreed"
    assert task["opinion"].endswith("逾期后答复：不同意，已核")
    assert (await events_of(town, case)).count("late_opinion") == 1


async def test_at_the_desk_a_late_opinion_is_taken_once(office: Office):
    town, case = await reviewed(office, a_part("ZR", silent="agreed", silent_basis=RULE))
    assert isinstance(town.clock, SettableClock)
    town.clock.advance(days=30)
    await parallel.sweep(town)
    officer = Officer("officer-1", "officer", "ZR", "", DIVISION)
    task = await task_of(town, case, "ZR")

    version = (await row_of(town, case))["version"]
    view = await give_opinion(town, officer, task["id"], case, version, "disagreed", "占用耕地")
    with pytest.raises(Refused) as refused:
        await give_opinion(town, officer, task["id"], case, view.version, "disagreed", "占用耕地")

    assert refused.value.code == "task_settled"


@pytest.mark.parametrize("seed", range(6))
async def test_in_any_order_with_repeats_and_refusals_the_decision_is_asked_for_once(office: Office, seed: int):
    chance = random.Random(seed)
    parts = (a_part("ZR"), a_part("ZJ"), a_part("LY", after=("ZR", "ZJ")), a_part("GA", mode="serial"))
    town, case = await reviewed(office, *parts, join=chance.choice(["all", "any"]))
    asked = ["ZR", "ZJ", "LY", "GA"] * 3
    chance.shuffle(asked)

    for department in (*asked, "LY", "GA"):  # everybody has had a turn after those he waits for
        if (await states(town, case))[department] != "waiting":
            await opinion(town, case, department, chance.choice(["agreed", "disagreed"]))

    history = await events_of(town, case)
    settled = await states(town, case)
    assert set(settled.values()) <= {"done", "void"}
    assert [task["step"] for task in await cases.tasks(town.database, case)].count("decide") == 1
    assert history.count("task_answered") == sum(state == "done" for state in settled.values())
