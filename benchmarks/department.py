"""A department at the other end, written from the contract alone: takes commands in, answers each once, confirms what it has.

`python -m benchmarks.department REDIS_URL CODE PARTITIONS` works until it is ended. An answer's text is the moment at which its
command came, by the clock that all processes of the machine share, in seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import sys
import time
from collections import Counter
from collections.abc import Iterator
from subprocess import PIPE, Popen
from typing import Any

import msgspec
from redis import asyncio as aioredis
from redis import exceptions

from benchmarks.machine import ROOT, cores, on_core
from mobile_api.web.server import run
from storage.ids import uuid7

GROUP, NAME, COUNT, WAIT_MS = "g", "department", 200, 1000


class Command(msgspec.Struct):
    """What the department reads of a command."""

    id: str
    subject: str
    partitionkey: str
    sequence: int
    data: dict[str, Any]


_decoder = msgspec.json.Decoder(Command)
_encoder = msgspec.json.Encoder()


@contextlib.contextmanager
def at_work(redis_url: str, code: str, partitions: int) -> Iterator[None]:
    """The department's own program, on the core of database and Redis."""
    command = [sys.executable, "-m", "benchmarks.department", redis_url, code, str(partitions)]
    with on_core(cores()[1]), Popen(command, cwd=ROOT, stdout=PIPE) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            process.stdout.readline()
            with on_core(cores()[0]):
                yield
        finally:
            process.terminate()


class Department:
    """The department's system."""

    def __init__(self, redis: aioredis.Redis, code: str) -> None:
        self._redis = redis
        self._code = code
        self._said: Counter[str] = Counter()

    async def work(self, partitions: int) -> None:
        """Serve every lane, for ever."""
        lanes = [(f"q:{{{self._code}.{n}}}", f"a:{{{self._code}.{n}}}") for n in range(partitions)]
        taken = f"taken:{{{self._code}}}"
        for key in [taken, *(commands for commands, _ in lanes)]:
            await self._join(key)
        print("ready", flush=True)
        await asyncio.gather(self._forget(taken), *(self._serve(*lane) for lane in lanes))

    async def _serve(self, commands: str, answers: str) -> None:
        while True:
            entries = await self._read(commands)
            if entries:
                await self._take(commands, answers, entries)

    async def _take(self, commands: str, answers: str, entries: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
        now, moment = dt.datetime.now(dt.UTC), time.perf_counter()
        found = [_decoder.decode(fields[b"e"]) for _, fields in entries]
        last = {command.partitionkey: command.sequence for command in found}
        async with self._redis.pipeline(transaction=False) as pipe:
            for command in found:
                pipe.xadd(answers, {b"e": self._answer(command, now, moment)})
            for case_id, sequence in last.items():
                pipe.xadd(f"ack:{{{self._code}}}", {b"e": _encoder.encode({"case_id": case_id, "sequence": sequence})})
            pipe.xack(commands, GROUP, *(entry_id for entry_id, _ in entries))
            pipe.xdel(commands, *(entry_id for entry_id, _ in entries))
            await pipe.execute()

    def _answer(self, command: Command, now: dt.datetime, moment: float) -> bytes:
        self._said[command.partitionkey] += 1
        return progressed(
            self._code, command.partitionkey, command.subject, self._said[command.partitionkey], now, command.data, f"{moment:.6f}"
        )

    async def _forget(self, taken: str) -> None:
        """The office's confirmations: nothing is ever sent again here, so they only have to go."""
        while True:
            if entries := await self._read(taken):
                await self._redis.xdel(taken, *(entry_id for entry_id, _ in entries))

    async def _read(self, key: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
        found: Any = await self._redis.xreadgroup(GROUP, NAME, {key: ">"}, count=COUNT, block=WAIT_MS)
        pairs = found.items() if isinstance(found, dict) else found or ()
        return [entry for _, entries in pairs for entry in (entries[0] if entries and isinstance(entries[0], list) else entries)]

    async def _join(self, key: str) -> None:
        with contextlib.suppress(exceptions.ResponseError):
            await self._redis.xgroup_create(key, GROUP, id="0", mkstream=True)


def progressed(code: str, case_id: str, subject: str, sequence: int, now: dt.datetime, data: dict[str, Any], text: str) -> bytes:
    """An answer about a case: the department's `sequence`th, `subject` case/<number>, `data` with the command's case and task."""
    envelope = {
        "specversion": "1.0",
        "id": uuid7(),
        "source": f"/departments/{code}",
        "type": "cn.gov.town.task.progressed.v1",
        "subject": subject,
        "time": now,
        "datacontenttype": "application/json",
        "partitionkey": case_id,
        "sequence": sequence,
        "data": {"case": data["case"], "task": data["task"], "text": text},
    }
    return _encoder.encode(envelope)


async def _main(url: str, code: str, partitions: int) -> None:
    async with aioredis.Redis.from_url(url) as redis:
        await Department(redis, code).work(partitions)


if __name__ == "__main__":
    run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
