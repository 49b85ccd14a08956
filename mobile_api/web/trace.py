"""One id per request: taken from the caller or made here, answered, logged; and the trace it belongs to (see storage/trace.py)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count

from multidict import istr

from storage import trace
from storage.ids import uuid7

REQUEST_ID = istr("X-Request-Id")

_TRACEPARENT = istr(trace.HEADER)
_PREFIX, _NUMBERS = uuid7()[:24], count(1)
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Trace(trace.Trace):
    """The request that is being worked on: `id` is its X-Request-Id; `route` and `account` are filled in on its way, for the log."""

    __slots__ = ("account", "id", "route")

    def __init__(self, identity: str, traceparent: str | None) -> None:
        super().__init__(traceparent)
        self.id = identity
        self.route = ""
        self.account = ""


def current_trace() -> Trace | None:
    """The trace of the request this task works for; None outside of one."""
    found = trace.current()
    return found if isinstance(found, Trace) else None


def begin_trace(headers: Mapping[str, str]) -> Trace:
    """Start the trace of a request from its headers and make it the current one of this task."""
    identity = headers.get(REQUEST_ID)
    if identity is None or not _SANE_ID.fullmatch(identity):
        identity = _new_id()
    begun = Trace(identity, headers.get(_TRACEPARENT))
    trace.begin(begun)
    return begun


def _new_id() -> str:
    # the UUID of this process with the last 48 bits counted: a tenth of the price of a new one
    return f"{_PREFIX}{next(_NUMBERS):012x}"
