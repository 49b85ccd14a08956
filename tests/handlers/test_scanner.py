"""A scanner's verdict counts; without a verdict a file is neither clean nor bad. The daemon here speaks clamd's own protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from handlers.scanner import Clamd, ScannerDown
from tests.support.clamd import EICAR, clamd, listening


async def blocks(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 50_000):
        yield data[at : at + 50_000]


async def test_a_clean_file_passes_and_the_test_virus_is_found(tmp_path: Path):
    async with clamd(tmp_path / "clamd") as socket:
        scanner = Clamd(socket)
        assert not await scanner.finds(blocks(bytes(200_000)))
        assert await scanner.finds(blocks(bytes(70_000) + EICAR))


async def test_a_file_too_long_for_the_scanner_is_not_called_clean(tmp_path: Path):
    async with clamd(tmp_path / "clamd", longest=100_000) as socket:
        assert await Clamd(socket).finds(blocks(bytes(5_000_000)))


async def test_no_daemon_is_no_verdict(tmp_path: Path):
    with pytest.raises(ScannerDown, match="FileNotFoundError"):
        await Clamd(tmp_path / "nobody").finds(blocks(b"file"))


@asynccontextmanager
async def answering(socket: Path, answer: bytes | None) -> AsyncIterator[Path]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer is None:
            await reader.read()  # to the end, and say nothing
        else:
            writer.write(answer)

    async with listening(socket, talk):
        yield socket


@pytest.mark.parametrize("answer", [b"", b"stream: OK", b"stream: Can't allocate memory ERROR\0", b"UNKNOWN COMMAND\0"])
async def test_a_broken_or_strange_answer_is_no_verdict(tmp_path: Path, answer: bytes):
    async with answering(tmp_path / "clamd", answer) as socket:
        with pytest.raises(ScannerDown):
            await Clamd(socket).finds(blocks(b"file"))


async def test_a_silent_daemon_is_given_up(tmp_path: Path):
    async with answering(tmp_path / "clamd", None) as socket:
        with pytest.raises(ScannerDown, match="TimeoutError"):
            await Clamd(socket, seconds=0.2).finds(blocks(b"file"))
