"""Answers of one lane, each taking effect exactly once and in the order of its line.

One transaction a batch: the lines move on (and are locked), the inbox notes the messages, the effects happen. What comes too
early has no effect yet: it stays pending in Redis and in `_early` until the gap before it is filled. When one message of a batch
fails, the batch is taken again message by message: what can never work parks its line (later messages of the line are set aside
behind it, in order), what may work later is tried again, and other lines do not notice.

The way back works like the way there: after the commit this town confirms to `taken:{DEPT}`, cumulative per case, only then the
entry is removed; a department sends again what stays unconfirmed and is no longer in the stream. A repeated answer is confirmed
again, so a lost confirmation heals by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from backoffice.counts import Counts, What
from backoffice.envelope import LARGEST, BadEnvelope, Confirmation, decode
from backoffice.lanes import taken_key
from backoffice.outage import jitter
from backoffice.registry import answer
from handlers.errors import REFUSALS, Refused
from storage import inbox
from storage.clock import Clock
from storage.database import Database, Transaction
from storage.envelopes import Answer, Envelope
from storage.inbox import Line
from storage.outbox import Lane
from storage.streams import Entry, Streams

logger = logging.getLogger("backoffice")

Effect = Callable[[Transaction, Answer], Awaitable[None]]
"""What an answer does to its case, within the inbox's transaction; raises Refused when it never can."""

_MOST_EARLY = 10_000
_FIRST_RETRY, _LONGEST_RETRY = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class _Message:
    entry: Entry
    envelope: Envelope
    answer: Answer

    @property
    def key(self) -> tuple[str, str]:
        return self.envelope.source, self.envelope.id

    @property
    def case_id(self) -> str:
        return self.envelope.partitionkey

    @property
    def sequence(self) -> int:
        return self.envelope.sequence


class _Failed(Exception):
    """An effect broke off for a reason that may pass."""


class Inbox:
    """Takes in the answers of one lane; see the module. `attempts` is how often a broken effect is tried before its line is parked."""

    def __init__(
        self, database: Database, clock: Clock, streams: Streams, *, lane: Lane, effect: Effect, counts: Counts, attempts: int, cap: int
    ) -> None:
        self._database = database
        self._clock = clock
        self._streams = streams
        self._department = lane[0]
        self._effect = effect
        self._counts = counts
        self._attempts = attempts
        self._cap = cap
        self._early: dict[str, dict[int, _Message]] = defaultdict(dict)
        self._tries: dict[tuple[str, str], tuple[int, float]] = {}

    def begin_again(self) -> None:
        """Forget what came too early: it is pending, and about to be handed over again."""
        self._early.clear()

    async def take(self, entries: Sequence[Entry]) -> list[str]:
        """Take in a batch; the ids of the entries that are done with."""
        messages, done = await self._read(entries)
        lines = await inbox.lines(self._database, self._department, {message.case_id for message in messages})
        done += await self._turn_away(messages, lines)
        queues = self._queues(messages, lines)
        done += await self._skip(queues, lines)
        applied = await self._apply({case_id: self._next(case_id, queue, lines[case_id]) for case_id, queue in queues.items()}, lines)
        await self._confirm(queues)
        self._count("taken_in", len(applied))
        return done + [message.entry.id for message in applied]

    async def _read(self, entries: Sequence[Entry]) -> tuple[list[_Message], list[str]]:
        """The sound messages, and the ids of the entries that are none."""
        messages, done = [], []
        for entry in entries:
            try:
                if entry.body is not None:
                    messages.append(self._message(entry))
                    continue
            except BadEnvelope as bad:
                await self._poison(entry, bad)
            done.append(entry.id)
        return messages, done

    def _message(self, entry: Entry) -> _Message:
        envelope = decode(entry.body, f"/departments/{self._department}")
        return _Message(entry, envelope, answer(envelope, self._department))

    async def _turn_away(self, messages: Iterable[_Message], lines: dict[str, Line]) -> list[str]:
        """Set aside what speaks of a case that the department has no part in, or by a wrong number."""
        done = []
        for message in messages:
            line = lines.get(message.case_id)
            if line is None:
                reason = "partitionkey：这个部门没有参与该办件，或没有这个办件"
            elif f"case/{line.number}" != message.envelope.subject:
                reason = "subject：办件编号与 partitionkey 所指的办件不一致"
            else:
                continue
            await self._poison(message.entry, BadEnvelope(reason, {"partitionkey": message.case_id}))
            done.append(message.entry.id)
        return done

    def _queues(self, messages: Iterable[_Message], lines: dict[str, Line]) -> dict[str, list[_Message]]:
        """By case, in the order of the numbers: what has just come and what was waiting for it."""
        queues: dict[str, list[_Message]] = {}
        for message in messages:
            line = lines.get(message.case_id)
            if line and f"case/{line.number}" == message.envelope.subject:
                queues.setdefault(message.case_id, []).append(message)
        for case_id, queue in queues.items():
            queue.extend(self._early.pop(case_id, {}).values())
            queue.sort(key=lambda message: message.sequence)
        return queues

    async def _skip(self, queues: dict[str, list[_Message]], lines: dict[str, Line]) -> list[str]:
        """What was taken in before changes nothing; another message under a number that is taken is set aside."""
        stale = [message for case_id, queue in queues.items() for message in queue if message.sequence <= lines[case_id].received]
        known = await inbox.known(self._database, [message.key for message in stale])
        self._count("duplicates_skipped", len(stale))
        for message in stale:
            if message.key not in known:
                reason = f"sequence：{message.sequence} 号已被另一条消息使用"
                await self._poison(message.entry, BadEnvelope(reason, {"partitionkey": message.case_id}))
        return [message.entry.id for message in stale]

    def _next(self, case_id: str, queue: Sequence[_Message], line: Line) -> list[_Message]:
        """What may take effect now: the numbers that follow without gap. The rest waits."""
        ready: list[_Message] = []
        for message in queue:
            due = self._tries.get(message.key, (0, 0.0))[1] <= _now()
            if due and message.sequence == line.received + len(ready) + 1:
                ready.append(message)
            elif message.sequence > line.received + len(ready):
                self._wait(case_id, [message])
        return ready

    def _wait(self, case_id: str, messages: Iterable[_Message]) -> None:
        if len(self._early) < _MOST_EARLY:  # beyond it they wait in Redis only, until everything pending is looked through again
            self._early[case_id].update({message.sequence: message for message in messages})
        self._count("gaps")

    async def _apply(self, ready: dict[str, list[_Message]], lines: dict[str, Line]) -> list[_Message]:
        """All in one transaction, or, where one fails, each in its own; those that are done."""
        messages = [message for queue in ready.values() for message in queue]
        if not messages:
            return []
        try:
            await self._commit(messages, lines)
        except (Refused, _Failed):
            return [message for queue in ready.values() for message in await self._apply_singly(queue, lines)]
        return messages

    async def _apply_singly(self, queue: Sequence[_Message], lines: dict[str, Line]) -> list[_Message]:
        for done, message in enumerate(queue):
            line = lines[message.case_id]
            try:
                await self._commit([message], lines)
            except Refused as refused:
                await self._park(message, line, _words(refused))
                line = Line(line.number, line.received, is_parked=True)
            except _Failed as failed:
                if not await self._give_up(message, failed):
                    self._wait(message.case_id, queue[done:])
                    return list(queue[:done])
                await self._park(message, line, f"办理时出错（{type(failed.__cause__).__name__}），已试 {self._attempts} 次")
                line = Line(line.number, line.received, is_parked=True)
            lines[message.case_id] = Line(line.number, message.sequence, line.is_parked)
        return list(queue)

    async def _commit(self, messages: Sequence[_Message], lines: dict[str, Line]) -> None:
        last = {message.case_id: message.sequence for message in messages}
        moves = {case_id: (lines[case_id].received, sequence) for case_id, sequence in last.items()}
        async with self._database.transaction() as tx:
            await inbox.advance(tx, self._department, moves)
            fresh = await inbox.remember(tx, self._department, [message.key for message in messages], self._clock.now())
            for message in messages:
                if message.key in fresh:  # else the same message came before under another number
                    fresh.discard(message.key)
                    await self._act(tx, message, lines[message.case_id])

    async def _act(self, tx: Transaction, message: _Message, line: Line) -> None:
        if line.is_parked:
            await self._set_aside(tx, message, "同一办件前面的消息还在等待处理")
            return
        try:
            await self._effect(tx, message.answer)
        except Refused:
            raise
        except Exception as error:
            raise _Failed from error

    async def _give_up(self, message: _Message, failed: _Failed) -> bool:
        """Whether a broken effect was tried often enough; a database that is away is nobody's try."""
        await self._database.one("SELECT 1 AS ready")
        tries = self._tries.get(message.key, (0, 0.0))[0] + 1
        logger.warning("answer %s from %s failed, try %d", message.envelope.id, self._department, tries, exc_info=failed.__cause__)
        if tries >= self._attempts:
            self._tries.pop(message.key, None)
            return True
        self._tries[message.key] = (tries, _now() + jitter(tries, _FIRST_RETRY, _LONGEST_RETRY))
        self._count("retried")
        return False

    async def _park(self, message: _Message, line: Line, reason: str) -> None:
        """Set a message aside for an officer, and with it what follows in its line."""
        async with self._database.transaction() as tx:
            await inbox.advance(tx, self._department, {message.case_id: (line.received, message.sequence)})
            if await inbox.remember(tx, self._department, [message.key], self._clock.now()):
                await self._set_aside(tx, message, reason)
                await inbox.park(tx, self._department, message.case_id, self._clock.now())
        logger.warning("case %s is parked for %s: %s", message.case_id, self._department, reason)

    async def _set_aside(self, tx: Transaction, message: _Message, reason: str) -> None:
        await inbox.set_aside(
            tx,
            department=self._department,
            kind="parked",
            message_id=message.envelope.id,
            reason=reason,
            body=message.entry.body or b"",
            now=self._clock.now(),
            case_id=message.case_id,
            sequence=message.sequence,
        )
        self._count("parked")

    async def _poison(self, entry: Entry, bad: BadEnvelope) -> None:
        body = entry.body or b""
        # Known by its bytes, not by an id that the next attempt may rightly carry again.
        digest = hashlib.sha256(body).hexdigest()
        fresh = await inbox.set_aside(
            self._database,
            department=self._department,
            kind="poison",
            message_id=digest,
            reason=bad.reason,
            body=body[:LARGEST],
            now=self._clock.now(),
            case_id=bad.case_id and bad.case_id[:36],
        )
        self._count("poison", int(fresh))

    async def _confirm(self, queues: Iterable[str]) -> None:
        """Tell the department how far each line of the batch is now, after the commit."""
        lines = await inbox.lines(self._database, self._department, queues)
        bodies = [msgspec.json.encode(Confirmation(case_id, line.received)) for case_id, line in lines.items() if line.received]
        await self._streams.publish(taken_key(self._department), bodies, self._cap)

    def _count(self, what: What, number: int = 1) -> None:
        self._counts.add(what, self._department, number)


def _words(refused: Refused) -> str:
    known = REFUSALS.get(refused.code)
    if known is None:
        return refused.code
    try:
        return f"{known.title}：{known.detail.format(**refused.values)}"
    except (KeyError, IndexError):
        return known.title


def _now() -> float:
    return asyncio.get_running_loop().time()
