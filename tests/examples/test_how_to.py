"""docs/how-to/connect-*.md are true: their messages are sound, their refusals exist, their commands work when they are pasted."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from backoffice.envelope import BadEnvelope, decode
from backoffice.registry import check
from handlers.refusals import REFUSALS
from tests.processes.test_demo import two_free_ports
from tests.support.processes import ROOT, Process, until

PAGES = ROOT / "docs" / "how-to"
TEXT = (PAGES / "connect-a-department.md").read_text(encoding="utf-8")
CONNECTS = ["connect-a-department.md", "connect-by-webhook.md", "connect-by-files.md"]


def blocks(kind: str, page: str = CONNECTS[0]) -> list[str]:
    """The fenced blocks of a page that are marked with a kind, e.g. "sh run", in order."""
    found = re.findall(rf"^ *```{kind}\n(.*?)^ *```$", (PAGES / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [dedent(one) for one in found]


def test_its_messages_are_sound():
    (message,), (answer,) = blocks("json message"), blocks("json answer")
    sent, said = decode(message.encode(), "/town/130208108"), decode(answer.encode(), "/departments/SJ")

    assert check(sent, "to_department")[0] == "task.requested"
    assert check(said, "from_department")[0] == "task.accepted"
    assert (said.partitionkey, said.subject, said.causationid) == (sent.partitionkey, sent.subject, sent.id)


def test_the_refusals_that_it_explains_exist():
    explained = re.findall(r"^\| `([a-z_]+)` \|", TEXT.partition("## When something is refused")[2], re.MULTILINE)
    assert len(explained) > 5
    assert [code for code in explained if code not in REFUSALS] == []


BROKEN: list[dict[str, object]] = [
    {"source": "/departments/GA"},
    {"data": {"case": "1302081082026112400002I"}},
    {"data": {"case": "another", "task": "t"}},
    {"type": "cn.gov.town.task.agreed.v1"},
    {"sequence": 0},
]


def test_the_reasons_that_it_explains_are_those_that_are_given():
    (answer,) = blocks("json answer")
    given = [reason_for({**json.loads(answer), **change}) for change in BROKEN]
    explained = re.findall(r"^\| `([^`]*[一-龥][^`]*)` \|", TEXT, re.MULTILINE)
    known = [line for line in given if any(as_pattern(one).search(line) for one in explained)]

    assert known == given
    assert len(explained) == len(BROKEN) + 2  # two arise only beside another answer: tests/backoffice/test_inbox.py


def reason_for(envelope: dict[str, object]) -> str:
    with pytest.raises(BadEnvelope) as bad:
        check(decode(json.dumps(envelope).encode(), "/departments/SJ"), "from_department")
    return bad.value.reason


def as_pattern(explained: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, explained.split("…"))))


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.name)
def test_the_pages_and_programs_that_a_page_names_are_there(page: Path):
    named = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))]
    assert [one for one in named if one and "://" not in one and not (page.parent / one).exists()] == []


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.skipif(not shutil.which("node"), reason="the pull example needs node")
@pytest.mark.parametrize("page", CONNECTS)
async def test_its_commands_work_when_they_are_pasted_in_order(tmp_path: Path, page: str):
    typist = Typist(tmp_path)
    (demo,) = blocks("sh demo", page)
    async with typist.types(demo, until_it_says="The town is open."):
        for program in blocks("sh program", page):
            await typist.leave_running(program)
        for command in blocks("sh run", page):
            await typist.run(command)
    await typist.stop()


class Typist:
    """Types what stands on the page into shells, with the demo in a folder and on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = two_free_ports()
        self._windows: list[Process] = []
        names = ("DATABASE__URL", "SECRETS__DIR", "FILES__URL", "REDIS__DIR")
        values = (f"sqlite://{folder}/town.db", f"{folder}/secrets", f"file://{folder}/files", f"{folder}/valkey")
        self._environment = {f"MOBILE_API_{name}": value for name, value in zip(names, values, strict=True)}

    @asynccontextmanager
    async def types(self, command: str, until_it_says: str) -> AsyncIterator[None]:
        """A command that goes on running; stopped at the end."""
        window = await self._open(f"exec {command}")
        try:
            await until(lambda: until_it_says in window.said() or window.returncode is not None, until_it_says, 90)
            assert until_it_says in window.said(), window.said()
            yield
        finally:
            await window.stop()

    async def leave_running(self, command: str) -> None:
        """A command in a window of its own, until `stop`."""
        first, _, last = command.strip().rpartition("\n")
        await self._open(f"{first}\nexec {last}")

    async def run(self, command: str) -> None:
        """A command that must end well."""
        window = await self._open(f"set -e\n{command}")
        await until(lambda: window.returncode is not None, command, 90)
        assert window.returncode == 0, f"{command}\n{window.said()}"

    async def stop(self) -> None:
        """Close every window."""
        for window in self._windows:
            await window.stop()

    async def _open(self, command: str) -> Process:
        python = ".venv/bin/python -m"
        demo = f"{python} sandbox.demo --no-frontend --delay 0.05 --folder {self._folder}/demo --port {self._port}"
        typed = command.replace("./run demo", demo).replace("./run ", f"{python} mobile_api ").replace("var/demo", f"{self._folder}/demo")
        typed = typed.replace("127.0.0.1:8080", f"127.0.0.1:{self._port}").replace("port=8082", f"port={self._port + 2}")
        self._windows.append(
            Process(f"window{len(self._windows)}", ["-c", typed], self._environment, self._folder, program="/bin/sh", home=ROOT)
        )
        await self._windows[-1].start()
        return self._windows[-1]
