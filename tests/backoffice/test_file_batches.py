"""A department behind a gatekeeper gets every message and is heard, each line in order, whatever the gatekeeper does to files."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.bridge import new_holder
from backoffice.counts import Counts
from backoffice.file_batches import FileLink, file_links
from backoffice.holding import Holding
from handlers.catalogue import Catalogue
from handlers.office import Office
from storage import links
from tests.support.exchange import until
from tests.support.gatekept import HASTY, Rig, books, make_rig
from tests.support.town import small_office

__all__ = ["small_office"]


@pytest.fixture(params=[False, True], ids=["signed", "encrypted"])
async def rig(request: pytest.FixtureRequest, small_office: Office, tmp_path: Path) -> AsyncIterator[Rig]:
    with books(tmp_path) as (book, batches):
        rig = await make_rig(small_office, tmp_path, book, batches, is_encrypted=request.param)
        await rig.open_cases(3)
        yield rig


async def test_messages_and_answers_pass_the_gatekeeper(rig: Rig):
    for case in range(3):
        await rig.say(case, "一", "二")
    await rig.settle()
    for case in range(3):
        rig.answer(case, 2)
    await rig.settle()
    assert rig.commands() == {case_id: [1, 2] for case_id, _ in rig.cases}
    assert await rig.effects() == {case_id: [1, 2] for case_id, _ in rig.cases}
    assert [(row["direction"], row["number"], row["state"], row["entries"]) for row in await rig.rows()] == [
        ("in", 1, "taken", 6),
        ("out", 1, "acknowledged", 6),
    ]
    assert rig.names("in") == rig.names("held") == rig.names("bad") == []
    assert (await links.read(rig.office.database, "MZ")).heard_at is not None


@pytest.mark.parametrize("fault", ["lose", "twice", "truncate", "shuffle"])
async def test_a_bad_gatekeeper_costs_time_and_nothing_else(rig: Rig, fault: str):
    rig.gatekeeper.faults = {fault: 0.4}
    rig.gatekeeper.delay = 1.0
    for step in range(4):
        for case in range(3):
            await rig.say(case, f"第{step}次")
        await rig.turn(3)
        for case in range(3):
            if rig.book.received("MZ", rig.cases[case][0]):
                rig.answer(case)
        await rig.turn(3)
    await rig.settle()
    assert rig.commands() == {case_id: [1, 2, 3, 4] for case_id, _ in rig.cases}
    for line in (await rig.effects()).values():
        assert line == list(range(1, len(line) + 1))


acts = st.lists(st.sampled_from(["say 0", "say 1", "answer 0", "answer 1", "turn", "turn", "restart"]), max_size=25)
rates = st.dictionaries(st.sampled_from(["lose", "twice", "truncate", "shuffle"]), st.floats(0.1, 0.5), max_size=4)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=acts, faults=rates, delay=st.sampled_from([0.0, 1.0, 8.0]))
async def test_any_course_of_things_ends_with_every_message_once_and_in_order(
    rig: Rig, acts: list[str], faults: dict[str, float], delay: float
):
    first = len(rig.cases)
    await rig.open_cases(2)
    for case in (first, first + 1):
        await rig.say(case, "开始")
    await rig.settle()
    rig.gatekeeper.faults, rig.gatekeeper.delay = faults, delay
    for act, _, which in (word.partition(" ") for word in acts):
        if act == "say":
            await rig.say(first + int(which), "一")
        elif act == "answer":
            rig.answer(first + int(which))
        elif act == "turn":
            await rig.turn(3)
        else:
            await rig.start()
    await rig.settle(1500)
    rig.gatekeeper.faults = {}
    for case in (0, 1):
        case_id = rig.cases[first + case][0]
        assert rig.commands()[case_id] == list(range(1, acts.count(f"say {case}") + 2))
        assert (await rig.effects()).get(case_id, []) == list(range(1, acts.count(f"answer {case}") + 1))
    assert await rig.office.database.rows("SELECT id FROM set_aside") == []


async def test_the_bridge_finds_departments_reached_by_files_and_carries_by_itself(rig: Rig):
    assert [link.leases for link in file_links(rig.office)] == [("files:MZ",)]
    assert file_links(dataclasses.replace(rig.office, catalogue=Catalogue(items=[], departments=[]))) == []
    await rig.office.database.execute("DELETE FROM lease")
    link = FileLink(rig.office, rig.department, pace=HASTY, effect=rig.ledger.record)
    holding = Holding(rig.office.database, rig.office.clock, new_holder(), seconds=1e9, names=link.leases, counts=Counts())
    await holding.renew()
    task = asyncio.create_task(link.run(holding, Counts()))
    await rig.say(0, "一")

    async def is_done() -> bool:
        rig.gatekeeper.step()
        rig.there.step()
        return not await rig.open_rows()

    await until(is_done)
    task.cancel()
    [ended] = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError)


async def test_a_folder_that_is_not_there_is_said_and_tried_again(rig: Rig):
    await rig.office.database.execute("DELETE FROM lease")
    rig.folder.rename(rig.folder.with_name("unmounted"))
    link = FileLink(rig.office, rig.department, pace=HASTY)
    holding = Holding(rig.office.database, rig.office.clock, new_holder(), seconds=1e9, names=link.leases, counts=Counts())
    await holding.renew()
    task = asyncio.create_task(link.run(holding, Counts()))

    async def reason() -> str | None:
        return (await links.read(rig.office.database, "MZ")).reason

    assert "不存在，或没有挂载" in str(await until(reason))
    rig.folder.with_name("unmounted").rename(rig.folder)
    await rig.say(0, "一")
    await until(lambda: asyncio.sleep(0, rig.names("out")))
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_department_restored_from_a_backup_gets_what_it_has_forgotten(rig: Rig):
    for word in ("一", "二", "三"):
        await rig.say(0, word)
        await rig.settle()
    before = {row["number"]: row["digest"] for row in await rig.rows() if row["direction"] == "out"}
    rig.forget_batches_after(1)
    assert rig.book.received("MZ", rig.cases[0][0]) == 1

    await rig.say(0, "四")  # a later number tells it that it lacks some
    await rig.settle()

    assert rig.book.received("MZ", rig.cases[0][0]) == 4
    after = {row["number"]: row["digest"] for row in await rig.rows() if row["direction"] == "out"}
    assert before.items() <= after.items()
    assert len(after) == len(before) + 1
    assert [number for _, number, _ in rig.there.arrivals] == [1, 2, 3, 2, 3, 4]
