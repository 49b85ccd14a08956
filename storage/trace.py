"""The trace that this task's work belongs to (W3C Trace Context): from a request through messages to departments and back to the phone.

It lies in storage because rows carry it on: an outbox message and a notification know what they were caused by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from random import getrandbits

HEADER = "traceparent"
"""The name of the HTTP header and of the envelope's attribute."""

_FORM = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?")
_KNOWN_FLAGS = 0b11  # sampled, random trace id; others must not be passed on (W3C Trace Context, 3.2.2.5)


class Trace:
    """One trace: carried on from the `traceparent` that came with the work, or, where none or a broken one came, begun here."""

    __slots__ = ("_given", "_parts")

    def __init__(self, traceparent: str | None = None) -> None:
        self._given = traceparent
        self._parts: tuple[str, str] | None = None  # read when somebody asks: most requests cause nothing

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits, the same in every process that has a part in the work."""
        return self._read()[0]

    def onward(self) -> str:
        """The `traceparent` for something that this work causes: the same trace, a span of its own."""
        trace_id, flags = self._read()
        return f"00-{trace_id}-{_random(64)}-{flags}"

    def _read(self) -> tuple[str, str]:
        if self._parts is None:
            self._parts = _parts(self._given) or (_random(128), "01")
        return self._parts


_CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current() -> Trace | None:
    """The trace of the work at hand; None where nothing was begun."""
    return _CURRENT.get()


def begin(trace: Trace) -> None:
    """Make a trace the current one for the rest of this task."""
    _CURRENT.set(trace)


@contextmanager
def carried(traceparent: str | None) -> Iterator[Trace]:
    """Work on behalf of what came with this `traceparent`; the former trace is the current one again afterwards."""
    trace = Trace(traceparent)
    token = _CURRENT.set(trace)
    try:
        yield trace
    finally:
        _CURRENT.reset(token)


def onward() -> str:
    """The `traceparent` for something that the work at hand causes; a new trace where there is none."""
    return (_CURRENT.get() or Trace()).onward()


def _random(bits: int) -> str:
    """Hexadecimal digits; these ids guard nothing, and every request needs one. Never all noughts, which would be no id."""
    return f"{getrandbits(bits) or 1:0{bits // 4}x}"


def _parts(traceparent: str | None) -> tuple[str, str] | None:
    """Trace id and flags; later versions may be longer but begin alike (W3C Trace Context, 4.3)."""
    found = _FORM.fullmatch(traceparent) if traceparent else None
    if found is None or (found[1] == "00" and found[4]):
        return None
    return found[2], f"{int(found[3], 16) & _KNOWN_FLAGS:02x}"
