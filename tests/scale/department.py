"""A department at the far end of a Redis that dies and comes back: what it owes its own system it keeps, and sends again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec
from redis import exceptions

from backoffice.lanes import answers_key, commands_key, confirmations_key, taken_key
from storage.redis import RedisStore
from storage.tasks import end
from tests.support.exchange import answer

CODE, LANES = "MZ", 4
_PAUSE, _AGAIN = 0.02, 0.5


class Department:
    """Confirms every command, answers each with one answer, and sends again what is unconfirmed and gone (decision record 8).

    `done` is what it did, by case: the numbers of the commands in the order in which they took effect.
    """

    def __init__(self, store: RedisStore) -> None:
        self.done: dict[str, list[int]] = {}
        self.confirmed: dict[str, int] = {}
        self._redis = store.commands
        self._said: dict[tuple[str, int], tuple[int, bytes, str]] = {}

    async def start(self) -> None:
        """Begin to work: each stream by itself, as the streams of a cluster fail by themselves."""
        works = [self._take(lane) for lane in range(LANES)]
        self._tasks = [asyncio.create_task(_ever(work)) for work in (*works, self._hear)]
        self._tasks.append(asyncio.create_task(_ever(self._say_again, _AGAIN)))

    async def stop(self) -> None:
        """Stop at once."""
        await end(self._tasks)

    def _take(self, lane: int) -> Callable[[], Awaitable[None]]:
        key = commands_key((CODE, lane))

        async def take() -> None:
            for entry_id, fields in await self._redis.xrange(key, count=100):
                await self._obey(lane, msgspec.json.decode(fields[b"e"]))
                await self._redis.xdel(key, entry_id)

        return take

    async def _obey(self, lane: int, command: dict[str, Any]) -> None:
        case_id, sequence, number = command["partitionkey"], command["sequence"], command["data"]["case"]
        done = self.done.setdefault(case_id, [])
        if sequence == len(done) + 1:
            done.append(sequence)
            self._said[case_id, sequence] = (lane, answer(case_id, number, sequence), "0-1")
        await self._say(case_id, sequence)
        confirmation = {"case_id": case_id, "sequence": len(done)}
        await self._redis.xadd(confirmations_key(CODE), {"e": msgspec.json.encode(confirmation)})

    async def _say(self, case_id: str, sequence: int) -> None:
        """Send an answer, unless it lies in the stream or was never made."""
        if (case_id, sequence) not in self._said:
            return
        lane, body, entry_id = self._said[case_id, sequence]
        key = answers_key((CODE, lane))
        there = await self._redis.xrange(key, entry_id, entry_id)
        if not any(fields[b"e"] == body for _, fields in there):
            self._said[case_id, sequence] = (lane, body, (await self._redis.xadd(key, {"e": body})).decode())

    async def _hear(self) -> None:
        for entry_id, fields in await self._redis.xrange(taken_key(CODE), count=100):
            taken = msgspec.json.decode(fields[b"e"])
            self.confirmed[taken["case_id"]] = max(taken["sequence"], self.confirmed.get(taken["case_id"], 0))
            await self._redis.xdel(taken_key(CODE), entry_id)

    async def _say_again(self) -> None:
        for case_id, sequence in sorted(self._said):
            if sequence > self.confirmed.get(case_id, 0):
                with suppress(exceptions.RedisError, OSError):  # one stream's trouble is its own
                    await self._say(case_id, sequence)


async def _ever(work: Callable[[], Awaitable[None]], pause: float = _PAUSE) -> None:
    while True:
        with suppress(exceptions.RedisError, OSError):
            await work()
        await asyncio.sleep(pause)
