"""Leases that seem never to end: a process with a clock far ahead that died would leave them nobody's for as long as it was wrong."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Collection

from storage import leases
from storage.database import Queries


class Heir:
    """Takes over what nobody has renewed for its whole length, by its own watch: a holder that lives renews, whatever its clock says."""

    def __init__(self, holder: str, seconds: float, watch: Callable[[], float] | None = None) -> None:
        self._holder = holder
        self._seconds = seconds
        self._watch = watch or asyncio.get_running_loop().time
        self._far: dict[str, tuple[leases.Term, float]] = {}

    async def inherit(self, db: Queries, names: Collection[str], now: dt.datetime) -> dict[str, int]:
        """Look at those of `names` that others hold far beyond `now`; name -> fence of what was taken over."""
        far = await leases.beyond(db, now + 2 * dt.timedelta(seconds=self._seconds))
        watch = self._watch()
        known, self._far = self._far, {}
        found: dict[str, int] = {}
        for name, term in far.items():
            if name not in names or term[0] == self._holder:
                continue
            since = known[name][1] if name in known and known[name][0] == term else watch
            self._far[name] = term, since
            if watch - since >= self._seconds:
                fence = await leases.inherit(db, name, self._holder, term, now, self._seconds)
                found |= {name: fence} if fence else {}
        return found
