"""Faults on request: error codes, slowness, cut connections, nonsense, a platform that is down."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.wechat.answers import Refusal

ERRMSG = {
    "40001": "invalid credential, access_token is invalid or not latest",
    "-1": "system error",
    "45009": "reach max api daily quota limit",
    "45011": "api minute-quota reach limit, must slower, retry next minute",
}
KINDS = (*ERRMSG, "slow", "cut", "cut_after", "nonsense", "5xx", "down")


@dataclass
class Fault:
    """One fault: how often (0 = until it is taken away), at which paths, with which chance."""

    kind: str
    times: int = 0
    path: str = "/"
    seconds: float = 30.0
    rate: float = 1.0
    hits: int = 0


@dataclass
class Faults:
    """The faults in force, in the order they were asked for."""

    active: list[Fault] = field(default_factory=list)

    def add(self, wish: dict[str, Any]) -> Fault:
        """A fault from a request's body; raises ValueError that lists the kinds."""
        if str(wish.get("kind")) not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}")
        fault = Fault(
            kind=str(wish["kind"]),
            times=int(wish.get("times", 0)),
            path=str(wish.get("path", "/")),
            seconds=float(wish.get("seconds", 30.0)),
            rate=float(wish.get("rate", 1.0)),
        )
        self.active.append(fault)
        return fault

    def strike(self, path: str) -> Fault | None:
        """The fault that this call meets, counted."""
        for fault in self.active:
            if path.startswith(fault.path) and random.random() < fault.rate:
                fault.hits += 1
                if fault.times and fault.hits >= fault.times:
                    self.active.remove(fault)
                return fault
        return None


async def suffer(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a call as the fault will have it."""
    if fault.kind in ERRMSG:
        return Refusal(int(fault.kind), ERRMSG[fault.kind]).response()
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
        return await handler(request)
    if fault.kind == "nonsense":
        return web.Response(text="<html><body>502 Bad Gateway</body></html>", content_type="text/html")
    if fault.kind == "5xx":
        return web.Response(status=502, text="Bad Gateway")
    if fault.kind == "cut_after":
        await handler(request)
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
