"""`./run bench [NAME ...]`: measure, and print a JSON line for each figure, its target beside it (docs/performance.md)."""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from benchmarks import bare, capacity, clocks, consume, exchange, inbox, isolation, progress, push, relay, submit, sweep, year
from benchmarks.machine import ROOT
from benchmarks.result import Result

Measure = Callable[[], Mapping[str, object] | Iterable[Result]]

BENCHMARKS: dict[str, Measure] = {
    "bare": bare.measure,
    "progress": progress.measure,
    "submit": submit.measure,
    "push": push.measure,
    "relay": relay.measure,
    "consume": consume.measure,
    "exchange": exchange.measure,
    "isolation": isolation.measure,
    "capacity": capacity.measure,
    "year": year.measure,
    "sweep": sweep.measure,
    "inbox": inbox.measure,
    "clocks": clocks.measure,
}
_ALWAYS = {"baseline", "ratio", "target", "holds"}


def main(arguments: list[str] | None = None) -> int:
    """Run the named benchmarks, or all; the exit code is 1 if a target was missed."""
    parser = argparse.ArgumentParser(prog="./run bench", description=(__doc__ or "").partition("`: ")[2])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(BENCHMARKS)}; all if none is named")
    names = parser.parse_args(arguments).names or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}: known are {', '.join(BENCHMARKS)}")
    logging.basicConfig(level="WARNING", stream=sys.stderr)
    os.environ["PYTHONPATH"] = str(ROOT)
    return max([_print(name) for name in names])


def _print(name: str) -> int:
    missed = 0
    with _cores_as_before():
        for line in _lines(name):
            print(json.dumps(line, ensure_ascii=False), flush=True)
            missed |= line["holds"] is False
    return int(missed)


def _lines(name: str) -> Iterator[Mapping[str, object]]:
    found = BENCHMARKS[name]()
    for result in [found] if isinstance(found, Mapping) else found:
        line = dataclasses.asdict(result) if isinstance(result, Result) else dict(result)
        yield {key: value for key, value in line.items() if value is not None or key in _ALWAYS}


@contextmanager
def _cores_as_before() -> Iterator[None]:
    """A benchmark may stay on one core; the next one begins with all of them."""
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    try:
        yield
    finally:
        if before is not None:
            os.sched_setaffinity(0, before)


if __name__ == "__main__":
    sys.exit(main())
