"""Foreign files made clean: handed to a locked-up child process that draws pictures anew and copies papers page by page.

Children are kept warm, a few at most. One that dies, hangs or lies only costs the file it was given.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import msgspec

from handlers.media_limits import Limits, Verdict

CHILDREN = 2


class _Child:
    """One child process and how many files it may still take."""

    def __init__(self, process: asyncio.subprocess.Process, uses: int) -> None:
        self.process = process
        self.left = uses

    async def treat(self, data: bytes, limits: Limits) -> tuple[Verdict, bytes]:
        """Give it a file; raises EOFError or TimeoutError when it did not survive it."""
        self.left -= 1
        into, out = self.process.stdin, self.process.stdout
        if into is None or out is None:
            raise EOFError
        async with asyncio.timeout(limits.wall_seconds):
            into.write(len(data).to_bytes(8, "big"))
            into.write(data)
            await into.drain()
            length = int.from_bytes(await out.readexactly(4), "big")
            verdict = msgspec.json.decode(await out.readexactly(min(length, 4096)), type=Verdict)
            return verdict, await out.readexactly(min(verdict.size, limits.out_bytes))

    async def end(self) -> None:
        """Be rid of it."""
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


class Laundry:
    """The children of one process."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._idle: list[_Child] = []
        self._turns = asyncio.Semaphore(CHILDREN)

    async def clean(self, data: bytes) -> tuple[Verdict, bytes]:
        """The clean form of a file, or a verdict with the reason why there is none."""
        async with self._turns, self._child() as child:
            try:
                return await child.treat(data, self._limits)
            except (EOFError, TimeoutError, ConnectionError, msgspec.DecodeError):
                child.left = 0
                return Verdict(refusal="upload_broken"), b""

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
        # Linked to no environment and no open file of ours; it locks itself up before it reads the first byte.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "handlers.media_child", msgspec.json.encode(self._limits).decode(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True, limit=1 << 20,
        )  # fmt: skip
        return _Child(process, self._limits.uses)
