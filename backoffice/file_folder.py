"""The folder that a gatekeeper (网闸) between two networks empties and fills: what appears in it is whole, what leaves it is gone.

`out/` goes to the department, `in/` comes from it, `out/files/` are attachments. `bad/` keeps what could not be read, with the reason
beside it; `held/` what was taken in and has not taken effect yet. A file gets its name only after its bytes are on the disk.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from backoffice.file_format import LARGEST_FILE, Name, read_name

_DRAFT = ".part"
_STALE_SECONDS = 3600.0
_OURS_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file in `in/`: what its name says (None: nothing of ours), seconds since it was last written to, and what it is known by."""

    path: Path
    name: Name | None
    age: float
    stamp: tuple[str, int, int]


class Folder:
    """One department's folder. Every method that waits for the disk does so in a thread; all of them may raise OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.out, self.arriving, self.bad, self.held = (path / name for name in ("out", "in", "bad", "held"))
        self.files = self.out / "files"

    async def prepare(self) -> None:
        """Make the folders inside, and clear away what a crash left half written.

        The folder itself must be there: it may be a share of the gatekeeper that is not mounted now.
        """
        await asyncio.to_thread(self._prepare)

    def _prepare(self) -> None:
        if not self.path.is_dir():
            raise FileNotFoundError(f"文件夹 {self.path} 不存在，或没有挂载")
        for folder in (self.out, self.files, self.arriving, self.bad, self.held):
            folder.mkdir(exist_ok=True)
        for folder in (self.out, self.files, self.held):
            for draft in folder.glob(f".*{_DRAFT}"):
                if time.time() - draft.stat().st_mtime > _STALE_SECONDS:
                    draft.unlink(missing_ok=True)

    async def arrived(self) -> list[Arrived]:
        """What lies in `in/`, by name; files that are still being written under a passing name are left out."""
        return await asyncio.to_thread(self._arrived)

    def _arrived(self) -> list[Arrived]:
        found = []
        with os.scandir(self.arriving) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.is_file(follow_symlinks=False) and not entry.name.startswith(".") and not entry.name.endswith(_DRAFT):
                        stat = entry.stat(follow_symlinks=False)
                        stamp = (entry.name, stat.st_mtime_ns, stat.st_size)
                        found.append(Arrived(Path(entry.path), read_name(entry.name), time.time() - stat.st_mtime, stamp))
        return sorted(found, key=lambda one: one.path.name)

    async def read(self, path: Path, largest: int) -> bytes | None:
        """The bytes of a file, one more than `largest` at most; None if it is gone."""
        return await asyncio.to_thread(_read, path, largest + 1)

    async def write(self, path: Path, content: bytes) -> None:
        """Let a file appear whole: it is durable when this returns."""
        await asyncio.to_thread(_write, path, content)

    async def is_there(self, path: Path) -> bool:
        """Whether a file has not been fetched yet."""
        return await asyncio.to_thread(path.exists)

    async def remove(self, *paths: Path) -> None:
        """Let files go; one that is gone already is no error."""
        await asyncio.to_thread(_remove, paths)

    async def put_aside(self, path: Path, reason: str) -> None:
        """Move what cannot be read to `bad/`, with the reason for a person; the newest of a name is kept beside the older ones.

        Of a file that is larger than any batch the beginning is kept: it must fill neither memory nor disk.
        """
        await asyncio.to_thread(self._put_aside, path, reason)

    def _put_aside(self, path: Path, reason: str) -> None:
        kept = self.bad / f"{path.name}.{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"
        _write(kept.with_name(f"{kept.name}.reason.txt"), f"{reason}\n".encode())
        with suppress(FileNotFoundError):
            _write(kept, _read(path, LARGEST_FILE) or b"")  # in/ may be a share of its own, from which nothing can be renamed
            _remove([path])

    async def held_numbers(self) -> dict[int, Path]:
        """What was taken in and has not taken effect yet, by batch number."""
        paths = await asyncio.to_thread(lambda: sorted(self.held.glob("*.held")))
        return {int(path.stem): path for path in paths if path.stem.isdecimal()}

    def held_path(self, number: int) -> Path:
        """Where the rows of a batch are held."""
        return self.held / f"{number:08}.held"


def _read(path: Path, most: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except FileNotFoundError:
        return None


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_DRAFT}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OURS_ONLY), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
