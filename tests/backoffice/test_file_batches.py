"""A department behind a gatekeeper gets every message and is heard, each line in order, whatever the gatekeeper does to files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.office import Office
from storage import links
from tests.support.gatekept import Rig, books, make_rig
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
