"""A department written from the contract alone, as small as it can be: what the exchange's own tests talk to."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from storage.tasks import end


class Echo:
    """A department that confirms every command, answers each with one answer, and sends again what is not confirmed to it."""

    def __init__(self, town: Any) -> None:
        self._town = town
        self.received: dict[str, int] = {}
        self.said: dict[tuple[str, int], tuple[bytes, str]] = {}
        self.confirmed: dict[str, int] = {}

    async def start(self) -> None:
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        await end([self._task])

    async def _work(self) -> None:
        redis = self._town.redis
        while True:
            for entry_id, fields in await redis.xrange("q:{MZ.0}"):
                await self._take(msgspec.json.decode(fields[b"e"]))
                await redis.xdel("q:{MZ.0}", entry_id)
            for entry_id, fields in await redis.xrange("taken:{MZ}"):
                taken = msgspec.json.decode(fields[b"e"])
                self.confirmed[taken["case_id"]] = taken["sequence"]
                await redis.xdel("taken:{MZ}", entry_id)
            await asyncio.sleep(0.01)

    async def _take(self, command: dict[str, Any]) -> None:
        case_id, sequence = command["partitionkey"], command["sequence"]
        if sequence == self.received.get(case_id, 0) + 1:
            self.received[case_id] = sequence
            await self.say(case_id, sequence)
        confirmation = {"case_id": case_id, "sequence": self.received.get(case_id, 0)}
        await self._town.redis.xadd("ack:{MZ}", {"e": msgspec.json.encode(confirmation)})

    async def say(self, case_id: str, sequence: int) -> None:
        body = self._town.answer(case_id, sequence)
        self.said[case_id, sequence] = (body, await self._town.redis.xadd("a:{MZ.0}", {"e": body}))

    async def say_again(self) -> None:
        """What is not confirmed and no longer in the stream: another entry may have its id (decision record 8)."""
        for (case_id, sequence), (body, entry_id) in list(self.said.items()):
            there = await self._town.redis.xrange("a:{MZ.0}", entry_id, entry_id)
            if sequence > self.confirmed.get(case_id, 0) and not any(fields[b"e"] == body for _, fields in there):
                self.said[case_id, sequence] = (body, await self._town.redis.xadd("a:{MZ.0}", {"e": body}))
