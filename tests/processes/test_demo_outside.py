"""A department's programmer tries a program at the demo: the pretend departments leave the work to the examples."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from sandbox.outside import LINKS
from tests.processes.test_demo import Start, start
from tests.support.processes import ROOT, Process, plays, until

__all__ = ["start"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

Programme = Callable[[str, str], Process]


@pytest.fixture
async def programme(tmp_path: Path) -> AsyncIterator[Programme]:
    """Starts what the demo says is to be typed for a department."""
    made: list[Process] = []

    def make(code: str, link: str) -> Process:
        typed = f". {tmp_path}/demo/outside-{code}-{link}.env; exec {LINKS[link]}"
        made.append(Process(f"outside-{code}", ["-c", typed], {}, tmp_path, program="/bin/sh", home=ROOT))
        return made[-1]

    yield make
    for process in made:
        await process.stop()


def settings(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("demo/outside-*.env")}


@pytest.mark.skipif(not shutil.which("node"), reason="the pull example needs node")
async def test_every_way_in_does_its_part_of_one_case_beside_the_others(start: Start, programme: Programme, tmp_path: Path):
    ways = {"SJ": "queue", "MZ": "pull", "GA": "webhook", "RS": "files"}
    demo = await start(*(word for code, link in ways.items() for word in ("--outside", f"{code}={link}")))
    programs = {link: programme(code, link) for code, link in ways.items()}
    for program in programs.values():
        await program.start()

    said = await plays(Process("journey", ["-m", "mobile_api", "journey", "--base-url", demo.base_url], {}, tmp_path))

    assert "All steps held." in said
    assert programs["queue"].said().count(" task.requested ") >= 3  # to accept and to decide its own case, to review the other
    assert "taken in" in programs["pull"].said()
    assert "POST /webhook" in programs["webhook"].said()
    assert list((tmp_path / "demo" / "gate-RS" / "out").glob("RS-ack-*.json"))
    assert await demo.stop() == []


async def test_nobody_else_does_the_work_and_the_settings_hold_over_a_restart(start: Start, programme: Programme, tmp_path: Path):
    first = await start("--outside", "SJ")
    number = await first.apply()
    before = settings(tmp_path)
    await first.stop()
    second = await start("--outside", "SJ")
    program = programme("SJ", "queue")
    await program.start()
    await until(lambda: f"{number} task.requested" in program.said(), "the work on a case of before")

    asked = f". {tmp_path}/demo/town.env; exec .venv/bin/python -m mobile_api department list"
    listed = await plays(Process("list", ["-c", asked], {}, tmp_path, program="/bin/sh", home=ROOT))
    assert re.search(r"^SJ .* queue +working +20", listed, re.MULTILINE), listed  # it has been heard, by this very town
    assert settings(tmp_path) == before
    assert list(before) == ["outside-SJ-queue.env"]
    assert (tmp_path / "demo" / "outside-SJ-queue.env").stat().st_mode & 0o077 == 0
    assert await second.stop() == []


async def test_a_department_that_is_not_there_is_refused_in_words(tmp_path: Path):
    words = ["-m", "sandbox.demo", "--no-frontend", "--folder", str(tmp_path / "demo"), "--outside"]
    for wrong, reason in (("ZZ", "There is no department ZZ"), ("SJ=post", "CODE=queue or CODE=pull or CODE=webhook or CODE=files")):
        demo = Process(f"demo-{wrong}", [*words, wrong], {}, tmp_path)
        await demo.start()
        await until(lambda demo=demo: demo.returncode is not None, "a refusal")
        assert demo.returncode != 0
        assert reason in demo.said()
