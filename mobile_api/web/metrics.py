"""The figures of this process, for Prometheus to fetch."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from mobile_api.web.observations import settle


async def metrics() -> web.Response:
    """The view of `GET /metrics`."""
    settle()
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
