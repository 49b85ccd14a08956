"""What departments confirm: cumulative per case, so that the last of many says it all, and a repeated one changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from backoffice.counts import Counts
from backoffice.envelope import LARGEST, BadEnvelope, confirmation
from storage import inbox, outbox
from storage.clock import Clock
from storage.database import Database
from storage.sealing import Sealer
from storage.streams import Entry


class Confirmations:
    """Takes in the confirmations of one department."""

    def __init__(self, database: Database, clock: Clock, department: str, counts: Counts, sealer: Sealer | None = None) -> None:
        self._database = database
        self._clock = clock
        self._department = department
        self._counts = counts
        self._sealer = sealer

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
        # What was meant for another stream may lie here, so it is kept as carefully as an answer.
        digest = hashlib.sha256(entry.body).hexdigest()
        fresh = await inbox.set_aside(
            self._database,
            department=self._department,
            kind="poison",
            message_id=digest,
            reason=bad.reason,
            body=inbox.sealed(entry.body[:LARGEST], self._sealer, self._department, digest),
            now=self._clock.now(),
        )
        self._counts.add("poison", self._department, int(fresh))
