"""Anybody checks a paper: the code of a receipt today; certificates have no codes of their own yet, and the page says so."""

from __future__ import annotations

from aiohttp import web

from handlers import codes, shortcodes
from handlers.errors import Refused
from mobile_api.pages.rendering import page
from mobile_api.pages.session import posted
from mobile_api.web.keys import OFFICE


async def show(request: web.Request) -> web.Response:
    """The page, waiting for a code."""
    return await page(request, "verify.html", problem=False)


async def check(request: web.Request) -> web.Response:
    """Look a code up; a receipt leads to what its own QR code shows, anything else is none of ours."""
    text = (await posted(request)).get("code", "")
    scanned = shortcodes.recognise(text)
    try:
        await codes.read_public(request.app[OFFICE], scanned.text)
    except Refused:
        return await page(request, "verify.html", status=404, problem=True)
    raise web.HTTPSeeOther(f"/r/{scanned.text}")
