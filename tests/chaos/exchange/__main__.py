"""The fault machine by hand: `./run chaos --minutes 10`. Every run prints one line; the exit code is 1 when a promise broke."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.chaos.exchange.machine import run
from tests.chaos.exchange.plan import Plan, draw
from tests.chaos.exchange.worker import CONTROLS

_RUN_SECONDS = 45.0
_FURTHEST = 60.0


def main() -> int:
    """Run seeds one after the other, on each database in turn, until the time is over."""
    parser = argparse.ArgumentParser(prog="./run chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long new runs are begun")
    parser.add_argument("--seed", type=int, help="the first seed; the next run takes the next number")
    parser.add_argument("--database", choices=["sqlite", "postgres"], help="only this one; without it both in turn")
    parser.add_argument("--seconds", type=float, default=_RUN_SECONDS, help="how long faults strike in one run")
    parser.add_argument("--clock", type=float, default=_FURTHEST, help="how wrong a clock may be set, in seconds")
    parser.add_argument("--control", choices=CONTROLS, default="", help="break a promise, to see that it is noticed")
    parser.add_argument("--keep-early", action="store_true", help="departments take out of the stream what comes before its turn")
    told = parser.parse_args()
    print(f"machine: {' '.join(sys.argv[1:])}", flush=True)  # noqa: T201 - what a command is for
    held = True
    for plan in _plans(told):
        with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
            report = asyncio.run(run(plan, Path(folder)))
        print(report.text(), flush=True)  # noqa: T201
        held = held and report.held
    return 0 if held else 1


def _plans(told: argparse.Namespace) -> Iterator[Plan]:
    """Seeds upwards, until the minutes are over; at least one for each database."""
    databases = [told.database] if told.database else ["sqlite", "postgres"]
    seed = secrets.randbelow(1_000_000) if told.seed is None else told.seed
    end = time.monotonic() + told.minutes * 60
    while True:
        for database in databases:
            yield replace(draw(seed, told.seconds, database, told.clock), control=told.control, leaves_early=not told.keep_early)
        seed += 1
        if time.monotonic() >= end:
            return


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # whoever ends us, nothing of ours is left running
    sys.exit(main())
