"""Time comes from one place, so that a test can set it and no rule reads the wall clock by itself."""

from __future__ import annotations

import datetime as dt
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> dt.datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """The present moment, aware, in UTC."""
        return dt.datetime.now(dt.UTC)


class SettableClock:
    """A clock that stands still until it is moved: for tests and simulations."""

    def __init__(self, start: dt.datetime) -> None:
        self.time = start.astimezone(dt.UTC)

    def now(self) -> dt.datetime:
        """The moment it was last set to."""
        return self.time

    def advance(self, **duration: float) -> None:
        """Move on by a timedelta's keywords, e.g. `advance(days=3)`."""
        self.time += dt.timedelta(**duration)
