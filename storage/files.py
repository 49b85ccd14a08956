"""Files, already sealed, under names that the office makes: a local folder, or later any other store with the same few acts."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from pathlib import Path
from typing import IO, Protocol

from storage.errors import StoreUnavailable

BLOCK = 1 << 20
"""Bytes read or written at a time: a hop to a thread costs about 0.1 ms, so small ones would dominate."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{7,79}")
_DRAFTS = "drafts"


class FileGone(Exception):
    """There is no file of this name."""


class FileStore(Protocol):
    """Keeps files whole or not at all. Names are lower-case letters, digits and hyphens, made by the office, never by a user."""

    async def put(self, name: str, blocks: AsyncIterable[bytes]) -> None:
        """Store the blocks under a new name; durable when this returns, absent if it does not."""
        ...

    def get(self, name: str) -> AsyncGenerator[bytes, None]:
        """The blocks of a file; raises FileGone. Close it (`contextlib.aclosing`) when leaving early."""
        ...

    async def delete(self, name: str) -> None:
        """Remove a file; one that is gone already is no error."""
        ...

    async def sweep(self, before: dt.datetime) -> int:
        """Remove what a crash left half written before this moment; how many there were."""
        ...


def open_files(url: str) -> FileStore:
    """The store that `files.url` names; raises ValueError or StoreUnavailable, both name the setting."""
    scheme, _, rest = url.partition("://")
    if scheme == "file" and rest:
        try:
            return LocalFiles(Path(rest))
        except OSError as error:
            raise StoreUnavailable(f"files.url (MOBILE_API_FILES__URL) cannot be used: {error}") from error
    if scheme == "s3":
        raise ValueError("files.url: s3:// is not available yet; use file://FOLDER on a disk that is backed up")
    raise ValueError(f"files.url must be file://FOLDER, not {scheme}://")


class LocalFiles:
    """Files in a folder of this machine that only this user can enter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for path in (folder, folder / _DRAFTS):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)

    async def put(self, name: str, blocks: AsyncIterable[bytes]) -> None:
        """Store the blocks under a new name; durable when this returns, absent if it does not."""
        path, draft = self._path(name), self.folder / _DRAFTS / secrets.token_hex(16)
        file = await asyncio.to_thread(_create, draft)
        try:
            async for block in _gathered(blocks):
                await asyncio.to_thread(file.write, block)
            await asyncio.to_thread(_publish, file, draft, path)
        finally:
            # Closing waits for a write that a cancelled caller left running in its thread.
            file.close()
            draft.unlink(missing_ok=True)

    async def get(self, name: str) -> AsyncGenerator[bytes, None]:
        """The blocks of a file; raises FileGone. Close it (`contextlib.aclosing`) when leaving early."""
        try:
            file = await asyncio.to_thread(self._path(name).open, "rb", buffering=0)
        except FileNotFoundError:
            raise FileGone(name) from None
        with file:
            while block := await asyncio.to_thread(file.read, BLOCK):
                yield block

    async def delete(self, name: str) -> None:
        """Remove a file; one that is gone already is no error."""
        await asyncio.to_thread(self._path(name).unlink, missing_ok=True)

    async def sweep(self, before: dt.datetime) -> int:
        """Remove what a crash left half written before this moment; how many there were."""
        return await asyncio.to_thread(self._sweep, before)

    def _sweep(self, before: dt.datetime) -> int:
        left = _older(self.folder / _DRAFTS, before)
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError("a file name is 8 to 80 lower-case letters, digits and hyphens")
        # Shelves by the last two characters: those of an id are random, its first are the time.
        return self.folder / name[-2:] / name


async def _gathered(blocks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in blocks of about BLOCK, so that a slow sender does not cost a thread hop for every packet."""
    held, size = [], 0
    async for block in blocks:
        held.append(block)
        size += len(block)
        if size >= BLOCK:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _create(draft: Path) -> IO[bytes]:
    return os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _publish(file: IO[bytes], draft: Path, path: Path) -> None:
    """Make the draft the file: bytes to disk, then the name, then the folder that holds the name."""
    file.flush()
    os.fsync(file.fileno())
    if not path.parent.is_dir():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(path.parent.parent)
    draft.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _older(folder: Path, before: dt.datetime) -> list[Path]:
    limit, found = before.timestamp(), []
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if entry.stat().st_mtime < limit:
                    found.append(Path(entry.path))
    return found
