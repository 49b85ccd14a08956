"""The demo as its user meets it: it starts, it stops, it goes on, it forgets, it heals."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mobile_api.journey.client import Client
from mobile_api.pages.start import DEMO_STAFF
from sandbox import demo
from sandbox.demo import _taken as taken
from tests.support.processes import Process, alive, answers, family, free_port, until
from tests.support.wholetown import application_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

Start = Callable[..., Coroutine[Any, Any, "Demo"]]


class Demo:
    """One run of the demo."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.base_url = f"http://127.0.0.1:{port}"

    @property
    def parts(self) -> dict[int, str]:
        """Every process it has started, by id."""
        return family(self.process.pid)

    def part(self, name: str) -> int:
        """The id of the one process that was called so."""
        (found,) = [pid for pid, called in self.parts.items() if name in called]
        return found

    async def stop(self) -> list[str]:
        """Ctrl-C; what is still running afterwards."""
        parts = self.parts
        assert await self.process.stop(signal.SIGINT) == 0, self.process.said()
        return [called for pid, called in parts.items() if alive(pid)]

    @asynccontextmanager
    async def resident(self, user: str = "zhang") -> AsyncIterator[Client]:
        """A resident, logged in."""
        async with aiohttp.ClientSession() as http:
            client = Client(http, self.base_url, 30)
            await client.log_in(user)
            yield client

    async def cases(self) -> list[str]:
        """The numbers of a resident's cases."""
        async with self.resident() as resident:
            return [case["number"] for case in (await resident.call("GET", "/cases"))["items"]]

    async def apply(self) -> str:
        """A resident applies; the number of the case."""
        async with self.resident() as resident:
            application = await application_for(resident, "SJ-03")
            return str((await resident.call("POST", "/cases", json=application, key="demo", expect=(201,)))["number"])


def two_free_ports() -> int:
    """A port that is free together with the next one."""
    while taken(port := free_port()) or taken(port + 1):
        pass
    return port


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts the demo in this test's folder; at the end nothing of it is left."""
    port = two_free_ports()
    started: list[Process] = []

    async def start_one(*words: str) -> Demo:
        folder = str(tmp_path / "demo")
        arguments = ["-m", "sandbox.demo", "--no-frontend", "--delay", "0.05", "--folder", folder, "--port", str(port), *words]
        started.append(process := Process(f"demo{len(started)}", arguments, {}, tmp_path))
        await process.start()
        await until(lambda: "The town is open." in process.said() or process.returncode is not None, "the demo")
        assert process.returncode is None, process.said()
        return Demo(process, port)

    yield start_one
    for process in started:
        await process.stop()


async def test_it_plays_the_job_and_ctrl_c_leaves_nothing_behind(start: Start, tmp_path: Path):
    demo = await start()
    journey = Process("journey", ["-m", "mobile_api", "journey", "--base-url", demo.base_url], {}, tmp_path)
    await journey.start()
    await until(lambda: journey.returncode is not None, "the journey's end", 60)
    wanted = ("valkey", "sandbox.wechat", "mobile_api serve", "sandbox.departments")

    assert journey.returncode == 0, journey.said()
    assert [name for name in wanted if not any(name in called for called in demo.parts.values())] == []
    assert await demo.stop() == []


async def test_the_next_start_goes_on_and_fresh_starts_anew(start: Start):
    first = await start()
    number = await first.apply()
    await first.stop()

    second = await start()
    kept = await second.cases()
    await second.stop()
    third = await start("--fresh")
    after_fresh = await third.cases()

    assert kept == [number]
    assert after_fresh == []


async def test_a_killed_server_is_started_again(start: Start):
    demo = await start()
    number = await demo.apply()
    killed = demo.part("mobile_api serve")

    os.kill(killed, signal.SIGKILL)
    await until(lambda: not alive(killed), "the end of the server")
    await answers(f"{demo.base_url}/readyz")

    assert demo.part("mobile_api serve") != killed
    assert await demo.cases() == [number]


async def test_a_killed_demo_leaves_its_queues_to_the_next_one_and_nobody_on_its_ports(start: Start):
    demo = await start()
    number = await demo.apply()
    valkey, parts = demo.part("valkey-server"), demo.parts

    await demo.process.kill()
    await until(lambda: [pid for pid in parts if alive(pid)] == [valkey], "the end of all but Valkey")
    heir = await start()
    kept = await heir.cases()
    await heir.stop()

    assert kept == [number]
    assert not alive(valkey)


async def test_fresh_after_a_killed_demo_does_not_leave_the_old_queues_running(start: Start):
    demo = await start()
    valkey = demo.part("valkey-server")
    await demo.process.kill()

    heir = await start("--fresh")

    assert not alive(valkey)
    assert await heir.cases() == []


async def test_a_second_demo_in_the_same_folder_is_refused_in_words(start: Start, tmp_path: Path):
    await start()
    words = ["-m", "sandbox.demo", "--no-frontend", "--folder", str(tmp_path / "demo"), "--port", str(two_free_ports()), "--fresh"]
    second = Process("second", words, {}, tmp_path)

    await second.start()
    await until(lambda: second.returncode is not None, "a refusal")

    assert second.returncode == 1
    assert "Another demo runs in" in second.said()


def test_the_log_in_page_names_the_accounts_that_the_demo_makes():
    shown = [(one["username"], one["password"]) for one in DEMO_STAFF]
    assert shown == [(username, password) for username, password, *_ in demo.STAFF]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--faults", "nonsense=0.5"], "there are "),
        (["--faults", "garble=7"], "such as garble=0.1"),
        (["--delay", "-1"], "seconds from 0"),
        (["--port", "99999"], "no port"),
    ],
)
def test_what_cannot_be_meant_is_told_before_anything_starts(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    with pytest.raises(SystemExit) as ended:
        demo.main(["--folder", str(tmp_path / "town"), *words])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "town").exists()
