"""Refusals as pages: what is wrong, what to do, and the way on. Programs keep getting problems (RFC 9457)."""

from __future__ import annotations

import errno
import logging
import re

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from handlers.errors import Refused
from handlers.refusals import REFUSALS
from mobile_api.pages.rendering import page
from mobile_api.web.problems import refusal_of
from mobile_api.web.trace import current_trace

_LOGGER = logging.getLogger(__name__)
_SLASHED = re.compile(r"(/[\w-]+)+/")  # as people type it; never what a browser takes for another site
_CASE_PAGE = re.compile(r"/desk/cases/[\w-]+")


@web.middleware
async def in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Addresses that do not exist, for people who look at them with a browser."""
    try:
        return await _served(request, handler)
    except web.HTTPException as error:
        if error.status < web.HTTPBadRequest.status_code or not wants_page(request):
            raise
        if error.status == web.HTTPNotFound.status_code and _SLASHED.fullmatch(request.path):
            raise web.HTTPSeeOther(request.path.rstrip("/")) from None
        return await show_refusal(request, refusal_of(error))


async def _served(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The answer; a static file whose name no file can have is not found, which aiohttp leaves to the operating system."""
    try:
        return await handler(request)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise web.HTTPNotFound from None


def wants_page(request: web.Request) -> bool:
    """Whether a person asks: a browser, and not for the API."""
    return "text/html" in request.headers.get(hdrs.ACCEPT, "") and not request.path.startswith("/api/")


async def show_refusal(request: web.Request, refused: Refused) -> web.Response:
    """A refusal as a page; it leads back to the case if it came from one."""
    refusal = REFUSALS[refused.code]
    trace = current_trace()
    response = await page(
        request,
        "refusal.html",
        status=refusal.status,
        title=refusal.title,
        detail=detail_of(refused),
        errors=refused.errors,
        back=request.path if request.method == hdrs.METH_POST and _CASE_PAGE.fullmatch(request.path) else "",
        trace_id=trace.trace_id if trace is not None and refusal.status >= web.HTTPInternalServerError.status_code else "",
    )
    if "retry_after" in refused.values:
        response.headers[hdrs.RETRY_AFTER] = str(refused.values["retry_after"])
    return response


def detail_of(refused: Refused) -> str:
    """What to do about it."""
    return REFUSALS[refused.code].detail.format_map(_Gaps(refused.values))


def refusal_for(error: Exception) -> Refused:
    """What people are told of an error of ours; it goes to the log whole."""
    _LOGGER.error("unexpected error", exc_info=error)
    return Refused("unavailable" if isinstance(error, ConnectionError) else "internal")


class _Gaps(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return ""
