"""One id per request: taken from the caller or made here, answered, logged, shown in problems and passed on in messages."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from itertools import count

from multidict import istr

from storage.ids import uuid7

REQUEST_ID = istr("X-Request-Id")

_PREFIX, _NUMBERS = uuid7()[:24], count(1)
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# W3C Trace Context 3.2.2: version, trace id, parent id, flags
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")


class Trace:
    """The request that is being worked on: `id` is its X-Request-Id; `route` and `account` are filled in on its way, for the log."""

    __slots__ = ("_headers", "_traceparent", "account", "id", "route")

    def __init__(self, identity: str, headers: Mapping[str, str]) -> None:
        self.id = identity
        self.route = ""
        self.account = ""
        self._headers = headers
        self._traceparent = ""

    @property
    def traceparent(self) -> str:
        """The W3C header for what this request causes: the caller's trace carried on, or one of our own."""
        if not self._traceparent:
            found = _TRACEPARENT.fullmatch(self._headers.get("traceparent", ""))
            trace, flags = found.groups() if found else (secrets.token_hex(16), "01")
            self._traceparent = f"00-{trace}-{secrets.token_hex(8)}-{flags}"
        return self._traceparent


_CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current_trace() -> Trace | None:
    """The trace of the request this task works for; None outside of one."""
    return _CURRENT.get()


def begin_trace(headers: Mapping[str, str]) -> Trace:
    """Start the trace of a request from its headers and make it the current one of this task."""
    identity = headers.get(REQUEST_ID)
    if identity is None or not _SANE_ID.fullmatch(identity):
        identity = _new_id()
    trace = Trace(identity, headers)
    _CURRENT.set(trace)
    return trace


def _new_id() -> str:
    # the UUID of this process with the last 48 bits counted: a tenth of the price of a new one
    return f"{_PREFIX}{next(_NUMBERS):012x}"
