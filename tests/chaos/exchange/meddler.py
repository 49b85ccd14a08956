"""Disorder in the streams: old messages come once more, fresh ones are taken out and come back late."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from pathlib import Path
from typing import Any

from tests.chaos.exchange.pipe import Pipe
from tests.chaos.exchange.plan import DEPARTMENTS

_TRIES = 200
_LANES = [(code, n) for code, count in DEPARTMENTS.items() for n in range(count)]
_KEYS = [
    *(f"{letter}:{{{code}.{n}}}" for letter in "qa" for code, n in _LANES),
    *(f"{word}:{{{code}}}" for word in ("ack", "taken") for code in DEPARTMENTS),
]


async def repeat(pipe: Pipe, book: Path, count: int, chance: random.Random) -> int:
    """Add commands and answers to the streams once more that a department took in or gave at any time; how many."""
    entries = _known(book, count, chance)
    for key, body in entries:
        await pipe.client.xadd(key, {"e": body})
    return len(entries)


def _known(book: Path, count: int, chance: random.Random) -> list[tuple[str, bytes]]:
    file = sqlite3.connect(f"file:{book}?mode=ro", uri=True, timeout=30)
    try:
        lanes = {stream: f"q{stream[1:]}" for (stream,) in file.execute("SELECT DISTINCT stream FROM command")}
        commands = [(lanes[stream], body) for stream, body in file.execute("SELECT stream, body FROM command")]
        answers: list[tuple[str, bytes]] = file.execute("SELECT stream, body FROM answer").fetchall()
    finally:
        file.close()
    return [chance.choice(known) for known in (commands, answers) for _ in range(count) if known]


async def displace(pipe: Pipe, seconds: float, count: int, chance: random.Random) -> int:
    """Take entries out of the streams and add them behind all others after some seconds; how many."""
    taken: list[tuple[str, dict[Any, Any]]] = []
    for _ in range(_TRIES):
        key = chance.choice(_KEYS)
        for entry_id, fields in await pipe.client.xrange(key, count=count - len(taken)):
            if await pipe.client.xdel(key, entry_id):
                taken.append((key, fields))
        if len(taken) >= count:
            break
        await asyncio.sleep(0.005)
    await asyncio.sleep(seconds)
    chance.shuffle(taken)
    for key, fields in taken:
        await pipe.client.xadd(key, fields)
    return len(taken)
