"""Batches to a department: made from its journal, written whole, and written again until it says that it has them.

Nothing is kept twice: a batch is made anew from its row and the journal whenever it is wanted, with the same digest.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from backoffice import file_format
from backoffice.counts import Counts
from backoffice.file_attachments import Attachments
from backoffice.file_folder import Folder
from backoffice.file_format import LARGEST, MOST_ROWS, Ack, Header, Keys
from backoffice.lanes import lanes_of
from backoffice.links import Breaker, Patience
from backoffice.unopened import Opening
from handlers.catalogue import Department
from handlers.office import Office
from storage import file_batches, journal, outbox, standing
from storage.file_batches import Batch, Lease
from storage.journal import Posted

logger = logging.getLogger("backoffice")


@dataclass(frozen=True, slots=True)
class Pace:
    """How file batches go: seconds between looks, rows of a batch and seconds it waits to be full, batches on their way at once.

    `resend_seconds`: an unacknowledged batch whose file was fetched is written again. `grace_seconds`: a file that cannot be read is
    believed to be still growing for so long. Gatekeepers rest at night, so patience is longer than with a webhook.
    """

    poll_seconds: float = 1.0
    rows: int = 500
    bytes: int = LARGEST // 2
    fill_seconds: float = 5.0
    window: int = 8
    resend_seconds: float = 300.0
    grace_seconds: float = 10.0
    patience: Patience = field(default_factory=lambda: Patience(first_rest=60.0, longest_rest=3600.0, give_up_hours=7 * 24))


class Outgoing:
    """One department's batches, in the process that holds its lease."""

    def __init__(
        self,
        office: Office,
        department: Department,
        folder: Folder,
        *,
        keys: Callable[[], Awaitable[Keys]],
        lease: Callable[[], Lease | None],
        breaker: Breaker,
        counts: Counts,
        pace: Pace,
    ) -> None:
        self._office = office
        self._code = department.code
        self._lanes = lanes_of({department.code: department.partitions})
        self._folder = folder
        self._keys = keys
        self._lease = lease
        self._breaker = breaker
        self._counts = counts
        self._pace = pace
        self._attachments = Attachments(office, department.code, folder)
        self._written: dict[int, dt.datetime] = {}
        self._again: set[int] = set()
        self._waits_since: dt.datetime | None = None

    def begin_again(self) -> None:
        """Another process may have been at work: what it wrote is not known here."""
        self._written.clear()
        self._again.clear()

    async def step(self) -> None:
        """Write what is due and make what can be made, as far as the link allows."""
        if self._breaker.rests_for != 0:
            return
        await self._post()
        waiting = await file_batches.unacknowledged(self._office.database, self._code)
        is_open = self._breaker.is_closed
        for batch in waiting if is_open else waiting[:1]:
            await self._look_after(batch, is_oldest=batch is waiting[0])
        if is_open or not waiting:
            while await self._make(waiting) and is_open:
                waiting = await file_batches.unacknowledged(self._office.database, self._code)

    async def _post(self) -> None:
        """Give what is new its place in the journal."""
        if await outbox.waiting(self._office.database, self._lanes):
            await journal.post(self._office.database, self._lanes, self._pace.rows, self._office.clock.now())

    async def _look_after(self, batch: Batch, *, is_oldest: bool) -> None:
        """Write a batch that may be lost: asked for, unknown since this process began, or silent for too long."""
        now, written = self._office.clock.now(), self._written.get(batch.number)
        is_late = written is not None and (now - written).total_seconds() >= self._pace.resend_seconds
        if written is not None and not is_late and batch.number not in self._again:
            return
        if is_late and is_oldest:
            await self._breaker.failed(batch.reason or f"{batch.number} 号批次写出后 {self._pace.resend_seconds:g} 秒内没有收到回执")
        if not await self._folder.is_there(self._path(batch.number)):
            await self._write(batch)
            self._counts.add("resent", self._code, batch.entries)
        self._written[batch.number] = now
        self._again.discard(batch.number)

    async def _make(self, waiting: Sequence[Batch]) -> bool:
        """A new batch, when there is room for one and it is full or has waited long enough; False if none was made."""
        start = _covered((await standing.of(self._office.database, self._code)).taken, waiting)
        found = await journal.undelivered(self._office.database, self._code, start, min(self._pace.rows, MOST_ROWS))
        if not found or len(waiting) >= self._pace.window or not self._is_time(len(found)):
            return False
        messages = await self._fitting(found, self._pace.bytes)
        if not messages:
            return True  # nothing of it opens: look again at what is behind it
        number = await file_batches.last_made(self._office.database, self._code) + 1
        now = self._office.clock.now()
        batch = Batch(self._code, "out", number, "", len(messages), start + 1, messages[-1][0], now)
        rows = file_format.rows_of(messages)
        batch = replace(batch, digest=_digest(await self._header(batch, rows)))
        lease = self._lease()
        if not lease or not await file_batches.make(self._office.database, batch, lease, now):
            return False
        self._waits_since = None
        await self._write(batch)
        self._written[number] = now
        self._counts.add("sent", self._code, batch.entries)
        return True

    def _is_time(self, many: int) -> bool:
        now = self._office.clock.now()
        self._waits_since = self._waits_since or now
        return many >= self._pace.rows or (now - self._waits_since).total_seconds() >= self._pace.fill_seconds

    async def _fitting(self, found: Sequence[Posted], room: float = math.inf) -> list[tuple[int, bytes]]:
        """As many messages as there is room for, at least one; what does not open loses its place and is held, others are not."""
        messages: list[tuple[int, bytes]] = []
        opening = Opening(self._office.keys.sealer)
        for posted in found:
            envelope = opening.open(posted.letter)
            room -= len(envelope or b"")
            if messages and room < 0:
                break
            if envelope is not None:
                messages.append((posted.position, envelope))
        await opening.put_back(self._office.database, self._office.clock, self._code)
        return messages

    async def _write(self, batch: Batch) -> None:
        """Lay a batch out, its attachments first; made from the journal, it is the same as before unless rows of it are gone."""
        keys = await self._keys()
        span = batch.last_position - batch.first_position + 1
        rest = await journal.undelivered(self._office.database, self._code, batch.first_position - 1, span)
        messages = await self._fitting([one for one in rest if one.position <= batch.last_position])
        rows = file_format.rows_of(messages)
        batch = replace(batch, entries=len(messages))
        header = await self._header(batch, rows)
        if _digest(header) != batch.digest:
            logger.warning("batch %d to %s is not what it was: it is written anew with %d rows", batch.number, self._code, batch.entries)
            batch = replace(batch, digest=_digest(header))
            await file_batches.amend(self._office.database, batch)
        await self._attachments.lay_out([envelope for _, envelope in messages], keys)
        await self._folder.write(self._path(batch.number), await asyncio.to_thread(file_format.compose, header, rows, keys))

    async def _header(self, batch: Batch, rows: bytes) -> Header:
        before = await file_batches.one(self._office.database, self._code, "out", batch.number - 1)
        return Header(
            town=self._office.division,
            department=self._code,
            direction="out",
            number=batch.number,
            entries=batch.entries,
            first=batch.first_position,
            last=batch.last_position,
            sha256=file_format.digest_of(rows),
            previous=before.digest if before else "",
            made_at=batch.made_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )

    async def hear(self, ack: Ack) -> None:
        """What the department says of a batch, and which numbers it misses."""
        waiting = await file_batches.unacknowledged(self._office.database, self._code)
        meant = next((batch for batch in waiting if batch.number == ack.number), None)
        if ack.state == "refused":
            await self._refused(meant, ack.reason or "没有说明原因")
            return
        await self._breaker.succeeded()
        if meant and meant.digest != ack.digest:
            await self._taken_otherwise(meant, ack.digest)
        elif meant:
            await self._settle([batch for batch in waiting if batch.number <= meant.number])
        self._again |= {batch.number for batch in waiting if batch.number in ack.missing}
        await self._bring_back(set(ack.missing) - {batch.number for batch in waiting})

    async def _bring_back(self, missing: set[int]) -> None:
        """Batches that were acknowledged once and are missed now, as after a restore from a backup: the next step writes them again."""
        if missing and (again := await file_batches.reopen(self._office.database, self._code, sorted(missing)[: self._pace.window])):
            logger.warning("department %s has lost batches %s since it took them: they are written again", self._code, again)

    async def _refused(self, batch: Batch | None, reason: str) -> None:
        """Damaged on its way, or not understood: it is written again, and an officer sees why it does not get through."""
        if batch is None:
            return
        await file_batches.refused(self._office.database, batch, reason)
        await self._breaker.failed(f"对方拒收 {batch.number} 号批次：{reason}")
        self._again.add(batch.number)

    async def _settle(self, done: Sequence[Batch]) -> None:
        """Every batch up to a number is taken: the header of each vouches for the one before.

        The journal is confirmed only where no hole is before a batch: after a replay the rows come once more under other numbers.
        """
        for batch in done:
            taken = (await standing.of(self._office.database, self._code)).taken
            if batch.first_position <= taken + 1:
                await journal.confirm(self._office.database, self._code, batch.last_position, self._office.clock.now())
            await file_batches.settle(self._office.database, batch, batch.digest, None, self._office.clock.now())
            self._counts.add("confirmed", self._code, batch.entries)
            await self._forget(batch.number)

    async def _taken_otherwise(self, batch: Batch, digest: str) -> None:
        """The department has another batch under this number, as when one of us came back from a backup.

        Its rows go out again under a later number, and what follows is made anew on the digest that the department knows.
        """
        reason = "对方在这个编号下收到的是另一批；本批内容将以新编号重发"
        logger.error("department %s has another batch %d than we: its rows are sent again under a new number", self._code, batch.number)
        await file_batches.settle(self._office.database, batch, digest, reason, self._office.clock.now())
        await self._forget(batch.number)
        for later in await file_batches.unacknowledged(self._office.database, self._code):
            await self._folder.remove(self._path(later.number))
            self._again.add(later.number)

    async def _forget(self, number: int) -> None:
        self._written.pop(number, None)
        self._again.discard(number)
        await self._folder.remove(self._path(number))

    def _path(self, number: int) -> Path:
        return self._folder.out / file_format.file_name(self._code, "out", number)


def _digest(header: Header) -> str:
    return file_format.digest_of(file_format.header_line(header))


def _covered(taken: int, waiting: Sequence[Batch]) -> int:
    """The position up to which everything is confirmed or on its way without a hole."""
    for batch in waiting:
        if batch.first_position <= taken + 1:
            taken = max(taken, batch.last_position)
    return taken
