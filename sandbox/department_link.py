"""A pretend department at its end of the queues, written from the published contract alone."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import os
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from redis import asyncio as aioredis
from redis import exceptions

from sandbox.department_book import Book
from sandbox.department_ways import Ways

logger = logging.getLogger("sandbox.departments")

_GROUP = "g"
_COUNT = 100
_BLOCK_SECONDS = 2.0


class Department:
    """One department: reads `q:{CODE.p}`, decides, answers on `a:{CODE.p}`, confirms on `ack:{CODE}`, hears `taken:{CODE}`."""

    def __init__(
        self, code: str, partitions: int, redis: aioredis.Redis, book: Book, ways: Ways, *, resend: float, chance: random.Random
    ) -> None:
        self.code = code
        self._redis = redis
        self._book = book
        self._ways = ways
        self._resend = resend
        self._chance = chance
        self._lanes = [f"{{{code}.{partition}}}" for partition in range(partitions)]
        self._taken = f"taken:{{{code}}}"
        self._wake = asyncio.Event()

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """What it does for ever: reading and writing."""
        return [self._patiently(self._read), self._patiently(self._write)]

    async def _patiently(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except (exceptions.RedisError, OSError) as error:
                logger.info("%s: Redis is away (%s)", self.code, error)
                await asyncio.sleep(self._chance.uniform(0.1, 1.0))

    async def _read(self) -> None:
        streams = [f"q:{lane}" for lane in self._lanes] + [self._taken]
        for stream in streams:
            with suppress(exceptions.ResponseError):  # it exists
                await self._redis.xgroup_create(stream, _GROUP, id="0", mkstream=True)
        position = "0"  # first what was read before and not dealt with
        while True:
            found: Any = await self._redis.xreadgroup(
                _GROUP, self.code, dict.fromkeys(streams, position), count=_COUNT, block=int(_BLOCK_SECONDS * 1000)
            )
            entries = [(stream.decode(), entries) for stream, entries in found or () if entries]
            for stream, batch in entries:
                await self._take(stream, batch)
            if not entries:
                position = ">"

    async def _take(self, stream: str, batch: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
        bodies = [fields.get(b"e", b"") for _, fields in batch if fields]
        if stream == self._taken:
            self._hear(bodies)
        else:
            await self._confirm(self._decide(stream.removeprefix("q:"), bodies))
        ids = [entry_id for entry_id, _ in batch]
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xack(stream, _GROUP, *ids)
            pipe.xdel(stream, *ids)
            await pipe.execute()

    def _decide(self, lane: str, bodies: list[bytes]) -> dict[str, int]:
        """Take in commands and plan the answers, in one transaction; how far each case is now."""
        self._book.begin()
        try:
            cases = [self._keep(lane, body) for body in bodies]
            for case_id in dict.fromkeys(cases):
                self._work(lane, case_id)
            self._book.commit()
        except BaseException:
            self._book.undo()
            raise
        self._wake.set()
        return {case_id: self._book.received(self.code, case_id) for case_id in cases}

    def _keep(self, lane: str, body: bytes) -> str:
        command = json.loads(body)
        self._book.keep(self.code, lane, command)
        case_id: str = command["partitionkey"]
        return case_id

    def _work(self, lane: str, case_id: str) -> None:
        now = time.time()
        while command := self._book.next_command(self.code, case_id):
            if command["type"].endswith("task.withdrawn.v1"):
                self._book.drop(self.code, case_id, command["data"]["task"])
            answers = self._ways.answers(command, lambda what: self._book.once(self.code, case_id, what))
            self._book.plan(self.code, lane, command, answers, now)

    async def _confirm(self, received: dict[str, int]) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            for case_id, sequence in received.items():
                pipe.xadd(f"ack:{{{self.code}}}", {"e": json.dumps({"case_id": case_id, "sequence": sequence})})
            await pipe.execute()

    def _hear(self, bodies: list[bytes]) -> None:
        for body in bodies:
            taken = json.loads(body)
            self._book.confirm(self.code, taken["case_id"], taken["sequence"])

    async def _write(self) -> None:
        looked = 0.0
        while True:
            self._number()
            for row in self._book.unsent(self.code, time.time()):
                await self._send(row)
            if time.time() - looked > self._resend / 4:
                await self._send_again()
                looked = time.time()
            await self._rest()

    async def _rest(self) -> None:
        """Until something is due, or something came in."""
        due = self._book.next_due(self.code)
        wait = 0.5 if due is None else min(0.5, max(0.0, due - time.time()))
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._wake.wait()
        self._wake.clear()

    def _number(self) -> None:
        """Write out what is due: from here on it is said, under this number."""
        self._book.begin()
        for row in self._book.due(self.code, time.time()):
            sequence = self._book.take_number(self.code, row["case_id"])
            held = time.time() + 2 * self._ways.delay + 0.2 if self._ways.has("shuffle") else 0.0
            self._book.number(row["n"], sequence, self._envelope(row, sequence), held)
        self._book.commit()

    def _envelope(self, row: Any, sequence: int) -> bytes:
        envelope = {
            "specversion": "1.0",
            "id": str(uuid.UUID(bytes=os.urandom(16), version=4)),
            "source": f"/departments/{self.code}",
            "type": f"cn.gov.town.{row['kind']}.v1",
            "subject": f"case/{row['number']}",
            "time": dt.datetime.now(dt.UTC).isoformat(),
            "datacontenttype": "application/json",
            "partitionkey": row["case_id"],
            "sequence": sequence,
            "correlationid": row["task"],
            "causationid": row["cause"],
            **self._book.trace(self.code, row["case_id"], row["cause"]),
            "data": json.loads(row["data"]),
        }
        return json.dumps(envelope, ensure_ascii=False).encode()

    async def _send(self, row: Any) -> None:
        stream = f"a:{row['lane']}"
        if self._ways.has("garble"):
            await self._redis.xadd(stream, {"e": self._garbled(row["body"])})
        added: Any = await self._redis.xadd(stream, {"e": row["body"]})
        if self._ways.has("twice"):
            await self._redis.xadd(stream, {"e": row["body"]})
        self._book.mark_sent(row["n"], added.decode(), time.time())

    def _garbled(self, body: bytes) -> bytes:
        return self._chance.choice([body[: len(body) // 2], b"<xml/>", body.replace(b'"sequence": ', b'"sequence": -'), b"\xff\x00"])

    async def _send_again(self) -> None:
        """What the town has not confirmed for long and is no longer in the stream was lost with Redis."""
        for row in self._book.unconfirmed(self.code, time.time() - self._resend):
            there: Any = await self._redis.xrange(f"a:{row['lane']}", row["stream_id"], row["stream_id"])
            if not any(fields.get(b"e") == row["body"] for _, fields in there):
                logger.info("%s sends %s again", self.code, row["kind"])
                await self._send(row)
