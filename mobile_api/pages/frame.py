"""Addresses of the pages, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import hdrs, web
from yarl import URL

from handlers.errors import Refused
from mobile_api.pages.refusals import in_words, refusal_for, show_refusal
from mobile_api.pages.rendering import STATIC, prepare
from mobile_api.pages.session import LOGIN_PACE, NeedsLogin, check_origin
from mobile_api.web.frame import FrameOptions
from mobile_api.web.pace import Addresses, RoutePace

PageView = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Page:
    """One address of a page."""

    method: str
    path: str
    view: PageView


def install(app: web.Application, pages: list[Page], options: FrameOptions | None = None) -> None:
    """Serve the pages and their static files; `options` of the API's frame say how often an address may try to log in."""
    options = options or FrameOptions()
    app[LOGIN_PACE] = RoutePace("login", options.paces["login"], options.pace_keeper, Addresses(options.trusted_proxies))
    prepare(app)
    app.middlewares.append(in_words)
    for page in pages:
        app.router.add_route(page.method, page.path, _guarded(page))
    app.router.add_static("/static/", STATIC / "pages")
    residents = STATIC / "m"
    residents.mkdir(exist_ok=True)
    app.router.add_static("/m/", residents)


def _guarded(page: Page) -> PageView:
    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            if request.method == hdrs.METH_POST:
                check_origin(request)
            return await page.view(request)
        except NeedsLogin:
            raise web.HTTPSeeOther(URL("/login").with_query(next=request.path)) from None
        except Refused as refused:
            return await show_refusal(request, refused)
        except web.HTTPException:
            raise
        except Exception as error:
            if request.transport is None or request.transport.is_closing() or request.writer.output_size > 0:
                raise
            return await show_refusal(request, refusal_for(error))

    return serve
