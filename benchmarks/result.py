"""What a benchmark says, and how two things are compared fairly."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.load import Round


@dataclass(frozen=True, slots=True)
class Result:
    """One line: `ratio` is value against baseline from the same run, `holds` whether it meets the target (None where there is none).

    `cpu_us` and `baseline_cpu_us` are the CPU time of the two servers for one answer, in microseconds: on a machine that has other
    work to do they say more than the rates.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    target: float | None = None
    holds: bool | None = None
    database: str | None = None
    cpu_us: int | None = None
    baseline_cpu_us: int | None = None
    p50: float | None = None
    samples: int | None = None


def compare(
    name: str,
    unit: str,
    ours: Callable[[], Round],
    theirs: Callable[[], Round] | None,
    *,
    rounds: int,
    target: float | None = None,
    database: str | None = None,
) -> Result:
    """Medians of alternating rounds: what disturbs the machine for a while disturbs both. The first round of each warms up."""
    pairs = [(theirs() if theirs else None, ours()) for _ in range(rounds + 1)][1:]
    mine = [own for _, own in pairs]
    other = [baseline for baseline, _ in pairs if baseline is not None]
    value, cpu_us = round(statistics.median(one.rate for one in mine)), _cpu(mine)
    if not other:
        return Result(name, value, unit, database=database, cpu_us=cpu_us)
    ratio = round(statistics.median(own.rate / baseline.rate for own, baseline in zip(mine, other, strict=True)), 3)
    baseline = round(statistics.median(one.rate for one in other))
    return Result(name, value, unit, baseline, ratio, target, ratio >= target if target else None, database, cpu_us, _cpu(other))


def _cpu(rounds: list[Round]) -> int | None:
    return round(statistics.median(one.cpu_us for one in rounds)) or None
