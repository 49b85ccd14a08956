"""Figures about the exchange with departments: how the links stand, what Redis holds, and what the carriers have counted in all.

Carriers may run in other processes than the one that is asked, so their counters are added up in one hash in Redis. What Redis
loses with it begins at nought again, which whoever draws the curves takes for a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from redis import exceptions

from storage.database import Queries, Row
from storage.errors import StoreUnavailable
from storage.redis import translated
from storage.streams import GROUP

_COUNTS = "exchange:counts"
_PATIENCE = 1.0
"""Seconds that a look may take; whoever watches is not to be kept waiting by a Redis that hangs."""


async def links(db: Queries) -> dict[str, Row]:
    """How the link with each department stands; one that never carried anything has no row."""
    rows = await db.rows("SELECT department, state, failures, reason, heard_at FROM exchange_link")
    return {row["department"]: row for row in rows}


@dataclass(frozen=True, slots=True)
class Depth:
    """How full a stream is: entries in all, and those that its reader took and has not dealt with."""

    entries: int
    pending: int


class Gauge:
    """Looks into Redis; `commands` is a redis.asyncio client. Every method raises StoreUnavailable when Redis does not answer."""

    def __init__(self, commands: Any) -> None:
        self._commands = commands

    async def depths(self, keys: Sequence[str]) -> dict[str, Depth | None]:
        """How full each stream is, in one round trip; None where the key holds something else."""
        answers = await self._ask([question for key in keys for question in (("xlen", key), ("xpending", key, GROUP))])
        return {key: _depth(*pair) for key, pair in zip(keys, zip(answers[::2], answers[1::2], strict=True), strict=True)}

    async def add(self, counted: Mapping[str, int]) -> None:
        """Add to the counters of all processes. After an error it is unknown whether that was done."""
        async with _in_time():
            pipe = self._commands.pipeline(transaction=True)
            for name, number in counted.items():
                pipe.hincrby(_COUNTS, name, number)
            await pipe.execute()

    async def counted(self) -> dict[str, int]:
        """The counters of all processes together."""
        async with _in_time():
            found = await self._commands.hgetall(_COUNTS)
        return {name.decode(): int(number) for name, number in found.items()}

    async def _ask(self, questions: Iterable[tuple[str, ...]]) -> list[Any]:
        async with _in_time():
            pipe = self._commands.pipeline(transaction=False)
            for command, *arguments in questions:
                getattr(pipe, command)(*arguments)
            answers: list[Any] = await pipe.execute(raise_on_error=False)
            for answer in answers:
                if isinstance(answer, Exception) and not isinstance(answer, exceptions.ResponseError):
                    raise answer
            return answers


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        with translated():
            async with asyncio.timeout(_PATIENCE):
                yield
    except TimeoutError as error:
        raise StoreUnavailable(f"Redis did not answer within {_PATIENCE} s") from error


def _depth(entries: int | Exception, pending: Mapping[str, Any] | Exception) -> Depth | None:
    """A stream that nobody has read yet has no group, hence nothing pending."""
    if isinstance(entries, Exception):
        return None
    return Depth(entries, 0 if isinstance(pending, Exception) else int(pending["pending"]))
