"""The WeChat platform's message push: checked, kept once, answered at once; the work is done later."""

from __future__ import annotations

import logging

from aiohttp import web

from handlers import subscriptions
from handlers.errors import Refused
from handlers.office import Office
from notifications.channels.wechat_callback import MAX_BYTES, Callback, Forged

log = logging.getLogger(__name__)


async def check(request: web.Request, callback: Callback) -> web.Response:
    """The platform's check of this address: `echostr` and nothing else, as plain text."""
    try:
        return web.Response(text=callback.echo(request.query), content_type="text/plain")
    except Forged:
        raise Refused("forbidden") from None


async def receive(request: web.Request, office: Office, callback: Callback) -> web.Response:
    """One event or message; a repeat is answered like the first, or the platform would show an error to the resident."""
    body = await _body(request)
    try:
        event = callback.open(request.query, body)
    except Forged as forged:
        log.warning("a WeChat callback was refused: %s", forged)
        raise Refused("forbidden") from None
    await subscriptions.receive(office, event)
    return web.Response(text="success", content_type="text/plain")


async def _body(request: web.Request) -> bytes:
    """The body, as long as it is within bounds; raises Refused("too_large")."""
    body = bytearray()
    async for chunk in request.content.iter_chunked(MAX_BYTES):
        body += chunk
        if len(body) > MAX_BYTES:
            raise Refused("too_large", {"limit": MAX_BYTES})
    return bytes(body)
