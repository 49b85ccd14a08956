"""The counter: one field that takes what a scanner, a clipboard or a finger gives, and the card of the case."""

from __future__ import annotations

from aiohttp import web

from handlers import codes
from handlers.errors import REFUSALS, Refused
from mobile_api.pages.frame import page
from mobile_api.pages.session import officer, submitted
from mobile_api.web.keys import OFFICE


async def show(request: web.Request) -> web.StreamResponse:
    """The counter, waiting for a code."""
    await officer(request)
    return await page(request, "hall.html", found=None, problem="")


async def scan(request: web.Request) -> web.StreamResponse:
    """Look a code up; it is sent in the body, so that it stays out of addresses and logs."""
    clerk = await officer(request)
    fields = await submitted(request)
    try:
        found = await codes.scan(request.app[OFFICE], clerk, fields.get("code", ""), "hall")
    except Refused as refused:
        refusal = REFUSALS[refused.code]
        return await page(request, "hall.html", status=refusal.status, found=None, problem=f"{refusal.title}：{refusal.detail}")
    return await page(request, "hall.html", found=found, problem="")
