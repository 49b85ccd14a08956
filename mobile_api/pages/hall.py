"""The counter: one field that takes what a scanner, a camera, a clipboard or a finger gives, and the cards of the cases."""

from __future__ import annotations

from aiohttp import web

from handlers import codes
from handlers.access import Officer
from handlers.errors import Refused
from handlers.refusals import REFUSALS
from mobile_api.pages.refusals import detail_of
from mobile_api.pages.rendering import page
from mobile_api.pages.session import officer, scans, submitted
from mobile_api.web.keys import OFFICE


async def show(request: web.Request) -> web.StreamResponse:
    """The counter, waiting for a code."""
    _check(await officer(request))
    return await page(request, "hall.html", found=None, problem=None)


async def scan(request: web.Request) -> web.StreamResponse:
    """Look a code up; it is sent in the body, so that it stays out of addresses and logs."""
    clerk = await officer(request)
    _check(clerk)
    fields = await submitted(request)
    try:
        found = await codes.scan(request.app[OFFICE], clerk, fields.get("code", ""), "hall")
    except Refused as refused:
        refusal = REFUSALS[refused.code]
        problem = {"title": refusal.title, "detail": detail_of(refused)}
        return await page(request, "hall.html", status=refusal.status, found=None, problem=problem)
    return await page(request, "hall.html", found=found, problem=None)


def _check(officer: Officer) -> None:
    if not scans(officer.role):
        raise Refused("forbidden")
