"""What the application carries for its views; values are set by the composition root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from mobile_api.web.operation import Route

if TYPE_CHECKING:
    from handlers.office import Office

OFFICE: web.AppKey[Office] = web.AppKey("office")
ROUTES: web.AppKey[tuple[Route, ...]] = web.AppKey("routes", tuple)
