"""A pretend virus scanner that speaks clamd's INSTREAM over a unix socket and knows one virus, the harmless EICAR test file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

# Written in two parts, so that a scanner on a developer's machine leaves this file alone.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def clamd(socket: Path, longest: int = 25 << 20) -> AsyncIterator[Path]:
    """The daemon, listening while the context is open; like the real one it hangs up on files that are too long."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await _verdict(reader, longest))

    async with listening(socket, talk):
        yield socket


@asynccontextmanager
async def listening(socket: Path, talk: Talk) -> AsyncIterator[None]:
    """A server on a unix socket that talks once with everyone and hangs up; ends when every talk has ended."""
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side went away
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async with await asyncio.start_unix_server(serve, str(socket)):
        yield
        async with asyncio.timeout(10):
            await asyncio.gather(*talks)


async def _verdict(reader: asyncio.StreamReader, longest: int) -> bytes:
    if await reader.readuntil(b"\0") != b"zINSTREAM\0":
        return b"UNKNOWN COMMAND\0"
    held = b""
    while length := int.from_bytes(await reader.readexactly(4), "big"):
        held += await reader.readexactly(length)
        if len(held) > longest:
            return b"INSTREAM size limit exceeded. ERROR\0"
    return b"stream: Eicar-Test-Signature FOUND\0" if EICAR in held else b"stream: OK\0"
