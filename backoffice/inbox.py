"""Answers of one lane, each taking effect exactly once and in the order of its line.

One transaction a batch: the cases are locked, the lines move on, the inbox notes the messages, the effects happen. What comes too
early has no effect yet: it stays pending in Redis and in `_early` until the gap before it is filled; how much may wait is bounded,
and what finds no room is dropped for its sender to send again. When one message of a batch fails, the batch is taken again message
by message. A message that the office refuses is set aside alone, and its line goes on. An effect that breaks off is tried again;
if it never works its line is parked, and what follows is set aside behind it, in order. Other lines do not notice.

The way back works like the way there: after the commit this town confirms to `taken:{DEPT}`, cumulative per case, only then the
entry is removed; a department sends again what stays unconfirmed and is no longer in the stream. A repeated answer is confirmed
again, so a lost confirmation heals by itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from backoffice.counts import Counts, What
from backoffice.early import Early
from backoffice.envelope import LARGEST, BadEnvelope, Confirmation, decode
from backoffice.outage import jitter
from backoffice.registry import answer
from handlers.errors import Refused
from handlers.refusals import REFUSALS
from storage import inbox, trace
from storage.clock import Clock
from storage.database import Database, Transaction
from storage.envelopes import Answer, Envelope
from storage.errors import StoreUnavailable
from storage.inbox import Arrival, Line
from storage.sealing import Sealer
from storage.streams import Entry

logger = logging.getLogger("backoffice")

Kind = Literal["poison", "parked"]
Effect = Callable[[Transaction, Answer], Awaitable[None]]
"""What an answer does to its case, within the inbox's transaction; raises Refused when it never can."""

Confirm = Callable[[Sequence[Confirmation]], Awaitable[None]]
"""Tells the department how far its case lines are, after the commit."""

_FURTHEST_AHEAD = 1000
_AT_ONCE = 500
"""Messages of one transaction: others wait for it, and a statement takes so many arguments only."""
_FLOOD, _KEPT_OF_A_FLOOD = 1000, 1000
"""Messages of a department that wait for an officer, from which on so many bytes of an unreadable one are kept: rubbish fills no disk."""
_FIRST_RETRY, _LONGEST_RETRY = 1.0, 60.0
_ID_USED = "id：已被此前的另一条消息使用；每条消息的 id 应各不相同"


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
    """Takes in the answers of one department or lane, whatever brings them; see the module.

    `attempts` is how often a broken effect is tried before its line is parked; `sealer` seals the bytes kept for the evidence log.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        department: str,
        effect: Effect,
        confirm: Confirm,
        counts: Counts,
        attempts: int,
        sealer: Sealer | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._department = department
        self._effect = effect
        self._tell = confirm
        self._counts = counts
        self._attempts = attempts
        self._sealer = sealer
        self._early: Early[_Message] = Early()
        self._gapped: dict[str, int] = {}

    def begin_again(self) -> None:
        """Forget what came too early: it is pending, and about to be handed over again."""
        self._early.clear()

    async def take(self, entries: Sequence[Entry]) -> list[str]:
        """Take in a batch; the ids of the entries that are done with."""
        messages, done = await self._read(entries)
        lines = await inbox.lines(self._database, self._department, {message.case_id for message in messages})
        done += await self._turn_away(messages, lines)
        queues = self._queues(messages)
        done += await self._skip(queues, lines)
        ready, dropped = self._next(queues, lines)
        applied = await self._apply(ready, lines)
        await self._confirm(queues)
        self._count("taken_in", len(applied))
        return done + [message.entry.id for message in (*dropped, *applied)]

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

    async def _turn_away(self, messages: list[_Message], lines: dict[str, Line]) -> list[str]:
        """Set aside, and take out of `messages`, what has no place in a line of this department."""
        done = []
        for message in list(messages):
            if reason := _out_of_place(message, lines.get(message.case_id)):
                await self._poison(message.entry, BadEnvelope(reason, {"partitionkey": message.case_id}))
                messages.remove(message)
                done.append(message.entry.id)
        return done

    def _queues(self, messages: Iterable[_Message]) -> dict[str, list[_Message]]:
        """By case, in the order of the numbers: what was waiting and what has just come."""
        queues: dict[str, list[_Message]] = {}
        for message in messages:
            if message.case_id not in queues:
                queues[message.case_id] = self._early.release(message.case_id)
            queues[message.case_id].append(message)
        for queue in queues.values():
            queue.sort(key=lambda message: message.sequence)
        return queues

    async def _skip(self, queues: dict[str, list[_Message]], lines: dict[str, Line]) -> list[str]:
        """What was taken in before changes nothing; another message under a number that is taken is set aside."""
        stale = [message for case_id, queue in queues.items() for message in queue if message.sequence <= lines[case_id].received]
        known = await inbox.known(self._database, [message.key for message in stale])
        self._count("duplicates_skipped", len(stale))
        for message in stale:
            if known.get(message.key) != (message.case_id, message.sequence):
                reason = f"sequence：{message.sequence} 号已被另一条消息使用"
                await self._poison(message.entry, BadEnvelope(reason, {"partitionkey": message.case_id}))
        return [message.entry.id for message in stale]

    def _next(self, queues: dict[str, list[_Message]], lines: dict[str, Line]) -> tuple[dict[str, list[_Message]], list[_Message]]:
        """What may take effect now, the numbers that follow without gap; and what is dropped, because too much waits already."""
        ready: dict[str, list[_Message]] = {}
        dropped: list[_Message] = []
        for case_id, queue in queues.items():
            expected = lines[case_id].received + 1
            run, early = _run(queue, expected)
            self._note_gap(case_id, early)
            if (until := lines[case_id].retry_at) and until > self._clock.now():
                run, early = [], [*run, *early]
            ready[case_id] = run
            # The next in line is never dropped: it stays pending, if not in memory, until it is due again.
            dropped += [message for message in self._early.hold(early) if message.sequence > expected]
        if dropped:
            logger.warning("%s: %d early answers dropped until their predecessors are here", self._department, len(dropped))
        return ready, dropped

    def _note_gap(self, case_id: str, early: Sequence[_Message]) -> None:
        """Count what came too early, each once, however often it is handed over again while it waits."""
        if not early:
            self._gapped.pop(case_id, None)
            return
        counted = self._gapped.get(case_id, 0)
        self._count("gaps", sum(message.sequence > counted for message in early))
        self._gapped[case_id] = max(counted, early[-1].sequence)

    async def _apply(self, ready: dict[str, list[_Message]], lines: dict[str, Line]) -> list[_Message]:
        """Let messages take effect; those that are done. As a rule one transaction, more where filled gaps set very many free."""
        return [message for part in _parts(ready) for message in await self._apply_together(part, lines)]

    async def _apply_together(self, ready: dict[str, list[_Message]], lines: dict[str, Line]) -> list[_Message]:
        """All in one transaction, or, where one fails, each in its own."""
        messages = [message for queue in ready.values() for message in queue]
        try:
            await self._commit(messages, lines)
        except (Refused, _Failed, StoreUnavailable):  # the last may be a deadlock that was lost; if the store is away it is seen at once
            return [message for queue in ready.values() for message in await self._apply_singly(queue, lines)]
        return messages

    async def _apply_singly(self, queue: Sequence[_Message], lines: dict[str, Line]) -> list[_Message]:
        for done, message in enumerate(queue):
            line = lines[message.case_id]
            try:
                await self._commit([message], lines)
            except Refused as refused:
                await self._pass_over(message, line, reason_of(refused), "poison")
            except _Failed as failed:
                if not await self._give_up(message, line, failed):
                    self._early.hold(queue[done:])
                    return list(queue[:done])
                await self._pass_over(message, line, f"办理时出错（{type(failed.__cause__).__name__}），已试 {self._attempts} 次", "parked")
                line = Line(line.number, line.received, is_parked=True)
            lines[message.case_id] = Line(line.number, message.sequence, line.is_parked)
        return list(queue)

    async def _commit(self, messages: Sequence[_Message], lines: dict[str, Line]) -> None:
        last = {message.case_id: message.sequence for message in messages}
        moves = {case_id: (lines[case_id].received, sequence) for case_id, sequence in last.items()}
        async with self._database.transaction() as tx:
            await inbox.lock_cases(tx, moves)
            await inbox.advance(tx, self._department, moves)
            await self._still_parked(tx, [case_id for case_id in moves if lines[case_id].is_parked])
            fresh = await self._remember(tx, messages)
            for message in messages:
                if message.key in fresh:
                    fresh.discard(message.key)
                    await self._act(tx, message, lines[message.case_id])
                else:  # two messages under one id: which of them is meant is not ours to guess
                    await self._set_aside(tx, message, _ID_USED, "poison", _digest(message.entry))

    async def _remember(self, tx: Transaction, messages: Sequence[_Message]) -> set[tuple[str, str]]:
        """Note the messages with their bytes; those that are new."""
        return await inbox.remember(tx, self._department, [self._arrival(message) for message in messages], self._clock.now())

    def _arrival(self, message: _Message) -> Arrival:
        body = message.entry.body or b""
        kept = self._sealer.seal(body, evidence_context(*message.key)) if self._sealer else body
        return Arrival(*message.key, message.case_id, message.sequence, kept)

    async def _still_parked(self, tx: Transaction, case_ids: Sequence[str]) -> None:
        """A line that an officer released since it was read must not set anything aside; raises Overtaken."""
        if not all(line.is_parked for line in (await inbox.lines(tx, self._department, case_ids)).values()):
            raise inbox.Overtaken

    async def _act(self, tx: Transaction, message: _Message, line: Line) -> None:
        if line.is_parked:
            await self._set_aside(tx, message, "同一办件前面的消息还在等待处理", "parked")
            return
        try:
            await self._effect(tx, message.answer)
        except (Refused, StoreUnavailable):
            raise
        except Exception as error:
            raise _Failed from error

    async def _give_up(self, message: _Message, line: Line, failed: _Failed) -> bool:
        """Whether a broken effect was tried often enough, else it is put off; a database that is away is nobody's try."""
        await self._database.one("SELECT 1 AS ready")
        tries = line.tries + 1
        with trace.carried(message.envelope.traceparent):
            logger.warning("answer %s from %s failed, try %d", message.envelope.id, self._department, tries, exc_info=failed.__cause__)
        if tries >= self._attempts:
            return True
        pause = dt.timedelta(seconds=jitter(tries, _FIRST_RETRY, _LONGEST_RETRY))
        await inbox.put_off(self._database, self._department, message.case_id, line, self._clock.now() + pause)
        self._count("retried")
        return False

    async def _pass_over(self, message: _Message, line: Line, reason: str, kind: Kind) -> None:
        """Set a message aside for an officer and move its line past it; "parked": what follows in the line is set aside as well."""
        async with self._database.transaction() as tx:
            await inbox.lock_cases(tx, [message.case_id])
            await inbox.advance(tx, self._department, {message.case_id: (line.received, message.sequence)})
            if await self._remember(tx, [message]):
                await self._set_aside(tx, message, reason, kind)
                if kind == "parked":
                    await inbox.park(tx, self._department, message.case_id, self._clock.now())
        with trace.carried(message.envelope.traceparent):
            about = (message.case_id, message.sequence, self._department)
            logger.warning("case %s, answer %d of %s is set aside (%s): %s", *about, kind, reason)

    async def _set_aside(self, tx: Transaction, message: _Message, reason: str, kind: Kind, known_by: str | None = None) -> None:
        name = known_by or message.envelope.id
        await inbox.set_aside(
            tx,
            department=self._department,
            kind=kind,
            message_id=name,
            reason=reason,
            body=inbox.sealed(message.entry.body or b"", self._sealer, self._department, name),
            now=self._clock.now(),
            case_id=message.case_id,
            sequence=message.sequence,
        )
        self._count(kind)

    async def _poison(self, entry: Entry, bad: BadEnvelope) -> None:
        body, digest = entry.body or b"", _digest(entry)
        kept = _KEPT_OF_A_FLOOD if await inbox.is_flooded(self._database, self._department, _FLOOD) else LARGEST
        fresh = await inbox.set_aside(
            self._database,
            department=self._department,
            kind="poison",
            message_id=digest,
            reason=bad.reason,
            body=inbox.sealed(body[:kept], self._sealer, self._department, digest),
            now=self._clock.now(),
            case_id=bad.case_id and bad.case_id[:36],
        )
        self._count("poison", int(fresh))

    async def _confirm(self, queues: Iterable[str]) -> None:
        """Tell the department how far each line of the batch is now, after the commit."""
        lines = await inbox.lines(self._database, self._department, queues)
        await self._tell([Confirmation(case_id, line.received) for case_id, line in lines.items() if line.received])

    def _count(self, what: What, number: int = 1) -> None:
        self._counts.add(what, self._department, number)


def _digest(entry: Entry) -> str:
    """What a message is known by whose id is none, or one that the next attempt may rightly carry again: its bytes."""
    return hashlib.sha256(entry.body or b"").hexdigest()


def _out_of_place(message: _Message, line: Line | None) -> str | None:
    """Why a message has no place in the line, or None."""
    if line is None:
        return "partitionkey：这个部门没有参与该办件，或没有这个办件"
    if f"case/{line.number}" != message.envelope.subject:
        return "subject：办件编号与 partitionkey 所指的办件不一致"
    if message.sequence > line.received + _FURTHEST_AHEAD:
        return f"sequence：{message.sequence} 号过于超前，已收到 {line.received} 号，最多可提前 {_FURTHEST_AHEAD} 号"
    return None


def _parts(ready: dict[str, list[_Message]]) -> Iterator[dict[str, list[_Message]]]:
    """The queues in parts of about `_AT_ONCE` messages, each case whole; what is empty is left out."""
    part: dict[str, list[_Message]] = {}
    for case_id, queue in ready.items():
        if part and sum(map(len, part.values())) + len(queue) > _AT_ONCE:
            yield part
            part = {}
        if queue:
            part[case_id] = queue
    if part:
        yield part


def _run(queue: Sequence[_Message], first: int) -> tuple[list[_Message], list[_Message]]:
    """Of a queue in order, the numbers from `first` on without gap, and those behind the gap; what was taken in before is neither."""
    run: list[_Message] = []
    for position, message in enumerate(queue):
        if message.sequence == first + len(run):
            run.append(message)
        elif message.sequence > first + len(run):
            return run, list(queue[position:])
    return run, []


def reason_of(refused: Refused) -> str:
    """A refusal in words for an officer."""
    known = REFUSALS.get(refused.code)
    if known is None:
        return refused.code
    try:
        return f"{known.title}：{known.detail.format(**refused.values)}"
    except (KeyError, IndexError):
        return known.title


def evidence_context(source: str, message_id: str) -> str:
    """What the sealed bytes of an answer are bound to."""
    return f"inbox.body:{source}:{message_id}"
