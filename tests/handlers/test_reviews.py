"""What departments' systems say at an unexpected moment: crossed acts, special procedures left open, certificates after the end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from handlers import desk, reviews, timeline
from handlers.cards import read_card
from handlers.caseviews import CaseView
from handlers.corrections import Correction, FieldNote
from handlers.errors import Refused
from handlers.office import Office
from storage import cases as rows
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database, Row
from storage.envelopes import Answer
from storage.ids import uuid7
from storage.redis import RedisStore
from tests.support.office import CLERK, open_office, submitted_case
from tests.support.town import settle_in

Say = Callable[..., Awaitable[None]]
PROCEDURE = {"procedure": "入户调查", "reason": "需要核实", "until_on": None}
WANTED = {"reason": "电话有误", "fields": [{"name": "phone", "message": "请核对"}], "materials": []}


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


@pytest.fixture
def say(office: Office) -> Say:
    """A department's system says something about its task."""

    async def speak(case: CaseView, kind: str, department: str, step: str, **data: Any) -> None:
        task = next(t for t in await rows.tasks(office.database, case.id) if t["department"] == department and t["step"] == step)
        answer = Answer(uuid7(), kind, department, case.id, str(case.number), 1, None, {"case": case.number, "task": task["id"], **data})
        async with office.database.transaction() as tx:
            await reviews.record(office, tx, answer)

    return speak


async def row_of(office: Office, case: CaseView) -> Row:
    row = await rows.by_id(office.database, case.id)
    assert row is not None
    return row


async def history(office: Office, case: CaseView) -> list[str]:
    return [event["type"] for event in await rows.events(office.database, case.id)]


async def test_an_acceptance_that_crosses_a_correction_asked_at_the_desk_changes_nothing(office: Office, say: Say):
    case = await submitted_case(office, await settle_in(office.database, "o1"), "MZ-04")
    await desk.request_correction(office, CLERK, case.id, 1, Correction("电话有误", (FieldNote("phone", "请核对"),)))
    before = await history(office, case)

    await say(case, "task.accepted", "MZ", "accept")

    assert (await row_of(office, case))["state"] == "correction_requested"
    assert await history(office, case) == before


async def test_a_correction_asked_twice_is_asked_once(office: Office, say: Say):
    case = await submitted_case(office, await settle_in(office.database, "o1"), "MZ-04")
    for _ in range(2):
        await say(case, "task.correction-requested", "MZ", "accept", **WANTED)

    assert (await history(office, case)).count("correction_requested") == 1


async def test_a_special_procedure_begun_or_ended_twice_changes_nothing(office: Office, say: Say):
    case = await submitted_case(office, await settle_in(office.database, "o1"), "MZ-04")
    await say(case, "task.accepted", "MZ", "accept")
    for kind, data in (("task.suspended", PROCEDURE), ("task.resumed", {})):
        for _ in range(2):
            await say(case, kind, "GA", "review", **data)

    assert (await history(office, case))[-2:] == ["suspended", "resumed"]
    assert len(read_card(await row_of(office, case)).pauses) == 1


async def test_a_refusal_without_its_reason_may_be_said_again_with_one(office: Office, say: Say):
    case = await decidable(office, say)
    with pytest.raises(Refused, match="reason_missing"):
        await say(case, "task.decided", "SJ", "decide", result="refused", opinion=None)

    await say(case, "task.decided", "SJ", "decide", result="refused", opinion="不符合规划")

    row = await row_of(office, case)
    assert (row["state"], row["decision"], row["reason"]) == ("completed", "refused", "不符合规划")


async def test_an_answer_ends_the_special_procedure_that_its_department_left_open(office: Office, say: Say):
    clock = office.clock
    assert isinstance(clock, SettableClock)
    case = await submitted_case(office, await settle_in(office.database, "o1"), "MZ-04")
    await say(case, "task.accepted", "MZ", "accept")
    before = (await row_of(office, case))["promised_on"]
    await say(case, "task.suspended", "GA", "review", **PROCEDURE)
    clock.advance(days=14)

    await say(case, "task.decided", "GA", "review", result="agreed", opinion="属实")

    row = await row_of(office, case)
    assert office.calendar.count(before, row["promised_on"]) == office.calendar.count(dt.date(2026, 2, 13), dt.date(2026, 2, 26))
    assert [pause.end for pause in read_card(row).pauses] == [clock.now()]
    due = await timeline.due_dates(office, row)
    assert due.promised is not None
    assert due.promised.due_on == row["promised_on"]
    assert [event for event in await history(office, case) if event in {"resumed", "task_answered"}][:2] == ["resumed", "task_answered"]


async def test_a_decision_ends_the_special_procedure_of_its_own_step(office: Office, say: Say):
    case = await decidable(office, say)
    await say(case, "task.suspended", "SJ", "decide", **PROCEDURE)

    await say(case, "task.decided", "SJ", "decide", result="granted", opinion=None)

    row = await row_of(office, case)
    assert row["state"] == "completed"
    assert all(pause.end is not None for pause in read_card(row).pauses)


async def test_a_certificate_issued_after_the_decision_leaves_its_line_in_the_history(office: Office, say: Say):
    case = await decidable(office, say)
    await say(case, "task.decided", "SJ", "decide", result="granted", opinion=None)

    await say(case, "task.progressed", "SJ", "decide", text="晚到的进度")
    await say(case, "certificate.issued", "SJ", "decide", certificate_type="准迁证", number="1", issued_on="2026-02-13", valid_to_on=None)

    assert (await row_of(office, case))["state"] == "completed"
    assert (await history(office, case))[-2:] == ["completed", "certificate_issued"]


async def decidable(office: Office, say: Say) -> CaseView:
    """A case whose lead department SJ is asked to decide."""
    case = await submitted_case(office, await settle_in(office.database, "o1"), "SJ-03")
    await say(case, "task.accepted", "SJ", "accept")
    for task in await rows.tasks(office.database, case.id):
        if task["step"] == "review":
            await say(case, "task.decided", task["department"], "review", result="agreed", opinion=None)
    return case
