"""Templates and what every page knows."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web

from mobile_api.pages.session import anybodys_values, page_values
from mobile_api.pages.words import FILTERS, plain

HERE = Path(__file__).parent
STATIC = HERE / "static"


def prepare(app: web.Application) -> None:
    """Load the templates; a name that is missing in one is an error and not an empty place."""
    loader = jinja2.FileSystemLoader(HERE / "templates")
    environment = aiohttp_jinja2.setup(
        app, loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, enable_async=True, finalize=plain
    )
    environment.filters.update(FILTERS)
    environment.globals["asset"] = asset


async def page(request: web.Request, template: str, status: int = 200, **values: object) -> web.Response:
    """A page made from a template and values."""
    known = await page_values(request) if status < web.HTTPInternalServerError.status_code else anybodys_values(request)
    response: web.Response = await aiohttp_jinja2.render_template_async(template, request, {**known, **values}, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


@cache
def asset(name: str) -> str:
    """The address of a static file, which changes when the file does."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / 'pages' / name).read_bytes()).hexdigest()[:12]}"
