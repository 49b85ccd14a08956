"""Anybody does anything over years: officers, departments, the resident and the clock; what must hold, holds after every step."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from contextlib import suppress
from pathlib import Path

import pytest

from handlers import cases, deadlines, desk, duedates, timeline
from handlers.cards import read_card
from handlers.caseviews import CaseView
from handlers.corrections import Correction, FieldNote
from handlers.errors import Refused
from handlers.extensions import Asking
from handlers.handovers import Dispatch
from handlers.office import Office
from handlers.specials import Special
from handlers.transitions import ACTS
from storage import specials as stored
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.support.lives import approver, clock_of, history, new_case, no_answer, now, officer, row_of, say
from tests.support.office import CLERK, open_office

STEPS = {(begin, move.ends or begin) for move in ACTS.values() for begin in move.begins}
FINAL = {"not_accepted", "completed", "withdrawn", "expired"}
PHONE = Correction("电话有误", (FieldNote("phone", "少一位"),))


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def holds(office: Office, case: CaseView, before: str) -> str:
    """The state is one the table leads to, no suspension is lost, and every place gives the same due date."""
    row = await row_of(office, case)
    card, rows = read_card(row), await stored.of_case(office.database, case.id)
    assert row["state"] in _reachable(before)
    assert {pause.id: pause.end for pause in card.pauses} == {one["id"]: one["ended_at"] for one in rows}
    if row["state"] in FINAL or row["decision"]:
        assert all(pause.end is not None for pause in card.pauses)
    if row["accepted_at"] is not None:
        item = await office.catalogue.version(office.database, row["item_code"], row["item_version"])
        _, legal = duedates.due_dates(row, card, item, office)
        shown = await timeline.due_dates(office, row)
        assert shown.promised is not None
        assert shown.legal is not None
        assert shown.legal.due_on == legal.due_on
        if legal.due_on is not None:
            assert (shown.promised.due_on, shown.legal.due_on) == (row["promised_on"], row["legal_on"])
        assert all(t.due_on == row["promised_on"] for t in card.tasks if t.step == "decide" and t.state in {"requested", "in_progress"})
    return str(row["state"])


def _reachable(state: str) -> set[str]:
    """Where one call may lead: some calls are several acts (acceptance sends a case on into its review)."""
    found = {state}
    while more := {end for begin, end in STEPS if begin in found} - found:
        found |= more
    return found


@pytest.mark.parametrize("seed", range(8))
async def test_a_random_life_over_years_never_breaks_a_rule(office: Office, seed: int):
    chance = random.Random(seed)
    case = await new_case(office, chance.choice(["MZ-01", "MZ-05", "SJ-03", "LY-01"]))
    state = "submitted"
    for _ in range(60):
        with suppress(Refused):
            await step(office, case, chance)
        state = await holds(office, case, state)
    types = [event.type for event in await history(office, case)]
    assert types.count("decided") <= 1
    assert types.count("accepted") + types.count("accepted_by_silence") <= 1
    assert len([one for one in types if one in FINAL]) <= 1


async def step(office: Office, case: CaseView, chance: random.Random) -> None:
    """One of everybody's acts."""
    current = await now(office, case)
    lead, version = current.department.code, current.version
    task = chance.choice(current.tasks)
    code, part = task.department.code, task.step
    resident = (await row_of(office, case))["resident_id"]
    until = clock_of(office).now().date() + dt.timedelta(days=chance.randrange(30))
    ended = chance.choice(current.procedures).id if current.procedures else "none"
    acts = [
        lambda: desk.accept(office, CLERK, case.id, version),
        lambda: desk.request_correction(office, CLERK, case.id, version, PHONE),
        lambda: cases.correct(office, resident, case.id, cases.Change(form={"phone": f"139001390{chance.randrange(10, 99)}"}), no_answer),
        lambda: desk.suspend(office, officer(lead), case.id, version, Special("听证", "需要", until_on=until)),
        lambda: desk.suspend(office, officer(lead), case.id, version, Special("鉴定", "需要")),
        lambda: desk.resume(office, officer(lead), case.id, version, ended, "完成"),
        lambda: desk.ask_extension(office, officer(lead), case.id, version, Asking(chance.randrange(1, 12), "复杂")),
        lambda: desk.approve_extension(office, approver(lead), case.id, version),
        lambda: desk.forward(office, officer(lead), case.id, version, "初审合格"),
        lambda: desk.decide(office, approver(lead), case.id, version, "granted", "符合"),
        lambda: desk.deliver(office, CLERK, case.id, version, Dispatch("counter")),
        lambda: desk.complete(office, CLERK, case.id, version, "张三"),
        lambda: say(office, case, "task.decided", code, part, result="agreed", opinion="同意"),
        lambda: say(office, case, "task.suspended", code, part, procedure="听证", reason="需要", until_on=None),
        lambda: say(office, case, "task.resumed", code, part),
        lambda: later(office, chance.randrange(1, 40 if chance.random() < 0.1 else 4)),
    ]
    await chance.choice(acts)()  # type: ignore[no-untyped-call]  # a list of different coroutines


async def later(office: Office, days: int) -> None:
    """Days pass, and the clock does what it must."""
    clock_of(office).advance(days=days)
    await deadlines.sweep(office)


async def test_two_officers_accept_in_the_same_moment_and_one_is_told_that_it_changed(office: Office):
    case = await new_case(office, "SJ-03")

    both = await asyncio.gather(
        desk.accept(office, CLERK, case.id, 1), desk.accept(office, officer("SJ"), case.id, 1), return_exceptions=True
    )

    refused = [one for one in both if isinstance(one, Refused)]
    assert [one.code for one in refused] == ["precondition_failed"]
    assert [event.type for event in await history(office, case)].count("accepted") == 1


async def test_a_case_that_is_over_is_not_reopened(office: Office):
    case = await new_case(office, "SJ-03")
    ended = await desk.not_accept(office, CLERK, case.id, 1, "不属于本机关职权")

    with pytest.raises(Refused) as refused:
        await desk.accept(office, CLERK, case.id, ended.version)

    assert (refused.value.code, refused.value.values["state"]) == ("wrong_state", "不予受理")
