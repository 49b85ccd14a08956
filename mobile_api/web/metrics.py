"""Figures of the running server for Prometheus: requests by route and status, and how long they took."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

_REQUESTS = Counter("mobile_api_requests", "Requests answered.", ["method", "route", "status"])
_SECONDS = Histogram(
    "mobile_api_request_seconds",
    "Seconds from the head of a request to its answer.",
    ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)

_counters: dict[tuple[str, str, int], Counter] = {}
_histograms: dict[tuple[str, str], Histogram] = {}


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request; the labels are looked up once each."""
    counter = _counters.get((method, route, status))
    if counter is None:
        counter = _counters[method, route, status] = _REQUESTS.labels(method, route, str(status))
        _histograms.setdefault((method, route), _SECONDS.labels(method, route))
    counter.inc()
    _histograms[method, route].observe(seconds)


async def metrics() -> web.Response:
    """The view of `GET /metrics`."""
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
