"""A clock that is wrong by as many seconds as a file says; the machine changes the file while its reader works."""

from __future__ import annotations

import datetime as dt
from pathlib import Path


class ShiftedClock:
    """The machine's time plus the offset of one process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> dt.datetime:
        """The present moment as this process believes it to be."""
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=float(self._path.read_text()))


def shift(path: Path, seconds: float) -> None:
    """Make the clock behind `path` wrong by some seconds, at once and as a whole."""
    fresh = path.with_suffix(".new")
    fresh.write_text(str(seconds))
    fresh.replace(path)
