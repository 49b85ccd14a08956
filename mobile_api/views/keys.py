"""The town's public keys, for departments beyond the inner network."""

from __future__ import annotations

import msgspec
from aiohttp import hdrs, web

from backoffice.border import BorderKeys
from handlers.office import Office

_MINUTES = 5


async def jwks(office: Office) -> web.Response:
    """Every border key, newest first (RFC 7517): "sig" ones check what the town signs, "enc" ones encrypt what only it may read."""
    body = msgspec.json.encode(BorderKeys(office.keys.border).jwks())
    headers = {hdrs.CACHE_CONTROL: f"public, max-age={_MINUTES * 60}"}
    return web.Response(body=body, content_type="application/jwk-set+json", headers=headers)
