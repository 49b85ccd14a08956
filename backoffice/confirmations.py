"""What departments confirm: cumulative per case, so that the last of many says it all, and a repeated one changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from backoffice.counts import Counts
from backoffice.envelope import BadEnvelope, confirmation
from storage import inbox, outbox
from storage.clock import Clock
from storage.database import Database
from storage.streams import Entry


class Confirmations:
    """Takes in the confirmations of one department."""

    def __init__(self, database: Database, clock: Clock, department: str, counts: Counts) -> None:
        self._database = database
        self._clock = clock
        self._department = department
        self._counts = counts

    def begin_again(self) -> None:
        """Nothing is kept between batches."""

    async def take(self, entries: Sequence[Entry]) -> list[str]:
        """Settle what is confirmed; every entry is done with."""
        taken: dict[str, int] = {}
        for entry in entries:
            try:
                found = confirmation(entry.body)
            except BadEnvelope as bad:
                await self._poison(entry, bad)
                continue
            taken[found.case_id] = max(found.sequence, taken.get(found.case_id, 0))
        await outbox.confirm(self._database, self._department, taken, self._clock.now())
        self._counts.add("confirmed", self._department, len(taken))
        return [entry.id for entry in entries]

    async def _poison(self, entry: Entry, bad: BadEnvelope) -> None:
        if entry.body is None:
            return
        await inbox.set_aside(
            self._database,
            department=self._department,
            kind="poison",
            message_id=hashlib.sha256(entry.body).hexdigest(),
            reason=bad.reason,
            body=entry.body[:1000],
            now=self._clock.now(),
        )
        self._counts.add("poison", self._department)
