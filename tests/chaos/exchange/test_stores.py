"""The faults must really strike: what the run's own stores do when they are killed, robbed, starved or full."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest
from redis.exceptions import OutOfMemoryError

from tests.chaos.exchange.cluster import Cluster
from tests.chaos.exchange.disk import SmallDisk
from tests.chaos.exchange.pipe import Pipe
from tests.chaos.exchange.shifted import ShiftedClock, shift
from tests.support.postgres import NoPostgresError


@pytest.fixture
async def pipe() -> AsyncIterator[Pipe]:
    with TemporaryDirectory(prefix="chaos-") as folder:
        pipe = Pipe(Path(folder))
        try:
            await pipe.start()
            await pipe.client.xadd("q:{MZ.0}", {"e": b"kept"})
            yield pipe
        finally:
            await pipe.stop()


async def test_a_killed_redis_comes_back_with_what_it_had(pipe: Pipe) -> None:
    await pipe.kill()
    assert not await pipe.answers()
    await pipe.start()
    assert await pipe.held() == 1


async def test_a_robbed_redis_comes_back_empty(pipe: Pipe) -> None:
    await pipe.kill()
    await pipe.forget()
    await pipe.start()
    assert await pipe.held() == 0


async def test_a_starved_redis_refuses_to_write_until_it_is_fed(pipe: Pipe) -> None:
    await pipe.starve()
    with pytest.raises(OutOfMemoryError):
        await pipe.client.xadd("q:{MZ.0}", {"e": b"more"})
    await pipe.feed()
    await pipe.client.xadd("q:{MZ.0}", {"e": b"more"})
    assert await pipe.held("q:*") == 2


async def test_a_killed_postgresql_comes_back_with_what_was_committed() -> None:
    try:
        cluster = Cluster()
    except NoPostgresError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    try:
        await cluster.start()
        connection = await asyncpg.connect(cluster.url)
        await connection.execute("CREATE TABLE kept (n INTEGER); INSERT INTO kept VALUES (1)")
        await cluster.kill()
        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
            await connection.fetch("SELECT n FROM kept")
        connection.terminate()
        await cluster.start()
        connection = await asyncpg.connect(cluster.url)
        assert [row["n"] for row in await connection.fetch("SELECT n FROM kept")] == [1]
        await connection.close()
    finally:
        await cluster.stop()
    assert not cluster.folder.exists()


def test_a_full_disk_takes_nothing_until_it_is_cleared() -> None:
    with TemporaryDirectory(prefix="chaos-") as folder:
        disk = SmallDisk(Path(folder) / "disk", megabytes=1)
        try:
            if disk.refused:  # then the machine says so in its report and goes on
                assert "mount" in disk.refused
                return
            disk.fill()
            with pytest.raises(OSError, match="No space left"):
                (disk.folder / "file").write_bytes(b"\0" * 65536)
            disk.clear()
            assert (disk.folder / "file").write_bytes(b"\0" * 65536)
        finally:
            disk.unmount()


def test_a_clock_is_as_wrong_as_its_file_says(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    clock = ShiftedClock(file)
    for seconds in (0, 90, -90):
        shift(file, seconds)
        wrong = clock.now() - dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds)
        assert abs(wrong) < dt.timedelta(seconds=30)
