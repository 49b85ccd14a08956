"""Anybody does anything over years: officers, departments, the resident and the clock; what must hold, holds after every step."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from handlers import cases, deadlines, desk, duedates, supervision, timeline
from handlers.access import Officer
from handlers.cards import read_card
from handlers.caseviews import CaseView, TaskView
from handlers.catalogue import Limit
from handlers.clocks import due_date, local_date
from handlers.corrections import Correction, FieldNote
from handlers.errors import Refused
from handlers.extensions import Asking
from handlers.handovers import Dispatch, Wish
from handlers.office import Office
from handlers.specials import Special
from handlers.transitions import ACTS
from storage import specials as stored
from storage.bell import Bell
from storage.cases import tasks as tasks_of
from storage.database import Database
from storage.ids import uuid7
from storage.redis import RedisStore, connect
from tests.support.lives import approver, clock_of, history, new_case, no_answer, now, officer, row_of, say, workdays_later
from tests.support.office import CLERK, open_office
from tests.support.reviews import with_item

Run = Callable[[Coroutine[Any, Any, Any]], Any]

STEPS = {(begin, move.ends or begin) for move in ACTS.values() for begin in move.begins}
FINAL = {"not_accepted", "completed", "withdrawn", "expired"}
PHONE = Correction("电话有误", (FieldNote("phone", "少一位"),))
WISHES = (None, Wish("counter"), Wish("post", "幸福村一组 3 号"))
SAID: dict[str, dict[str, Any]] = {
    "decided": {"result": "agreed", "opinion": "同意"},
    "suspended": {"procedure": "听证", "reason": "需要", "until_on": None},
    "resumed": {},
    "accepted": {},
}


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
        await parts_hold(office, case)
    return str(row["state"])


async def parts_hold(office: Office, case: CaseView) -> None:
    """What a department was told, and what supervision will hold against it, is one date; nobody is silent while the clock stands."""
    facts = (await supervision.load(office, office.database, [case.id]))[case.id]
    noted = {task["id"]: task for task in await tasks_of(office.database, case.id)}
    for one in supervision.watched(office, facts).values():
        if one.kind == "step" and one.runs and not one.stands:
            due = due_date(one.start, one.limits["own"], one.pauses, office.calendar).due_on
            assert due == max(noted[one.id]["due_on"], local_date(one.start))
        if one.kind == "step" and one.stands:
            assert noted[one.id]["deemed_on"] is None


def _reachable(state: str) -> set[str]:
    """Where one call may lead: some calls are several acts (acceptance sends a case on into its review)."""
    found = {state}
    while more := {end for begin, end in STEPS if begin in found} - found:
        found |= more
    return found


class Life(RuleBasedStateMachine):
    """One case, and everybody who may or may not do something with it."""

    def __init__(self, run: Run, office: Office) -> None:
        super().__init__()
        self._run = run
        self._office = office
        self._state = "submitted"

    @initialize(item=st.sampled_from(["MZ-01", "MZ-05", "SJ-03", "YB-03", "CL-01"]), wish=st.sampled_from(WISHES))
    def hands_in(self, item: str, wish: Wish | None) -> None:
        """A resident applies."""
        self._case = self._run(new_case(self._office, item, wish))

    @rule(by=st.sampled_from(["clerk", "officer"]))
    def accepts(self, by: str) -> None:
        """At the counter or in the department."""
        self._try(lambda case: desk.accept(self._office, CLERK if by == "clerk" else self._lead(case), case.id, case.version))

    @rule()
    def asks_for_a_correction(self) -> None:
        """A clerk finds something."""
        self._try(lambda case: desk.request_correction(self._office, CLERK, case.id, case.version, PHONE))

    @rule(phone=st.integers(13900139010, 13900139099))
    def corrects(self, phone: int) -> None:
        """The resident answers, asked or not."""
        resident = self._run(row_of(self._office, self._case))["resident_id"]
        change = cases.Change(form={"phone": str(phone)})
        self._try(lambda case: cases.correct(self._office, resident, case.id, change, no_answer))

    @rule(name=st.sampled_from(["听证", "鉴定", "专家评审", "指定机构残疾评定", "公示"]), days=st.none() | st.integers(-2, 30))
    def stops_the_clocks(self, name: str, days: int | None) -> None:
        """A special procedure, also an unknown one and one that should be over already."""
        until = None if days is None else clock_of(self._office).now().date() + dt.timedelta(days=days)
        special = Special(name, "需要", until_on=until)
        self._try(lambda case: desk.suspend(self._office, self._lead(case), case.id, case.version, special))

    @rule(which=st.integers(0, 3))
    def lets_the_clocks_go_on(self, which: int) -> None:
        """The end of one of them, or of one that never was."""
        ended = [one.id for one in self._run(now(self._office, self._case)).procedures]
        name = ended[which % len(ended)] if ended else "none"
        self._try(lambda case: desk.resume(self._office, self._lead(case), case.id, case.version, name, "完成"))

    @rule(days=st.integers(1, 12))
    def asks_for_time(self, days: int) -> None:
        """An extension is asked for."""
        self._try(lambda case: desk.ask_extension(self._office, self._lead(case), case.id, case.version, Asking(days, "复杂")))

    @rule()
    def gives_time(self) -> None:
        """Somebody else approves it."""
        self._try(lambda case: desk.approve_extension(self._office, self._head(case), case.id, case.version))

    @rule()
    def sends_it_up(self) -> None:
        """To the county."""
        self._try(lambda case: desk.forward(self._office, self._lead(case), case.id, case.version, "初审合格"))

    @rule(result=st.sampled_from(["granted", "refused"]))
    def decides(self, result: str) -> None:
        """The approver."""
        self._try(lambda case: desk.decide(self._office, self._head(case), case.id, case.version, result, "符合规定"))

    @rule(to=st.sampled_from(["counter", "post"]))
    def delivers(self, to: Literal["counter", "post"]) -> None:
        """By counter or by post, with a number."""
        dispatch = Dispatch(to, "邮政", "EA1") if to == "post" else Dispatch(to)
        self._try(lambda case: desk.deliver(self._office, CLERK, case.id, case.version, dispatch))

    @rule()
    def is_signed_for(self) -> None:
        """The end."""
        self._try(lambda case: desk.complete(self._office, CLERK, case.id, case.version, "张三"))

    @rule()
    def does_not_accept(self) -> None:
        """Not ours to decide; rarely, as a withdrawal."""
        if self._chance_of_the_end():
            self._try(lambda case: desk.not_accept(self._office, CLERK, case.id, case.version, "不属于本机关职权"))

    @rule()
    def withdraws(self) -> None:
        """The resident thinks better of it; rarely, or no walk would be long."""
        if self._chance_of_the_end():
            resident = self._run(row_of(self._office, self._case))["resident_id"]
            self._try(lambda case: cases.withdraw(self._office, resident, case.id, "不办了", no_answer))

    @rule(task=st.integers(0, 9), kind=st.sampled_from(["decided", "suspended", "resumed", "accepted"]))
    def a_department_speaks(self, task: int, kind: str) -> None:
        """Of any of its tasks, whether it is its turn or not."""
        found = self._run(now(self._office, self._case)).tasks
        self._say(found[task % len(found)], kind)

    @rule()
    def every_department_agrees(self) -> None:
        """All whose turn it is, so that a walk gets as far as a decision."""
        for one in self._run(now(self._office, self._case)).tasks:
            if one.step == "review" and one.state in {"requested", "in_progress"}:
                self._say(one, "decided")

    @rule(days=st.integers(1, 4) | st.integers(5, 60))
    def days_pass(self, days: int) -> None:
        """And the clock does what it must."""
        clock_of(self._office).advance(days=days)
        self._run(deadlines.sweep(self._office))

    @invariant()
    def the_rules_hold(self) -> None:
        """After every step."""
        if hasattr(self, "_case"):
            self._state = self._run(holds(self._office, self._case, self._state))

    def teardown(self) -> None:
        """What can happen once happened once at most."""
        if hasattr(self, "_case"):
            types = [event.type for event in self._run(history(self._office, self._case))]
            assert types.count("decided") <= 1
            assert types.count("accepted") + types.count("accepted_by_silence") <= 1
            assert len([one for one in types if one in FINAL]) <= 1

    def _try(self, act: Callable[[CaseView], Coroutine[Any, Any, object]]) -> None:
        with suppress(Refused):
            self._run(act(self._run(now(self._office, self._case))))

    def _say(self, task: TaskView, kind: str) -> None:
        self._try(lambda case: say(self._office, case, f"task.{kind}", task.department.code, task.step, **SAID[kind]))

    def _lead(self, case: CaseView) -> Officer:
        return officer(case.department.code)

    def _head(self, case: CaseView) -> Officer:
        return approver(case.department.code)

    def _chance_of_the_end(self) -> bool:
        return bool(self._run(now(self._office, self._case)).version % 5 == 0)


@pytest.mark.parametrize(("dialect", "lives"), [("sqlite", 40), ("postgres", 15)])
def test_no_life_over_years_breaks_a_rule(request: pytest.FixtureRequest, valkey_url: str, tmp_path: Path, dialect: str, lives: int):
    url: str = request.getfixturevalue(f"{dialect}_url")
    with asyncio.Runner() as runner:
        database, bell, store = runner.run(_open(url, valkey_url))
        wanted = settings(max_examples=lives, stateful_step_count=60, deadline=None)
        try:
            run_state_machine_as_test(lambda: Life(runner.run, runner.run(_anew(database, bell, store, tmp_path))), settings=wanted)  # type: ignore[arg-type]  # a factory does as well
        finally:
            runner.run(store.close())
            runner.run(database.close())


async def _open(url: str, valkey_url: str) -> tuple[Database, Bell, RedisStore]:
    bell = Bell()
    return await Database.open(url, bell), bell, await connect(valkey_url)


async def _anew(database: Database, bell: Bell, store: RedisStore, folder: Path) -> Office:
    """The office at its first morning; what earlier lives left is over."""
    await database.execute("UPDATE cases SET state = 'withdrawn'")
    return await open_office(database, bell, store, folder / uuid7())


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


async def test_an_item_edited_under_a_running_case_leaves_the_case_its_limits_and_its_rules(office: Office):
    running = await desk.accept(office, CLERK, (await new_case(office, "SJ-03")).id, 1)

    edited = await with_item(office, "SJ-03", promised=Limit(days=1), legal=Limit(days=2), certificate_type=None)
    later = await desk.accept(edited, CLERK, (await new_case(edited, "SJ-03")).id, 1)
    stopped = await desk.suspend(edited, officer("SJ"), running.id, running.version, Special("听证", "需要"))
    clock_of(office).advance(days=14)
    resumed = await desk.resume(edited, officer("SJ"), running.id, stopped.version, stopped.procedures[0].id, "维持")

    assert (running.item.version, resumed.item.version, later.item.version) == (1, 1, 2)
    assert (running.promised_on, later.promised_on) == (dt.date(2026, 2, 27), dt.date(2026, 2, 14))
    assert resumed.promised_on == workdays_later(office, dt.date(2026, 2, 13), 9)  # five of its own, four while it stood still
