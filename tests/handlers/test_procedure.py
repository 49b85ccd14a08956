"""The life of a case below HTTP: departments answer by message, and the rows agree with one another at every step."""

from __future__ import annotations

import datetime as dt
import random
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backoffice.registry import BrokenContract
from handlers import cases, desk, reviews, timeline
from handlers.cards import Card, card_task, read_card
from handlers.caseviews import CaseView
from handlers.errors import Refused
from handlers.forwarding import FIRST_REVIEW
from handlers.office import Office
from handlers.transitions import STATE_NAMES
from storage import account_events
from storage import cases as rows
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database, Transaction
from storage.envelopes import Answer, Outgoing
from storage.ids import uuid7
from storage.redis import RedisStore
from tests.support.office import CLERK, open_office, submitted_case
from tests.support.town import settle_in


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def no_answer(_tx: Transaction, _view: CaseView) -> None:
    """Nobody waits."""


async def test_a_message_that_breaks_the_contract_undoes_the_act_that_would_send_it(office: Office) -> None:
    resident = await settle_in(office.database, "zhang")
    case = await submitted_case(office, resident)

    def broken(_message: Outgoing) -> None:
        raise BrokenContract("task.withdrawn: no such field")

    with pytest.raises(BrokenContract):
        await cases.withdraw(replace(office, message_check=broken), resident, case.id, "不办了", no_answer)
    row = await rows.by_id(office.database, case.id)
    assert row is not None
    assert (row["state"], row["version"]) == ("submitted", case.version)
    await cases.withdraw(office, resident, case.id, "不办了", no_answer)


async def say(office: Office, case: CaseView, kind: str, department: str, step: str, **data: Any) -> None:
    """A department's system says something about its task."""
    row = await rows.by_id(office.database, case.id)
    assert row is not None
    task = next(t for t in await rows.tasks(office.database, case.id) if t["department"] == department and t["step"] == step)
    answer = Answer(uuid7(), kind, department, case.id, row["number"], 1, None, {"case": row["number"], "task": task["id"], **data})
    async with office.database.transaction() as tx:
        await reviews.record(office, tx, answer)


async def now(office: Office, case: CaseView) -> CaseView:
    row = await rows.by_id(office.database, case.id)
    assert row is not None
    return await cases.show(office, row["resident_id"], case.id)


async def agree_with_itself(office: Office, case_id: str) -> None:
    """The card is what the tables say, the history has no gap, and every line to a department counts from one."""
    row = await rows.by_id(office.database, case_id)
    assert row is not None
    card, events = read_card(row), await rows.events(office.database, case_id)
    assert list(card.tasks) == [card_task(task) for task in await rows.tasks(office.database, case_id)]
    stored = await office.database.rows(
        "SELECT material, upload_id FROM case_material WHERE case_id = $1 ORDER BY material, position", case_id
    )
    shown = sorted((m.material, u.id if u else None) for m in card.materials for u in (m.uploads or (None,)))
    assert [(one["material"], one["upload_id"]) for one in stored] == shown
    assert [event["seq"] for event in events] == list(range(1, row["events"] + 1))
    sent = await office.database.rows("SELECT department, sequence FROM outbox WHERE case_id = $1 ORDER BY department, sequence", case_id)
    for department in {one["department"] for one in sent}:
        numbers = [one["sequence"] for one in sent if one["department"] == department]
        assert numbers == list(range(1, len(numbers) + 1))


async def test_serial_parts_wait_for_the_parallel_ones(office: Office):
    case = await submitted_case(office, await settle_in(office.database, "o1"), "MZ-05")
    await say(office, case, "task.accepted", "MZ", "accept")

    asked = (await now(office, case)).tasks
    await say(office, case, "task.decided", "CL", "review", result="agreed", opinion="属实")
    decided = (await now(office, case)).tasks

    assert [(task.department.code, task.state) for task in asked if task.step == "review"] == [("CL", "requested")]
    assert [(task.action, task.state) for task in decided if task.department.code == "MZ"][1:] == [(FIRST_REVIEW, "requested")]
    await agree_with_itself(office, case.id)


async def test_acceptance_counts_both_clocks_from_the_day_after(office: Office):
    case = await submitted_case(office, await settle_in(office.database, "o1"), "SJ-03")  # promised 5, legal 10 working days

    await say(office, case, "task.accepted", "SJ", "accept")  # on 2026-02-13, before the Spring Festival

    accepted = await now(office, case)
    assert (accepted.promised_on, accepted.legal_on) == (dt.date(2026, 2, 27), dt.date(2026, 3, 5))


async def test_a_special_procedure_moves_the_date_by_its_days_and_is_explained(office: Office):
    clock = office.clock
    assert isinstance(clock, SettableClock)
    case = await submitted_case(office, await settle_in(office.database, "o1"), "MZ-04")
    await say(office, case, "task.accepted", "MZ", "accept")
    before = (await now(office, case)).promised_on

    await say(office, case, "task.suspended", "GA", "review", procedure="入户调查", reason="需要核实", until_on=None)
    paused = await timeline.due_dates(office, await row_of(office, case))
    clock.advance(days=14)
    await say(office, case, "task.resumed", "GA", "review")
    after = await now(office, case)
    due = await timeline.due_dates(office, await row_of(office, case))

    assert before is not None
    assert after.promised_on is not None
    assert paused.promised is not None
    assert due.promised is not None
    assert paused.promised.due_on is None
    assert office.calendar.count(before, after.promised_on) == office.calendar.count(dt.date(2026, 2, 13), dt.date(2026, 2, 26))
    assert any("入户调查" in step.text for step in due.promised.steps)


async def row_of(office: Office, case: CaseView) -> dict[str, Any]:
    row = await rows.by_id(office.database, case.id)
    assert row is not None
    return row


async def test_withdrawal_tells_every_department_at_work_and_ends_their_tasks(office: Office):
    resident = await settle_in(office.database, "o1")
    case = await submitted_case(office, resident, "MZ-01")
    await say(office, case, "task.accepted", "MZ", "accept")
    await say(office, case, "task.decided", "GA", "review", result="agreed", opinion=None)

    withdrawn = await cases.withdraw(office, resident, case.id, "不办了", no_answer)

    told = await office.database.rows("SELECT id, department, body FROM outbox WHERE case_id = $1 ORDER BY sequence", case.id)
    opened = {one["department"]: office.keys.sealer.unseal(bytes(one["body"]), f"outbox.body:{one['id']}") for one in told}
    ended = {department for department, body in opened.items() if b"task.withdrawn" in body}
    assert ended == {"RS", "ZR", "SJ", "SW"}
    assert {task.state for task in withdrawn.tasks} == {"done", "void"}
    await agree_with_itself(office, case.id)


async def test_an_answer_that_crosses_with_the_end_of_the_case_changes_nothing(office: Office):
    resident = await settle_in(office.database, "o1")
    case = await submitted_case(office, resident, "MZ-04")
    await say(office, case, "task.accepted", "MZ", "accept")
    await cases.withdraw(office, resident, case.id, "", no_answer)

    await say(office, case, "task.decided", "GA", "review", result="agreed", opinion="晚了")

    assert (await now(office, case)).state == "withdrawn"
    await agree_with_itself(office, case.id)


async def test_the_first_of_desk_and_system_counts(office: Office):
    case = await submitted_case(office, await settle_in(office.database, "o1"), "SJ-03")

    await desk.accept(office, CLERK, case.id, 1)
    await say(office, case, "task.accepted", "SJ", "accept")

    history = [event["type"] for event in await rows.events(office.database, case.id)]
    assert history.count("accepted") == 1


@pytest.mark.parametrize(
    ("kind", "department", "step", "data", "code"),
    [
        ("task.decided", "MZ", "accept", {"result": "granted", "opinion": None}, "result_unknown"),
        ("task.decided", "MZ", "accept", {"result": "agreed", "opinion": None}, "result_unknown"),
        ("task.suspended", "MZ", "accept", {"procedure": "听证", "reason": "需要", "until_on": None}, "suspension_too_early"),
        ("task.correction-requested", "MZ", "accept", {"reason": "?", "fields": [], "materials": []}, "correction_unknown"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_leaves_no_trace(
    office: Office, kind: str, department: str, step: str, data: dict[str, Any], code: str
):
    case = await submitted_case(office, await settle_in(office.database, "o1"), "MZ-04")

    with pytest.raises(Refused) as refused:
        await say(office, case, kind, department, step, **data)

    assert refused.value.code == code
    assert (await now(office, case)).version == case.version
    await agree_with_itself(office, case.id)


async def test_a_department_cannot_answer_for_another(office: Office):
    case = await submitted_case(office, await settle_in(office.database, "o1"), "MZ-04")
    task = case.tasks[0].id
    answer = Answer(uuid7(), "task.accepted", "SW", case.id, str(case.number), 1, None, {"task": task})

    with pytest.raises(Refused, match="task_not_found"):
        async with office.database.transaction() as tx:
            await reviews.record(office, tx, answer)


@pytest.mark.parametrize("seed", range(6))
async def test_after_a_random_life_every_row_agrees_with_every_other(office: Office, seed: int):
    chance = random.Random(seed)
    resident = await settle_in(office.database, "o1")
    case = await submitted_case(office, resident, chance.choice(["MZ-01", "MZ-05", "SJ-03", "NY-01"]))
    for _ in range(40):
        with suppress(Refused):
            await step(office, resident, case, chance)
        await agree_with_itself(office, case.id)
    shown = await now(office, case)
    assert shown.state in STATE_NAMES
    position = await account_events.position(office.database, resident)
    events = await account_events.since(office.database, resident, 0, 1000)
    assert [event.n for event in events] == list(range(1, position.last + 1))
    assert sum(event.type == "case.decided" for event in events) <= 1


async def step(office: Office, resident: str, case: CaseView, chance: random.Random) -> None:
    """Anybody does anything."""
    task = chance.choice((await now(office, case)).tasks)
    code, part = task.department.code, task.step
    await chance.choice(
        [
            lambda: say(office, case, "task.accepted", code, part),
            lambda: say(office, case, "task.progressed", code, part, text="办理中"),
            lambda: say(office, case, "task.decided", code, part, result=chance.choice(["agreed", "granted"]), opinion="同意"),
            lambda: say(office, case, "task.suspended", code, part, procedure="听证", reason="需要", until_on=None),
            lambda: say(office, case, "task.resumed", code, part),
            lambda: say(
                office, case, "task.correction-requested", code, part,
                reason="补正", fields=[{"name": "phone", "message": "请核对"}], materials=[],
            ),
            lambda: cases.correct(office, resident, case.id, cases.Change(form={"phone": "13900139000"}), no_answer),
            lambda: desk.accept(office, CLERK, case.id, chance.randrange(1, 6)),
        ]
    )()  # fmt: skip


def test_a_card_survives_its_json():
    card = Card(evaluation=3)

    assert msgspec.json.decode(msgspec.json.encode(card), type=Card) == card
