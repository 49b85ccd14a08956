"""Foreign files made clean: handed to a locked-up child process that draws pictures anew and copies papers page by page.

Children are kept warm, a few at most. One that dies, hangs or lies only costs the file it was given.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

from handlers.media_limits import Limits, Verdict
from handlers.scanner import Scanner

CHILDREN = 2
MEDIA_TYPES = frozenset({"image/jpeg", "image/png", "application/pdf"})
"""What a clean file can be."""

_MOST_NOTE = 4096
_ROOT = Path(__file__).parents[1]


class ChildLied(Exception):
    """A child answered what it cannot have to say."""


class _Child:
    """One child process and how many files it may still take."""

    def __init__(self, process: asyncio.subprocess.Process, uses: int) -> None:
        self.process = process
        self.left = uses

    async def treat(self, size: int, blocks: AsyncIterator[bytes], limits: Limits) -> tuple[Verdict, bytes]:
        """Give it a file of `size` bytes; raises EOFError, TimeoutError, ConnectionError or ChildLied when that went wrong."""
        self.left -= 1
        into, out = self.process.stdin, self.process.stdout
        if into is None or out is None:
            raise EOFError
        async with asyncio.timeout(limits.wall_seconds):
            into.write(size.to_bytes(8, "big"))
            async for block in blocks:
                into.write(block)
                await into.drain()
            verdict = await _verdict(out, limits)
            return verdict, await out.readexactly(verdict.size)

    async def end(self) -> None:
        """Be rid of it and of whatever it may have started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)
        await self.process.wait()


class Laundry:
    """The children of one process, and the virus scanner if the town has one."""

    def __init__(self, limits: Limits | None = None, scanner: Scanner | None = None) -> None:
        self.scanner = scanner
        self._limits = limits or Limits()
        self._idle: list[_Child] = []
        self._turns = asyncio.Semaphore(CHILDREN)

    async def clean(self, size: int, blocks: AsyncIterator[bytes]) -> tuple[Verdict, bytes]:
        """The clean form of a file of `size` bytes, or a verdict with the reason why there is none.

        The blocks are asked for only when a child is free, so that files which wait for their turn cost no memory.
        """
        async with self._turns, self._child() as child:
            try:
                return await child.treat(size, blocks, self._limits)
            except (EOFError, TimeoutError, ConnectionError, ChildLied):
                child.left = 0
                return Verdict(refusal="upload_broken"), b""

    async def warm(self) -> None:
        """Have a child ready, so that the first file does not wait for one."""
        async with self._turns, self._child():
            pass

    async def close(self) -> None:
        """End the idle children."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(child.end() for child in idle))

    @asynccontextmanager
    async def _child(self) -> AsyncIterator[_Child]:
        child = self._idle.pop() if self._idle else await self._spawn()
        whole = False
        try:
            yield child
            whole = child.left > 0 and child.process.returncode is None
        finally:
            if whole:
                self._idle.append(child)
            else:
                await asyncio.shield(child.end())

    async def _spawn(self) -> _Child:
        # It gets none of our environment, which holds secrets; it locks itself up before it reads the first byte.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "handlers.media_child", msgspec.json.encode(self._limits).decode(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True, cwd="/", env={"PYTHONPATH": str(_ROOT)}, limit=1 << 20,
        )  # fmt: skip
        return _Child(process, self._limits.uses)


async def _verdict(out: asyncio.StreamReader, limits: Limits) -> Verdict:
    """The child's answer, believed no further than its form: a child that was taken over can only spoil the file at hand."""
    length = int.from_bytes(await out.readexactly(4), "big")
    if length > _MOST_NOTE:
        raise ChildLied
    try:
        verdict = msgspec.json.decode(await out.readexactly(length), type=Verdict)
    except msgspec.DecodeError:
        raise ChildLied from None
    kept = verdict.media_type in MEDIA_TYPES and 0 < verdict.size <= limits.out_bytes and 0 < verdict.pages <= limits.pages
    if not (kept if not verdict.refusal else verdict.size == 0):
        raise ChildLied
    return verdict
