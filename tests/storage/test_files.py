"""Files are there whole or not at all, and only for their owner."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.files import BLOCK, FileGone, LocalFiles, open_files

NAME = "0198c0de-0000-7000-8000-00000000abcd"
LATER = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)


async def blocks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def read(store: LocalFiles, name: str = NAME) -> bytes:
    return b"".join([block async for block in store.get(name)])


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def store(tmp_path: Path) -> LocalFiles:
    return LocalFiles(tmp_path / "files")


@pytest.mark.parametrize("size", [0, 1, BLOCK, 3 * BLOCK + 7])
async def test_a_file_comes_back_as_it_was_put(store: LocalFiles, size: int):
    content = os.urandom(size)
    await store.put(NAME, blocks(*(content[at : at + 50_000] for at in range(0, size, 50_000))))
    assert await read(store) == content


async def test_nobody_else_on_the_machine_can_read_it(store: LocalFiles):
    before = os.umask(0)
    try:
        await store.put(NAME, blocks(b"content"))
    finally:
        os.umask(before)
    for path in (store.folder, *store.folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


async def test_a_file_that_broke_off_while_it_came_leaves_nothing(store: LocalFiles):
    async def breaks() -> AsyncIterator[bytes]:
        yield b"x" * BLOCK
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await store.put(NAME, breaks())
    assert kept(store.folder) == []
    with pytest.raises(FileGone):
        await read(store)


async def test_a_cancelled_write_leaves_nothing(store: LocalFiles):
    started = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            started.set()
            yield b"x" * BLOCK
            await asyncio.sleep(0)

    task = asyncio.create_task(store.put(NAME, endless()))
    await started.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert kept(store.folder) == []


async def test_what_a_crash_left_half_written_is_swept_and_whole_files_stay(store: LocalFiles):
    await store.put(NAME, blocks(b"content"))
    (store.folder / "drafts" / "0123").write_bytes(b"half")
    assert await store.sweep(dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)) == 0
    assert await store.sweep(LATER) == 1
    assert await read(store) == b"content"


async def test_deleting_is_for_good_and_may_be_repeated(store: LocalFiles):
    await store.put(NAME, blocks(b"content"))
    await store.delete(NAME)
    await store.delete(NAME)
    with pytest.raises(FileGone):
        await read(store)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "short", "UPPERCASE", "/etc/passwd", "a" * 81, "with space", "dot.dot", "0198\x00abcd"]
)
async def test_a_name_that_could_be_a_path_is_refused(store: LocalFiles, name: str):
    with pytest.raises(ValueError, match="a file name is"):
        await store.put(name, blocks(b""))
    with pytest.raises(ValueError, match="a file name is"):
        await read(store, name)


def test_the_setting_names_a_folder_or_the_mistake(tmp_path: Path):
    assert isinstance(open_files(f"file://{tmp_path}/there"), LocalFiles)
    for url, said in (("s3://bucket", "not available yet"), ("ftp://x", "must be file://"), ("file://", "must be file://")):
        with pytest.raises(ValueError, match=said):
            open_files(url)
