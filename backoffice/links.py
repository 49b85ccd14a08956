"""When a department is left in peace: a link that fails again and again rests, is tried with one message, and at last waits for an officer.

The state is a row, so every process knows it and a restart keeps it. A resting link costs nothing, and delays nobody else.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, replace

from backoffice.outage import jitter
from storage import links
from storage.clock import Clock
from storage.database import Database
from storage.links import Link

logger = logging.getLogger("backoffice")

_MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Patience:
    """Failures in a row after which a link rests; seconds of its first and its longest rest; hours after which it is paused."""

    failures: int = 5
    first_rest: float = 5.0
    longest_rest: float = 600.0
    give_up_hours: float = 24.0


class Breaker:
    """One department's link, as whoever talks to the department sees it: `look` before, `succeeded` or `failed` after."""

    def __init__(self, database: Database, clock: Clock, department: str, patience: Patience | None = None) -> None:
        self.link = Link(department)
        self._database = database
        self._clock = clock
        self._patience = patience or Patience()

    async def look(self) -> Link:
        """How the link stands now."""
        self.link = await links.read(self._database, self.link.department)
        return self.link

    @property
    def is_closed(self) -> bool:
        """Whether everything may be sent, as far as is known here."""
        return self.link.state == "working"

    @property
    def rests_for(self) -> float | None:
        """Seconds for which nothing may be sent; 0 when one message may be tried, None when an officer must decide first."""
        if self.link.state == "paused":
            return None
        until = self.link.rests_until_at
        return max(0.0, (until - self._clock.now()).total_seconds()) if until else 0.0

    async def succeeded(self) -> None:
        """Something was taken. Written only if it says something new: after a failure, or once a minute."""
        now, link = self._clock.now(), self.link
        if link.failures == 0 and link.state == "working" and link.heard_at and now - link.heard_at < _MINUTE:
            return
        await links.succeeded(self._database, link.department, now)
        if link.state == "resting":
            logger.warning("department %s can be reached again; what waited is being sent", link.department)
            await self.look()
        else:
            self.link = replace(link, failures=0, failing_since_at=None, heard_at=now)

    async def failed(self, reason: str, asked_to_wait: float | None = None) -> None:
        """Something failed; `asked_to_wait` is the department's own wish in seconds."""
        now = self._clock.now()
        link = await links.failed(self._database, self.link.department, reason, now)
        since = link.failing_since_at or now
        if now - since >= dt.timedelta(hours=self._patience.give_up_hours):
            await self.pause(f"连续 {self._patience.give_up_hours:g} 小时无法投递，已暂停：{reason}")
        elif asked_to_wait is not None or link.failures >= self._patience.failures:
            seconds = self._rest(link) if asked_to_wait is None else asked_to_wait
            await links.rest(self._database, link.department, now + dt.timedelta(seconds=seconds), now)
            if link.state == "working":
                logger.warning(
                    "department %s cannot be reached (%s); its link rests and is tried from time to time", link.department, reason
                )
        await self.look()

    async def pause(self, reason: str) -> None:
        """Stop until an officer wakes the link."""
        async with self._database.transaction() as tx:
            is_news = await links.pause(tx, self.link.department, reason, self._clock.now())
        if is_news:
            logger.error(
                "the link of department %s is paused: %s; when it is mended, run `mobile-api exchange wake %s`",
                self.link.department, reason, self.link.department,
            )  # fmt: skip
        await self.look()

    def _rest(self, link: Link) -> float:
        return jitter(max(0, link.failures - self._patience.failures), self._patience.first_rest, self._patience.longest_rest)
