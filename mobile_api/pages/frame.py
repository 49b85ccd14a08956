"""Addresses and rendering of the pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web

from handlers.errors import REFUSALS, Refused
from handlers.limits import LOCAL
from mobile_api.pages.session import NeedsLogin, page_values

HERE = Path(__file__).parent
STATIC = HERE / "static"

TASK_STATES = {
    "waiting": "待前序环节",
    "requested": "已送达，待办理",
    "in_progress": "办理中",
    "correction": "待申请人补正",
    "suspended": "特别程序中",
    "done": "已办",
    "void": "已取消",
}
TASK_RESULTS = {
    None: "",
    "agreed": "同意",
    "disagreed": "不同意",
    "accepted": "受理",
    "not_accepted": "不予受理",
    "granted": "准予",
    "refused": "不予批准",
}

PageView = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Page:
    """One address of a page; `staff` says whether a log-in is needed."""

    method: str
    path: str
    view: PageView
    staff: bool


def install(app: web.Application, pages: list[Page]) -> None:
    """Serve the pages and their static files."""
    loader = jinja2.FileSystemLoader(HERE / "templates")
    aiohttp_jinja2.setup(app, loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, enable_async=True)
    aiohttp_jinja2.get_env(app).filters.update(moment=moment, task_state=TASK_STATES.get, task_result=TASK_RESULTS.get)
    for page in pages:
        app.router.add_route(page.method, page.path, _guarded(page))
    app.router.add_static("/static/", STATIC / "pages")
    residents = STATIC / "m"
    residents.mkdir(exist_ok=True)
    app.router.add_static("/m/", residents)


def moment(time: dt.datetime | None) -> str:
    """A time as people in town read it."""
    return f"{time.astimezone(LOCAL):%Y-%m-%d %H:%M}" if time is not None else "—"


def _guarded(page: Page) -> PageView:
    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            return await page.view(request)
        except NeedsLogin:
            raise web.HTTPSeeOther(f"/login?next={request.path}" if request.method == "GET" else "/login") from None
        except Refused as refused:
            return await show_refusal(request, refused)

    return serve


async def show_refusal(request: web.Request, refused: Refused) -> web.Response:
    """A refusal as a page: what is wrong, what to do, and the way back."""
    refusal = REFUSALS[refused.code]
    values = {"title": refusal.title, "detail": refusal.detail.format_map(_Gaps(refused.values)), "errors": refused.errors}
    return await page(request, "refusal.html", status=refusal.status, **values)


async def page(request: web.Request, template: str, status: int = 200, **values: object) -> web.Response:
    """A page made from a template and values."""
    response: web.Response = await aiohttp_jinja2.render_template_async(
        template, request, {**await page_values(request), **values}, status=status
    )
    response.headers["Cache-Control"] = "no-store"
    return response


class _Gaps(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return ""
