"""What a benchmark says, and how two things are compared fairly."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """One line: `ratio` is value against baseline from the same run, `holds` whether it meets the target (None where there is none)."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    target: float | None = None
    holds: bool | None = None
    database: str | None = None


def compare(
    name: str,
    unit: str,
    ours: Callable[[], float],
    theirs: Callable[[], float] | None,
    *,
    rounds: int,
    target: float | None = None,
    database: str | None = None,
) -> Result:
    """Medians of alternating rounds: what disturbs the machine for a while disturbs both. The first round of each warms up."""
    rates: list[tuple[float, float]] = []
    for _ in range(rounds + 1):
        baseline = theirs() if theirs else 0.0
        rates.append((ours(), baseline))
    counted = rates[1:]
    value = round(statistics.median(rate for rate, _ in counted))
    if theirs is None:
        return Result(name, value, unit, database=database)
    ratio = round(statistics.median(rate / baseline for rate, baseline in counted), 3)
    baseline = round(statistics.median(baseline for _, baseline in counted))
    return Result(name, value, unit, baseline, ratio, target, ratio >= target if target else None, database)
