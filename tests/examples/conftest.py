"""A town whose pretend departments leave one department to a program of one's own."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest
from redis import asyncio as aioredis

from backoffice.access import admit, new_admission, shut_out
from sandbox.departments import Play, from_tables, play
from storage.redis_acl import version_of
from tests.support.processes import ROOT, Process, until
from tests.support.wechat import Platform, platform
from tests.support.wholetown import TABLES, Town, open_town

__all__ = ["platform"]

CODE = "SJ"


class Outsider:
    """`examples/department_redis.py`, as a department's programmer would run it, with the department's own user."""

    def __init__(self, process: Process, state: Path) -> None:
        self._process = process
        self._state = state

    async def start(self) -> None:
        await self._process.start()

    async def kill(self) -> None:
        """kill -9."""
        await self._process.kill()

    async def stop(self) -> None:
        await self._process.stop()

    def forget(self) -> None:
        """Its state is as it was before its first case."""
        for path in self._state.parent.glob(f"{self._state.name}*"):
            path.unlink()

    def has_begun(self, times: int) -> bool:
        """Whether it has begun to work on so many commands, since it was first started."""
        return self._process.said().count(" task.requested ") >= times

    async def held(self) -> AbstractContextManager[sqlite3.Connection]:
        """As long as this is open, it can read commands but commit nothing."""
        await until(self._has_tables, "its state")
        lock = sqlite3.connect(self._state, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        return closing(lock)

    def _has_tables(self) -> bool:
        return self._state.exists() and bool(self._asked("SELECT count(*) FROM sqlite_master WHERE name = 'answer'")[0])

    def unconfirmed(self) -> int:
        """How many of its answers the town has not confirmed."""
        return int(self._asked("SELECT count(*) FROM answer")[0])

    def numbers(self) -> dict[str, tuple[int, int]]:
        """How many commands it has taken in of each case, and how many answers it has given."""
        with closing(sqlite3.connect(self._state)) as state:
            return {case_id: (taken, said) for case_id, taken, said in state.execute("SELECT id, taken, said FROM cases")}

    def files(self) -> list[dict[str, Any]]:
        """The files by claim check of every command that it has taken in."""
        with closing(sqlite3.connect(self._state)) as state:
            bodies = [json.loads(body) for (body,) in state.execute("SELECT body FROM command")]
        return [file for body in bodies for material in body["data"]["materials"] for file in material["files"]]

    def _asked(self, question: str) -> Any:
        with closing(sqlite3.connect(self._state)) as state:
            return state.execute(question).fetchone()


@pytest.fixture
async def town(sqlite_url: str, valkey_url: str, platform: Platform, tmp_path: Path) -> AsyncIterator[Town]:
    """A town in which every department but CODE is played."""
    async with open_town(sqlite_url, valkey_url, platform, tmp_path) as opened:
        await opened.departments.pause()
        others = {code: how for code, how in from_tables(TABLES / "departments").items() if code != CODE}
        playing = asyncio.create_task(play(valkey_url, tmp_path / "others.db", Play(others, delay=0.0, resend=1.0, seed=1)))
        yield opened
        playing.cancel()
        await asyncio.wait([playing])


@pytest.fixture
async def outsider(town: Town, valkey_url: str, tmp_path: Path) -> AsyncIterator[Outsider]:
    """The example, not started yet."""
    admission = new_admission(CODE, 2, await version_of(town.stores.redis))
    await admit(town.stores.office, town.stores.redis, CODE, admission)
    environment = {
        "DEPARTMENT": CODE,
        "REDIS_URL": valkey_url.replace("unix://", f"unix://{admission.user}:{admission.password}@"),
        "STATE_FILE": str(tmp_path / "SJ.db"),
        "RESEND_SECONDS": "1",
    }
    process = Process("outsider", [str(ROOT / "examples" / "department_redis.py")], environment, tmp_path)
    example = Outsider(process, tmp_path / "SJ.db")
    yield example
    await example.stop()
    await shut_out(town.stores.office, town.stores.redis, CODE)


async def refused_commands(redis: aioredis.Redis, user: str) -> list[str]:
    """What the server refused a user so far."""
    answer: Any = await redis.execute_command("ACL LOG")  # type: ignore[no-untyped-call]  # redis's gap
    return [str(entry) for entry in answer if entry["username"] == user]
