"""A department's own system, written from the contract alone: it knows Redis, JSON and its own book, and nothing of the town's code.

`python -m tests.chaos.exchange.department --code MZ --redis PORT --book FILE --partitions 2 [--leave-early]`.
It takes in commands in the order of their numbers, answers each with one answer, confirms after its commit, and sends again what
the town has not confirmed and what is no longer in the stream.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.chaos.exchange import bound
from tests.chaos.exchange.department_book import DepartmentBook

GROUP = "g"
_RESEND_SECONDS = 1.0
_SWEEP_SECONDS = 0.5
_WAIT_MILLISECONDS = 50
_PAGE = 200


class Department:
    """One department at its end of the streams."""

    def __init__(self, code: str, port: int, book: DepartmentBook, partitions: int, *, leaves_early: bool) -> None:
        self._book = book
        self._leaves_early = leaves_early
        self._commands = {f"q:{{{code}.{n}}}".encode(): f"a:{{{code}.{n}}}" for n in range(partitions)}
        self._confirmations = f"ack:{{{code}}}"
        self._taken = f"taken:{{{code}}}".encode()
        self._redis: Any = redis.Redis(port=port, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0))
        self._next_sweep = self._next_resend = 0.0

    def work(self) -> None:
        """Work for ever, whatever becomes of Redis."""
        while True:
            try:
                self._turn()
            except redis.ResponseError as error:
                if str(error).startswith(("NOGROUP", "UNBLOCKED")):
                    self._make_groups()
                else:  # out of memory, disk full: everything waits in the book
                    time.sleep(0.1)
            except (redis.RedisError, OSError):
                time.sleep(0.1)

    def _turn(self) -> None:
        now = time.monotonic()
        if now >= self._next_sweep:
            self._sweep()
            self._next_sweep = now + _SWEEP_SECONDS
        self._take(self._redis.xreadgroup(GROUP, "one", dict.fromkeys(self._streams(), ">"), count=_PAGE, block=_WAIT_MILLISECONDS))
        self._say(self._book.unsaid(_PAGE))
        if now >= self._next_resend:
            self._say([row for row in self._book.unconfirmed(time.time() - _RESEND_SECONDS) if not self._is_there(row)])
            self._next_resend = now + _RESEND_SECONDS / 4

    def _streams(self) -> list[bytes]:
        return [*self._commands, self._taken]

    def _make_groups(self) -> None:
        for key in self._streams():
            try:
                self._redis.xgroup_create(key, GROUP, id="0", mkstream=True)
            except redis.RedisError:
                continue  # it is there already, or Redis cannot; the next turn tells

    def _sweep(self) -> None:
        """Everything pending once more: what a former life of this process left, what came before its turn."""
        for key in self._streams():
            position = b"0"
            while position:
                answer = self._redis.xreadgroup(GROUP, "one", {key: position}, count=_PAGE)
                self._take(answer)
                entries = answer[0][1] if answer else []
                position = entries[-1][0] if len(entries) == _PAGE else b""

    def _take(self, answer: Any) -> None:
        for key, entries in answer or ():
            if not entries:
                continue
            bodies = {entry_id: json.loads(fields[b"e"]) if fields else None for entry_id, fields in entries}
            done = self._heard(bodies) if key == self._taken else self._asked(key, bodies)
            if done:
                self._redis.xack(key, GROUP, *done)
                self._redis.xdel(key, *done)

    def _heard(self, bodies: dict[bytes, Any]) -> list[bytes]:
        self._book.confirm([(body["case_id"], body["sequence"]) for body in bodies.values() if body])
        return list(bodies)

    def _asked(self, key: bytes, bodies: dict[bytes, Any]) -> list[bytes]:
        """Take in what is next in its line; what was taken in before is only confirmed again, what is early waits for its turn."""
        commands = [body for body in bodies.values() if body]
        received = self._book.take(commands, self._commands[key], keep_early=not self._leaves_early)
        for case_id, sequence in received.items():
            self._redis.xadd(self._confirmations, {"e": json.dumps({"case_id": case_id, "sequence": sequence})})
        return [one for one, body in bodies.items() if not (body and self._leaves_early and _is_early(body, received))]

    def _say(self, rows: list[tuple[int, str, bytes, bytes | None]]) -> None:
        said = []
        try:
            for number, key, body, _ in rows:
                said.append((self._redis.xadd(key, {"e": body}), time.time(), number))
        finally:
            self._book.said(said)

    def _is_there(self, row: tuple[int, str, bytes, bytes | None]) -> bool:
        """Whether the stream still holds the bytes; another entry may have the id after a loss (decision record 8)."""
        _, key, body, entry_id = row
        return any(fields[b"e"] == body for _, fields in self._redis.xrange(key, entry_id, entry_id))


def _is_early(command: Any, received: dict[str, int]) -> bool:
    return bool(command["sequence"] > received[command["partitionkey"]])


def main() -> None:
    """Run one department."""
    bound.to_parent()
    parser = argparse.ArgumentParser()
    parser.add_argument("--code", required=True)
    parser.add_argument("--redis", required=True, type=int)
    parser.add_argument("--book", required=True, type=Path)
    parser.add_argument("--partitions", required=True, type=int)
    parser.add_argument("--leave-early", action="store_true")
    told = parser.parse_args()
    Department(told.code, told.redis, DepartmentBook(told.book, told.code), told.partitions, leaves_early=told.leave_early).work()


if __name__ == "__main__":
    main()
