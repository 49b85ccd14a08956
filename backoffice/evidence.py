"""Keeping and verifying the evidence log: what passed between the town and its departments, provable afterwards."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import logging
from dataclasses import dataclass

import msgspec

from backoffice.holding import Holding
from storage import evidence
from storage.clock import Clock
from storage.database import Database
from storage.errors import Conflict
from storage.evidence import Line
from storage.sealing import KeyMissing, Sealer, Tampered

log = logging.getLogger("backoffice")

LEASE = "evidence:town"
_BATCH = 20
"""Messages of each kind chained in one go: more would hold up the messages that are on their way by milliseconds."""


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the log was at a moment: kept elsewhere, it proves that nothing before it was changed since."""

    n: int
    hash: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found: `broken` names the first line that does not hold, and why."""

    lines: int
    erased: int
    head: str
    broken: str = ""


class Keeper:
    """Puts what was sent and taken in into the log, wherever the lease is held."""

    def __init__(self, database: Database, clock: Clock, holding: Holding, sealer: Sealer | None, pause: float = 1.0) -> None:
        self._database = database
        self._clock = clock
        self._holding = holding
        self._sealer = sealer
        self._pause = pause

    async def run(self) -> None:
        """Keep for ever; behind a burst half of the time at most, so that it leaves room for what is on its way."""
        loop = asyncio.get_running_loop()
        while True:
            await self._holding.wait(LEASE)
            began = loop.time()
            kept = await self.keep()
            await asyncio.sleep(loop.time() - began if kept else self._pause)

    async def keep(self) -> int:
        """One batch; how many lines were added. A keeper that another one overtook adds nothing."""
        try:
            return await evidence.chain(self._database, self._sealer, _BATCH, self._clock.now())
        except Conflict:
            log.info("another keeper of the evidence log was first")
            return 0


async def checkpoint(database: Database, now: dt.datetime) -> Checkpoint:
    """How far the log is."""
    last = await evidence.head(database)
    return Checkpoint(last.n, last.hash, now) if last else Checkpoint(0, evidence.GENESIS, now)


async def verify(database: Database, sealer: Sealer | None, known: Checkpoint | None = None) -> Verdict:
    """Walk the whole log: numbers, hashes, bodies against their digests, and a checkpoint kept elsewhere."""
    previous, count, erased = evidence.GENESIS, 0, 0
    async for line in evidence.lines(database):
        if reason := _broken(line, count + 1, previous, sealer) or _differs(line, known):
            return Verdict(count, erased, previous, reason)
        previous, count, erased = line.hash, count + 1, erased + (line.body is None)
    if known and known.n > count:
        return Verdict(count, erased, previous, f"line {count + 1} is missing: the checkpoint of {known.at:%Y-%m-%d} knows {known.n} lines")
    return Verdict(count, erased, previous)


def _broken(line: Line, expected: int, previous: str, sealer: Sealer | None) -> str:
    if line.n != expected:
        return f"line {expected} is missing"
    if evidence.line_hash(previous, line) != line.hash:
        return f"line {line.n} ({line.direction} {line.department} {line.message_id}): the hash does not follow from the line before it"
    if line.body is None:
        return ""
    try:
        digest = hashlib.sha256(evidence.opened(line, sealer)).hexdigest()
    except (Tampered, KeyMissing) as error:
        return f"line {line.n} ({line.direction} {line.department} {line.message_id}): {error}"
    if digest != line.body_digest:
        return f"line {line.n} ({line.direction} {line.department} {line.message_id}): the message is not the one that was noted"
    return ""


def _differs(line: Line, known: Checkpoint | None) -> str:
    if known and line.n == known.n and line.hash != known.hash:
        return f"line {line.n}: the checkpoint of {known.at:%Y-%m-%d} knows another hash; the log was rewritten at or before this line"
    return ""
