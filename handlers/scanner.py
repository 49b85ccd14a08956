"""Virus scanning, where the town has a scanner: a clamd that is asked over its unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

_SECONDS = 60.0


class ScannerDown(Exception):
    """The scanner gave no verdict: the file must wait, it is neither clean nor infected."""


class Scanner(Protocol):
    """Knows bad files."""

    async def finds(self, blocks: AsyncIterator[bytes]) -> bool:
        """True if the file is bad; raises ScannerDown when that cannot be said."""
        ...


class Clamd:
    """ClamAV's daemon, by its command INSTREAM (clamd manual): length and bytes, length and bytes, zero."""

    def __init__(self, socket: Path, seconds: float = _SECONDS) -> None:
        self._socket = socket
        self._seconds = seconds

    async def finds(self, blocks: AsyncIterator[bytes]) -> bool:
        """True if clamd knows the file; a file beyond its StreamMaxLength counts as bad, not as clean."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._ask(blocks)
        except (OSError, TimeoutError, EOFError) as error:
            raise ScannerDown(f"clamd at {self._socket}: {type(error).__name__}") from None
        if answer.endswith(b"OK"):
            return False
        if answer.endswith(b"FOUND") or b"size limit exceeded" in answer:
            return True
        raise ScannerDown(f"clamd at {self._socket} answered neither OK nor FOUND")

    async def _ask(self, blocks: AsyncIterator[bytes]) -> bytes:
        reader, writer = await asyncio.open_unix_connection(str(self._socket))
        try:
            writer.write(b"zINSTREAM\0")
            try:
                async for block in blocks:
                    writer.write(len(block).to_bytes(4, "big") + block)
                    await writer.drain()
                writer.write(bytes(4))
            except ConnectionError:
                pass  # clamd stops taking a file that is too long for it, and says so in what is read next
            return (await reader.readuntil(b"\0"))[:-1]
        finally:
            writer.close()
