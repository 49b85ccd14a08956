"""kill -9 between any two steps of carrying files: the next process goes on, nothing is lost and nothing takes effect twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from handlers.office import Office
from tests.support.doomed_carrier import POINTS
from tests.support.gatekept import Rig, books, make_rig
from tests.support.processes import ROOT
from tests.support.town import small_office

__all__ = ["small_office"]

_LEASE = "DELETE FROM lease WHERE name = 'files:MZ'"


@asynccontextmanager
async def _carriers(rig: Rig, url: str, folder: Path) -> AsyncIterator[Process]:
    """The program that makes a carrier for each line it is given."""
    words = ["-m", "tests.support.doomed_carrier", url, str(folder), rig.department.address]
    program = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, stdin=PIPE, stdout=PIPE, start_new_session=True)
    try:
        yield program
    finally:
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        await program.communicate()


async def _die(rig: Rig, carriers: Process, point: str, when: str) -> int:
    """A process that carries until it is killed at a point; how it ended."""
    assert carriers.stdin
    assert carriers.stdout
    await rig.office.database.execute(_LEASE)
    carriers.stdin.write(f"{point} {when}\n".encode())
    ended = asyncio.create_task(carriers.stdout.readline())
    async with asyncio.timeout(30):
        while not ended.done():
            rig.gatekeeper.step()
            rig.there.step()
            await asyncio.sleep(0.02)
    return int(ended.result())


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_whatever_step_is_the_last_the_next_process_goes_on(
    small_office: Office, database_url: str, tmp_path: Path, when: str
) -> None:
    with books(tmp_path) as (book, batches):
        rig = await make_rig(small_office, tmp_path, book, batches)
        await rig.open_cases(2)
        for case in range(2):
            await rig.say(case, "一")
        await rig.settle()
        async with _carriers(rig, database_url, tmp_path) as carriers:
            for point in POINTS:
                for case in range(2):
                    await rig.say(case, f"直到 {point}")
                    rig.answer(case)
                assert await _die(rig, carriers, point, when) == -signal.SIGKILL, point
        await rig.office.database.execute(_LEASE)
        await rig.start()
        await rig.settle()
        assert rig.commands() == {case_id: list(range(1, len(POINTS) + 2)) for case_id, _ in rig.cases}
        assert await rig.effects() == {case_id: list(range(1, len(POINTS) + 1)) for case_id, _ in rig.cases}
        assert await rig.office.database.rows("SELECT id FROM set_aside") == []
        assert rig.names("in") == rig.names("held") == rig.names("bad") == []
