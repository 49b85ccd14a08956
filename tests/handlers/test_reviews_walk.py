"""Whatever a department says that fits the contract takes effect or is refused in words: nothing it can say breaks the case."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.envelope import decode
from backoffice.registry import answer
from handlers import cases, reviews, supervision, timeline
from handlers.errors import Refused
from handlers.office import Office
from storage import cases as rows
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database, Row
from storage.ids import uuid7
from storage.redis import RedisStore
from tests.support.office import open_office, submitted_case
from tests.support.town import settle_in

words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)
days = st.dates().map(str)
SAID: dict[str, Any] = {
    "task.accepted": st.just({}),
    "task.progressed": st.fixed_dictionaries({"text": words}),
    "task.correction-requested": st.fixed_dictionaries(
        {
            "reason": words,
            "fields": st.lists(st.fixed_dictionaries({"name": words | st.just("phone"), "message": words}), max_size=2),
            "materials": st.lists(st.fixed_dictionaries({"material": words | st.just("id_card"), "message": words}), max_size=2),
        }
    ),
    "task.suspended": st.fixed_dictionaries(
        {"procedure": words | st.sampled_from(["听证", "现场核查"]), "reason": words, "until_on": st.none() | days}
    ),
    "task.resumed": st.just({}),
    "task.decided": st.fixed_dictionaries(
        {
            "result": st.sampled_from(["agreed", "disagreed", "granted", "refused", "not_accepted"]),
            "opinion": st.none() | words,
        }
    ),
    "certificate.issued": st.fixed_dictionaries(
        {"certificate_type": words, "number": words, "issued_on": days, "valid_to_on": st.none() | days}
    ),
}
Said = tuple[str, Any, int]
"""A kind, its data, and which of the case's tasks it is about."""
Course = Sequence[Said]
answers = st.sampled_from(sorted(SAID)).flatmap(lambda kind: st.tuples(st.just(kind), SAID[kind], st.integers(0, 20)))


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def said(office: Office, case_id: str, number: str, kind: str, data: dict[str, Any], task: Row) -> bool:
    """Whether an answer took effect; False when it was refused."""
    envelope = {
        "specversion": "1.0", "id": uuid7(), "source": f"/departments/{task['department']}", "type": f"cn.gov.town.{kind}.v1",
        "subject": f"case/{number}", "partitionkey": case_id, "sequence": 1, "data": {"case": number, "task": task["id"], **data},
    }  # fmt: skip
    message = answer(decode(json.dumps(envelope).encode(), envelope["source"]), task["department"])
    try:
        async with office.database.transaction() as tx:
            await reviews.record(office, tx, message)
    except Refused:
        return False
    return True


begins = st.sampled_from([(), (("task.accepted", {}, 0),)])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    begin=begins,
    course=st.lists(answers, min_size=1, max_size=8),
    item=st.sampled_from(["SJ-03", "MZ-01", "MZ-03"]),
    days=st.integers(0, 400),
)
async def test_any_course_of_answers_takes_effect_or_is_refused_and_the_case_can_be_read_and_supervised(
    office: Office, begin: Course, course: list[Said], item: str, days: int
) -> None:
    resident = await settle_in(office.database, f"openid-{uuid7()}")
    case = await submitted_case(office, resident, item)
    for kind, data, which in (*begin, *course):
        tasks = await rows.tasks(office.database, case.id)
        await said(office, case.id, str(case.number), kind, data, tasks[which % len(tasks)])
        await read(office, resident, case.id)
    assert isinstance(office.clock, SettableClock)
    office.clock.advance(days=days)
    await supervision.sweep(office)
    await read(office, resident, case.id)


async def read(office: Office, resident: str, case_id: str) -> None:
    """What resident and officer see of the case."""
    view = await cases.show(office, resident, case_id)
    assert msgspec.json.encode((view, await timeline.history(office, case_id, 0, 100), await timeline.due_dates_of(office, case_id)))
