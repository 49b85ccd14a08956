"""What is noted of each answered request; log and figures are made of many at once, after the answers have gone out."""

from __future__ import annotations

import asyncio
import time
from http import HTTPMethod

from mobile_api.web.figures import REQUESTS
from mobile_api.web.logs import RequestLine, log_requests, moment
from mobile_api.web.trace import Trace

_METHODS = frozenset(HTTPMethod)
_DELAY = 0.02  # seconds that a line may wait for others

_noted: list[tuple[str, str, str, str, str, int, float, float]] = []
_waiting: asyncio.AbstractEventLoop | None = None


def note(trace: Trace, method: str, status: int, seconds: float) -> None:
    """Note an answered request."""
    global _waiting  # noqa: PLW0603 - one list a process, as there is one log and one set of figures
    loop = asyncio.get_running_loop()
    if _waiting is not loop:
        _waiting = loop
        loop.call_later(_DELAY, settle)
    # texts and numbers only: to keep the trace would keep the request
    _noted.append((trace.id, trace.trace_id, trace.route, trace.account, method, status, seconds, time.time()))


def settle() -> None:
    """Count and log what is noted."""
    global _waiting  # noqa: PLW0603
    _waiting = None
    lines = []
    for identity, trace_id, route, account, asked, status, seconds, at in _noted:
        method = asked if asked in _METHODS else "OTHER"
        REQUESTS.count(method, route, status, seconds)
        level = "info" if status < 500 else "error"  # noqa: PLR2004 - ours to mend
        lines.append(RequestLine(moment(at), level, identity, trace_id, method, route, status, round(seconds * 1000, 2), account))
    _noted.clear()
    log_requests(lines)
