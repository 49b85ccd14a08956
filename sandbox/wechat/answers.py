"""The platform's manners: everything is HTTP 200, JSON often calls itself text/plain, errors end in a request id."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import web


class Refusal(Exception):
    """The platform refuses a call with an error code."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(f"{errcode} {errmsg}")
        self.errcode = errcode
        self.errmsg = errmsg

    def response(self) -> web.Response:
        """The refusal as it is sent: HTTP 200, text/plain, with a request id at the end."""
        rid = "-".join(secrets.token_hex(4) for _ in range(3))
        return as_text({"errcode": self.errcode, "errmsg": f"{self.errmsg} rid: {rid}"})


def as_text(body: Mapping[str, Any]) -> web.Response:
    """JSON that calls itself text/plain, as /sns and most of /cgi-bin do."""
    return web.Response(body=json.dumps(body, ensure_ascii=False).encode(), content_type="text/plain", charset="utf-8")


def as_json(body: Any) -> web.Response:
    """JSON that says so: the sandbox's own addresses and the newer calls."""
    return web.Response(body=json.dumps(body, ensure_ascii=False).encode(), content_type="application/json", charset="utf-8")


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request; raises Refusal 47001."""
    try:
        body = json.loads(await request.text())
    except ValueError:
        raise Refusal(47001, "data format error") from None
    if not isinstance(body, dict):
        raise Refusal(47001, "data format error")
    return body
