"""Virus scanning, where the town has a scanner: a clamd that is asked over its unix socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
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

    def __init__(self, address: Path, seconds: float = _SECONDS) -> None:
        self._address = address
        self._seconds = seconds

    async def finds(self, blocks: AsyncIterator[bytes]) -> bool:
        """True if clamd knows the file; a file beyond its StreamMaxLength counts as bad, not as clean."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._ask(blocks)
        except (OSError, TimeoutError, EOFError) as error:
            raise ScannerDown(f"clamd at {self._address}: {type(error).__name__}") from None
        if answer.endswith(b"OK"):
            return False
        if answer.endswith(b"FOUND") or b"size limit exceeded" in answer:
            return True
        raise ScannerDown(f"clamd at {self._address} answered neither OK nor FOUND")

    async def _ask(self, blocks: AsyncIterator[bytes]) -> bytes:
        # A bare socket, because a stream forgets what was received once sending fails: and that is where "too long" stands.
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(0)
            await loop.sock_connect(line, str(self._address))
            with suppress(BrokenPipeError, ConnectionResetError):
                await loop.sock_sendall(line, b"zINSTREAM\0")
                async for block in blocks:
                    await loop.sock_sendall(line, len(block).to_bytes(4, "big") + block)
                await loop.sock_sendall(line, bytes(4))
            answer = b""
            while not answer.endswith(b"\0"):
                if not (part := await loop.sock_recv(line, 4096)):
                    raise EOFError
                answer += part
            return answer[:-1]
