"""The figures of this process, and what it looks up when asked, for Prometheus to fetch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from mobile_api.web.observations import settle

Reading = Callable[[], Awaitable[Iterable[Metric]]]

READINGS: web.AppKey[tuple[Reading, ...]] = web.AppKey("readings", tuple)
"""Figures that do not lie in this process's memory: looked up when somebody fetches, so each must know how to be cheap."""


class _Looked(Collector):
    """Figures that have just been looked up."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """What Prometheus is told."""
        yield from self._metrics


async def metrics(request: web.Request) -> web.Response:
    """The view of `GET /metrics`."""
    settle()
    body = generate_latest()
    for read in request.app.get(READINGS, ()):
        body += generate_latest(_Looked(await read()))
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
