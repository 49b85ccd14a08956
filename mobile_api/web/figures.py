"""Figures of the running server for Prometheus: requests by route and status, and how long they took.

Counted in plain lists and turned into Prometheus's own types only when somebody fetches them: the library's locks and
label look-ups cost more than the frame's other work on a request.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the buckets, in seconds."""


class _Durations:
    """How many requests of one route fell into each bucket, and their seconds in all."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0


class RequestFigures(Collector):
    """Counts answered requests; written by the event loop's thread only."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._durations: dict[tuple[str, str], _Durations] = {}

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests[method, route, status] += 1
        durations = self._durations.get((method, route))
        if durations is None:
            durations = self._durations[method, route] = _Durations()
        durations.buckets[bisect_left(BOUNDS, seconds)] += 1
        durations.seconds += seconds

    def collect(self) -> Iterator[Metric]:
        """What Prometheus is told."""
        requests = CounterMetricFamily("mobile_api_requests", "Requests answered.", labels=["method", "route", "status"])
        for (method, route, status), number in self._requests.items():
            requests.add_metric([method, route, str(status)], number)
        yield requests
        seconds = HistogramMetricFamily(
            "mobile_api_request_seconds", "Seconds from a request's head to its answer.", labels=["method", "route"]
        )
        for (method, route), durations in self._durations.items():
            seconds.add_metric([method, route], _cumulative(durations.buckets), durations.seconds)
        yield seconds


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    found, total = [], 0
    for bound, number in zip([*map(str, BOUNDS), "+Inf"], buckets, strict=True):
        total += number
        found.append((bound, float(total)))
    return found


REQUESTS = RequestFigures()
REGISTRY.register(REQUESTS)
