"""Pretend departments with systems of their own: `python -m sandbox.departments --redis URL --data FILE --tables config/departments`.

A foreign program: it knows the published contract and nothing of this town's code.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import signal
import tomllib
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from sandbox.department_book import Book
from sandbox.department_link import Department
from sandbox.department_ways import FAULTS, Ways

_DAY = 86400

REDIS_VARIABLE = "SANDBOX_REDIS_URL"
"""The environment variable with the address of Redis: unlike a command line, it is not for everybody on the machine to read."""


@dataclass(frozen=True, slots=True)
class Play:
    """What is played: departments (code -> name, partitions), seconds between steps, rates of faults."""

    departments: Mapping[str, tuple[str, int]]
    delay: float = 1.5
    stall: float = 3600.0
    resend: float = 30.0
    faults: Mapping[str, float] = field(default_factory=dict)
    seed: int | None = None


async def play(redis_url: str, data: Path, wanted: Play) -> None:
    """Play every department for ever."""
    book = Book(data)
    # More connections than departments, none repeated by the library: a repeated XADD would be a fault nobody asked for.
    redis = aioredis.Redis.from_url(redis_url, socket_timeout=10, retry=Retry(NoBackoff(), 0), max_connections=500, driver_info=None)
    try:
        await together(*(work for code in wanted.departments for work in _department(code, redis, book, wanted).works()))
    finally:
        await redis.aclose()
        book.close()


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Run until one breaks or this task is cancelled, then end all.

    Cancels more than once, because `asyncio.wait_for` of Python 3.11, which redis-py uses, can swallow a cancellation.
    """
    tasks = {asyncio.ensure_future(work) for work in works}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        while left := [task for task in tasks if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=0.05)


def _department(code: str, redis: aioredis.Redis, book: Book, wanted: Play) -> Department:
    name, partitions = wanted.departments[code]
    chance = random.Random(None if wanted.seed is None else f"{wanted.seed}:{code}")
    ways = Ways(name, wanted.delay, wanted.stall, wanted.faults, chance)
    return Department(code, partitions, redis, book, ways, resend=wanted.resend, chance=chance)


def from_tables(folder: Path) -> dict[str, tuple[str, int]]:
    """The departments that are connected by queue, from the town's tables: code -> (name, partitions)."""
    tables = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.toml"))]
    return {one["code"]: (one["name"], one.get("partitions", 2)) for one in tables if one.get("link", "queue") == "queue"}


def from_list(text: str) -> dict[str, tuple[str, int]]:
    """The departments named by hand: "MZ:2,GA:1"."""
    parts = [part.partition(":") for part in text.split(",") if part]
    return {code: (f"{code}部门", int(partitions or 1)) for code, _, partitions in parts}


def fault_rate(text: str) -> tuple[str, float]:
    """`garble=0.1`, as argparse reads it: a fault and how often it happens, always without a rate."""
    name, _, rate = text.partition("=")
    if name not in FAULTS:
        raise argparse.ArgumentTypeError(f"no fault {name!r}; there are {', '.join(FAULTS)}")
    try:
        found = float(rate or 1)
    except ValueError:
        found = -1
    if not 0 <= found <= 1:
        raise argparse.ArgumentTypeError(f"{rate!r} is no rate: give one from 0 to 1, such as {name}=0.1")
    return name, found


def seconds(text: str) -> float:
    """Seconds from 0 to a day, as argparse reads them."""
    try:
        found = float(text)
    except ValueError:
        found = -1
    if not 0 <= found <= _DAY:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0 to {_DAY}")
    return found


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sandbox.departments", description=__doc__, epilog="; ".join(f"{k}: {v}" for k, v in FAULTS.items())
    )
    address = os.environ.get(REDIS_VARIABLE)
    parser.add_argument(
        "--redis", default=address, required=not address, help=f"address of the Redis that the town uses, or {REDIS_VARIABLE}"
    )
    parser.add_argument("--data", required=True, type=Path, help="file of the departments' own records")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--tables", type=Path, help="folder of the town's department tables")
    which.add_argument("--departments", help="codes and partitions, e.g. MZ:2,GA:2")
    parser.add_argument("--without", action="append", default=[], metavar="CODE", help="leave this department to somebody else")
    parser.add_argument("--delay", type=seconds, default=1.5, help="seconds between the steps of a department")
    parser.add_argument("--stall-seconds", type=seconds, default=3600.0, help="how long a stalling department stays silent")
    parser.add_argument("--resend-seconds", type=seconds, default=30.0, help="after how long a lost answer is sent again")
    parser.add_argument("--faults", action="append", default=[], type=fault_rate, metavar="NAME=RATE", help="may be repeated")
    parser.add_argument("--seed", type=int, help="makes the faults repeatable")
    return parser.parse_args(words)


async def _main(parsed: argparse.Namespace) -> None:
    known = from_tables(parsed.tables) if parsed.tables else from_list(parsed.departments)
    departments = {code: how for code, how in known.items() if code not in parsed.without}
    wanted = Play(departments, parsed.delay, parsed.stall_seconds, parsed.resend_seconds, dict(parsed.faults), parsed.seed)
    task = asyncio.ensure_future(play(parsed.redis, parsed.data, wanted))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    print(f"departments at work: {' '.join(departments)}", flush=True)  # noqa: T201 - tells whoever started it that it is ready
    try:
        await task
    except asyncio.CancelledError:
        return


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(_main(_arguments(None)))
