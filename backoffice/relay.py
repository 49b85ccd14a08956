"""Outbox to Redis: what is unsent, in the order of each line; and again what stays unconfirmed and is no longer in the stream.

A relay may die between sending and noting it, or sleep through the end of its lease: then a message is in the stream twice and
the department skips the second by its number. No loss of Redis has to be noticed: what it lost is unconfirmed and absent.

Every lane with something to send has a task of its own, so that none waits for another: neither for one whose stream is full, which
is looked at again after a pause that grows, nor for one whose Redis does not answer.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from backoffice.counts import Counts
from backoffice.holding import Holding
from backoffice.lanes import commands_key, relay_lease
from backoffice.outage import Outage
from backoffice.unopened import Opening, is_of
from storage import outbox
from storage.bell import Bell
from storage.clock import Clock
from storage.database import Database
from storage.errors import StoreUnavailable
from storage.outbox import Lane, Letter
from storage.sealing import Sealer
from storage.streams import PipeDown, Streams
from storage.tasks import end, goes_on

logger = logging.getLogger("backoffice")

_CHECKED_AT_ONCE = 20
"""Messages looked for in one go: to open and compare more holds up the messages of others by milliseconds."""
_EASE = 0.01
"""Seconds between such looks as long as nothing is missing: a dead department's full stream is read beside the others' work."""
_PAGE = 4
"""Batches read at once: while one is noted the next is sent."""
_FIRST_REST = 0.01
"""Seconds after which a full stream is looked at again, never sooner; doubled up to the poll time for as long as it stays full."""
_TRUSTED_ROUNDS = 7
"""Looks for losses that may rest on the stream's length alone; each eighth reads everything."""
_LONG_REST = 5.0
"""Seconds for which a lane is left alone whose messages cannot be sent for a reason that nobody has thought of."""

_Sent = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Limits:
    """How the carriers work: seconds and counts, see the settings' section [exchange]."""

    lease_seconds: float = 5.0
    resend_seconds: float = 30.0
    stream_cap: int = 1000
    batch: int = 200
    poll_seconds: float = 0.25
    read_seconds: float = 2.0
    sweep_seconds: float = 5.0
    attempts: int = 5


class _Rest(NamedTuple):
    until: float
    seconds: float


class _Carried(NamedTuple):
    """What became of a page: sent and noted, left for want of room or lease (what does not open is neither), and whether more may wait."""

    sent: int
    left: int
    is_full: bool


class _Checked(NamedTuple):
    """What the last look for losses found: how long the stream was, the last letter looked for, rounds since the whole was looked at."""

    depth: int = 0
    last: Letter | None = None
    rounds: int = 0


class Relay:
    """Carries commands to the lanes whose lease this process holds."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        bell: Bell,
        streams: Streams,
        *,
        lanes: Sequence[Lane],
        holding: Holding,
        limits: Limits,
        counts: Counts,
        outage: Outage,
        sealer: Sealer | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._bell = bell
        self._streams = streams
        self._holding = holding
        self._lanes = lanes
        self._limits = limits
        self._counts = counts
        self._outage = outage
        self._sealer = sealer
        self._working: dict[Lane, asyncio.Task[None]] = {}
        self._rung: set[Lane] = set()
        self._rests: dict[Lane, _Rest] = {}
        self._checked: dict[Lane, _Checked] = {}

    async def run(self) -> None:
        """Send for ever: at the bell, or when the poll time is over."""
        try:
            with self._bell.listen(outbox.BELL) as ticket:
                while goes_on():
                    await self._look()
                    await ticket.wait(self._pause())
        finally:
            await end(self._working.values())
            self._working.clear()  # one that was ended before it began could not say so

    async def run_resend(self) -> None:
        """Look for what got lost, for ever; four times within the resend limit, so that it is met closely."""
        while True:
            await asyncio.sleep(self._limits.resend_seconds / 4)
            await self.resend()

    async def send(self) -> int:
        """Send what waits now, lane beside lane, as far as there is room; how many went."""
        return sum(await asyncio.gather(*map(self._drain, await outbox.waiting(self._database, self._held()))))

    async def resend(self) -> int:
        """Send again what is unconfirmed, older than the limit and absent from the stream; how many there were."""
        return sum(await asyncio.gather(*map(self._resend, self._held())))

    def _held(self) -> list[Lane]:
        held = (lane for lane in self._lanes if self._holding.fence(relay_lease(lane)) is not None)
        return [lane for lane in held if not self._outage.rests(commands_key(lane))]

    async def _look(self) -> None:
        """Set to work the lanes that have something; one that is at it may just have read for the last time, and shall read again."""
        self._rung.update(self._working)
        idle = [lane for lane in self._held() if lane not in self._working and not self._is_resting(lane)]
        waiting = await outbox.waiting(self._database, idle)
        for lane in waiting:
            self._working[lane] = asyncio.create_task(self._work(lane), name=f"relay:{commands_key(lane)}")
        for lane in {*idle}.difference(waiting):
            self._rests.pop(lane, None)

    async def _work(self, lane: Lane) -> None:
        try:
            await self._drain(lane)
        except StoreUnavailable:
            pass  # the next look meets it too, and says so
        except Exception:
            logger.exception("what waits for %s cannot be sent", commands_key(lane))
            self._rest(lane, _LONG_REST)
        finally:
            del self._working[lane]

    async def _drain(self, lane: Lane) -> int:
        """Send page by page until nothing more is there or finds room; Redis's trouble with one lane is that lane's own."""
        sent = 0
        try:
            while await self._has_room(lane):
                self._rung.discard(lane)
                carried = await self._page(lane)
                sent += carried.sent
                if carried.left or (not carried.is_full and lane not in self._rung):
                    break
        except PipeDown as error:
            self._outage.begin(commands_key(lane), error)
        return sent

    async def _page(self, lane: Lane) -> _Carried:
        """Send the oldest of what waits."""
        if self._holding.fence(relay_lease(lane)) is None:
            return _Carried(0, 0, is_full=False)
        opening = Opening(self._sealer)
        letters = await outbox.unsent(self._database, lane, _PAGE * self._limits.batch)
        sent = await self._publish(lane, letters, opening)
        left = len(letters) - opening.left_out - sent
        self._counts.add("sent", lane[0], sent)
        self._counts.add("held_back", lane[0], left)
        return _Carried(sent, left, is_full=len(letters) >= _PAGE * self._limits.batch)

    async def _publish(self, lane: Lane, letters: Sequence[Letter], opening: Opening, beyond: int = 0) -> int:
        """Into the stream, `beyond` its cap at most, and noted under the lease; how many. What finds no room or no lease waits."""
        notes = _Notes(partial(self._note, lane))
        try:
            for batch in _batches(letters, self._limits.batch):
                going = opening.all(batch)
                ids = await self._add(lane, [body for _, body in going], beyond) if going else []
                notes.take([(letter.id, entry_id) for (letter, _), entry_id in zip(going, ids, strict=False)])
                if len(ids) < len(going):
                    break
        finally:
            noted = await notes.settled()
        await opening.hold(self._database)
        return noted

    async def _add(self, lane: Lane, bodies: Sequence[bytes], beyond: int) -> list[str]:
        """The stream's ids of those messages that found room."""
        if self._holding.fence(relay_lease(lane)) is None:
            return []
        ids = await self._streams.publish(commands_key(lane), bodies, self._limits.stream_cap + beyond)
        self._outage.over(commands_key(lane))
        if len(ids) < len(bodies):
            self._rest(lane)
        return ids

    async def _note(self, lane: Lane, rows: Sequence[tuple[str, str]]) -> int:
        lease = self._holding.lease(relay_lease(lane))
        return await outbox.mark_sent(self._database, rows, lease, self._clock.now()) if lease else 0

    async def _has_room(self, lane: Lane) -> bool:
        """A lane whose stream was full or could not be used is asked before anything is read for it."""
        key = commands_key(lane)
        if lane not in self._rests and not self._outage.goes_on(key):
            return True
        depth = await self._streams.depth(key)
        self._outage.over(key)
        if depth >= self._limits.stream_cap:
            self._rest(lane)
            return False
        self._rests.pop(lane, None)
        return True

    def _rest(self, lane: Lane, seconds: float = 0.0) -> None:
        last = self._rests.get(lane)
        pause = seconds or min(self._limits.poll_seconds, 2 * last.seconds if last else _FIRST_REST)
        self._rests[lane] = _Rest(_now() + pause, pause)

    def _is_resting(self, lane: Lane) -> bool:
        return lane in self._rests and _now() < self._rests[lane].until

    def _pause(self) -> float:
        """Seconds until the next look if no bell rings."""
        rests = (self._rests[lane].until - _now() for lane in self._held() if lane in self._rests)
        return min([self._limits.poll_seconds, *(max(_FIRST_REST, rest) for rest in rests)])

    async def _resend(self, lane: Lane) -> int:
        checked, sent, missing, opening = await self._begin_check(lane), 0, 0, Opening(self._sealer)
        try:
            while page := await self._unconfirmed(lane, checked.last):
                absent = await self._absent(lane, page)
                checked, missing = checked._replace(last=page[-1]), missing + len(absent)
                # A stream may be full of what waits for a lost predecessor: what a department needs next finds room beyond the cap.
                sent += await self._publish(lane, [letter for letter in absent if letter.is_next], opening, beyond=self._limits.batch)
                sent += await self._publish(lane, [letter for letter in absent if not letter.is_next], opening)
                await asyncio.sleep(0 if absent else _EASE)
        except PipeDown as error:
            self._outage.begin(commands_key(lane), error)
        else:
            if sent + opening.left_out == missing:
                self._checked[lane] = checked
        self._counts.add("resent", lane[0], sent)
        return sent

    async def _begin_check(self, lane: Lane) -> _Checked:
        """Behind what was found in the stream the last time; from the beginning if the stream shrank, and now and then anyway.

        A department that is silent for days has a full stream: to read all of it in every round would cost the others.
        """
        last = self._checked.pop(lane, _Checked())
        try:
            depth = await self._streams.depth(commands_key(lane))
        except PipeDown as error:
            self._outage.begin(commands_key(lane), error)
            return _Checked()
        if last.last is None or depth < last.depth or last.rounds >= _TRUSTED_ROUNDS:
            return _Checked(depth)
        return _Checked(depth, last.last, last.rounds + 1)

    async def _unconfirmed(self, lane: Lane, after: Letter | None) -> list[Letter]:
        """What was sent longer ago than the limit, or by a clock so far ahead that nobody can tell."""
        now, limit = self._clock.now(), dt.timedelta(seconds=self._limits.resend_seconds)
        return await outbox.unconfirmed(
            self._database, lane, now - limit, after, min(_CHECKED_AT_ONCE, self._limits.batch), beyond=now + limit
        )

    async def _absent(self, lane: Lane, page: Sequence[Letter]) -> list[Letter]:
        found = await self._streams.bodies(commands_key(lane), [letter.stream_id or "0-1" for letter in page])
        return [letter for letter, body in zip(page, found, strict=True) if not is_of(letter, body, self._sealer)]


class _Notes:
    """What was sent is noted while more is being sent: one statement at a time, which takes all that came meanwhile."""

    def __init__(self, note: Callable[[Sequence[_Sent]], Awaitable[int]]) -> None:
        self._note = note
        self._sent: list[_Sent] = []
        self._writing: asyncio.Task[None] | None = None
        self._noted = 0

    def take(self, sent: Sequence[_Sent]) -> None:
        """Note these (outbox id, stream id) soon."""
        self._sent += sent
        if self._writing is not None and self._writing.done():
            self._writing.result()  # if the last ones could not be noted, no more are sent
            self._writing = None
        if self._sent and self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def settled(self) -> int:
        """Wait until all is noted; how many were, for the lease may have gone."""
        if self._writing is not None:
            await self._writing
        return self._noted

    async def _write(self) -> None:
        while self._sent:
            sent, self._sent = self._sent, []
            self._noted += await self._note(sent)


def _batches(letters: Sequence[Letter], size: int) -> Iterator[Sequence[Letter]]:
    return (letters[start : start + size] for start in range(0, len(letters), size))


def _now() -> float:
    return asyncio.get_running_loop().time()
