"""Batches from a department: taken in the order of their numbers, each exactly once, and acknowledged when they are in our hands.

A batch is held on our disk and noted before it is acknowledged; its messages then take effect like any others, in the order of
their lines. What comes too early within a line, or breaks off, stays held while later batches go on.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from backoffice import file_format
from backoffice.file_folder import Arrived, Folder
from backoffice.file_format import LARGEST_ACK, LARGEST_FILE, Ack, Confirmed, Keys, Name, Opened, Unreadable, file_name
from backoffice.file_outgoing import Pace
from backoffice.intake import MOST, Intake
from handlers.catalogue import Department
from handlers.office import Office
from storage import file_batches
from storage.file_batches import Batch, Lease
from storage.sealing import KeyMissing, Tampered

logger = logging.getLogger("backoffice")

_FURTHEST_AHEAD = 100
"""Batches that may be here before the one that is expected: more are no gap but a mistake."""

_SPOILT = "已收到、尚未办理的一批消息在本镇的文件夹中被损坏；请部门将未得到确认的消息放入新的批次重发"

_Lines = dict[str, int]


class Incoming:
    """One department's files in `in/`, in the process that holds its lease."""

    def __init__(
        self,
        office: Office,
        department: Department,
        folder: Folder,
        *,
        keys: Callable[[], Awaitable[Keys]],
        lease: Callable[[], Lease | None],
        hear: Callable[[Ack], Awaitable[None]],
        intake: Intake,
        pace: Pace,
    ) -> None:
        self._office = office
        self._department = department
        self._code = department.code
        self._folder = folder
        self._keys = keys
        self._lease = lease
        self._hear = hear
        self._intake = intake
        self._pace = pace
        self._held: dict[int, list[bytes]] = {}
        self._ahead: dict[int, tuple[str, int, int]] = {}
        self._asked_at: dt.datetime | None = None

    async def begin_again(self) -> None:
        """Read anew what is held: another process may have been at work."""
        self._ahead.clear()
        self._held.clear()
        last = await file_batches.last_taken(self._office.database, self._code)
        for number, path in (await self._folder.held_numbers()).items():
            sealed = await self._folder.read(path, 2 * LARGEST_FILE) if number <= last else None
            if sealed is None:
                await self._folder.remove(path)  # its batch was never noted, and so lies in in/ still
            elif (envelopes := self._opened(sealed, number)) is None:
                logger.error("what was held of batch %d from %s is spoilt: the department has to send it again", number, self._code)
                await self._folder.put_aside(path, _SPOILT)
            else:
                self._held[number] = envelopes

    def _opened(self, sealed: bytes, number: int) -> list[bytes] | None:
        """The messages that were held; None if the file is not what was written. Raises LookupError where only a key is missing."""
        try:
            return msgspec.msgpack.decode(self._office.keys.sealer.unseal(sealed, self._context(number)), type=list[bytes])
        except KeyMissing as error:
            raise LookupError(str(error)) from error
        except (Tampered, msgspec.DecodeError):
            return None

    async def step(self) -> None:
        """Deal with everything that has arrived, and let what is held take effect if it can now."""
        for one in await self._folder.arrived():
            await self._look_at(one)
        await self._ask()
        await self._release()

    async def _look_at(self, one: Arrived) -> None:
        if one.name is None or one.name.department != self._code or one.name.kind == "out":
            await self._turn_down(one, "文件名不符合约定，或不是发给本镇的文件", None)
            return
        try:
            if one.name.kind == "ack":
                await self._read_ack(one.path, one.name)
            else:
                await self._read_batch(one, one.name)
        except Unreadable as bad:
            await self._turn_down(one, bad.reason, one.name if one.name.kind == "in" else None)

    async def _turn_down(self, one: Arrived, reason: str, name: Name | None) -> None:
        """Put a file aside, unless it is still growing; of a batch the department is told, and sends it again."""
        if one.age < self._pace.grace_seconds:
            return
        logger.warning("a file from %s cannot be used: %s: %s", self._code, _readable(one.path), reason)
        if name:
            await self._tell_why(name.number, reason)
        await self._folder.put_aside(one.path, reason)

    async def _tell_why(self, number: int, reason: str) -> None:
        """Of a number that is not expected yet nothing is said: anybody can make up a name."""
        expected = await self._expected()
        if number < expected:
            known = await file_batches.one(self._office.database, self._code, "in", number)
            await self._acknowledge(number, known.digest if known else "", "taken")
        elif number <= expected + _FURTHEST_AHEAD:
            await file_batches.turn_down(self._office.database, self._code, number, reason, self._office.clock.now())
            await self._acknowledge(number, "", "refused", reason=reason)

    async def _read_ack(self, path: Path, name: Name) -> None:
        content = await self._folder.read(path, LARGEST_ACK)
        if content is not None:
            await self._hear(file_format.open_ack(content, await self._keys(), town=self._office.division, name=name))
            await self._folder.remove(path)

    async def _read_batch(self, one: Arrived, name: Name) -> None:
        if self._ahead.get(name.number) == one.stamp and name.number > await self._expected():
            return
        content = await self._folder.read(one.path, LARGEST_FILE)
        if content is None:
            return
        opened = file_format.open_batch(content, await self._keys(), town=self._office.division, name=name)
        expected = await self._expected()
        if name.number > expected:
            await self._note_gap(one, name.number, expected)
        elif name.number < expected:
            await self._repeat(one.path, opened)
        else:
            await self._take(one.path, opened)

    async def _expected(self) -> int:
        return await file_batches.last_taken(self._office.database, self._code) + 1

    async def _note_gap(self, one: Arrived, number: int, expected: int) -> None:
        """A later batch waits in `in/`; those before it are asked for."""
        if number > expected + _FURTHEST_AHEAD:
            raise Unreadable(f"编号过于超前：应为 {expected} 号，最多可提前 {_FURTHEST_AHEAD} 号")
        self._ahead[number] = one.stamp
        await file_batches.missing(
            self._office.database, self._code, set(range(expected, number)) - self._ahead.keys(), self._office.clock.now()
        )

    async def _repeat(self, path: Path, opened: Opened) -> None:
        """A batch that was taken before: our acknowledgement was lost, or the department used a number twice."""
        number = opened.header.number
        known = await file_batches.one(self._office.database, self._code, "in", number)
        digest = known.digest if known else ""
        if digest != opened.digest:
            reason = f"{number} 号此前已收到过内容不同的一批，这一批没有办理；请以新编号重发其中的消息"
            await self._folder.put_aside(path, reason)
            await self._acknowledge(number, digest, "taken", reason=reason)
            return
        await self._acknowledge(number, digest, "taken", lines=await self._hand_over(number, opened.envelopes))
        await self._folder.remove(path)

    async def _take(self, path: Path, opened: Opened) -> None:
        """Hold it, note it, let it take effect, acknowledge it, and only then let the file go."""
        header, office = opened.header, self._office
        before = await file_batches.one(office.database, self._code, "in", header.number - 1)
        if header.previous != (before.digest if before else ""):
            raise Unreadable(f"批次头中的 previous 与已收到的 {header.number - 1} 号批次的摘要不符")
        lease = self._lease()
        if lease is None:
            return
        now = office.clock.now()
        batch = Batch(self._code, "in", header.number, opened.digest, header.entries, header.first, header.last, now, "taken")
        await self._hold(header.number, opened.envelopes)
        if await file_batches.take(office.database, batch, lease, now):
            self._ahead.pop(header.number, None)
            await self._acknowledge(
                header.number, opened.digest, "taken", lines=await self._hand_over(header.number, opened.envelopes)
            )  # fmt: skip
            await self._folder.remove(path)

    async def _hold(self, number: int, envelopes: Sequence[bytes]) -> None:
        sealed = self._office.keys.sealer.seal(msgspec.msgpack.encode(list(envelopes)), self._context(number))
        await self._folder.write(self._folder.held_path(number), sealed)

    async def _hand_over(self, number: int, envelopes: Sequence[bytes]) -> _Lines:
        """Let messages take effect; how far their lines are. Those that cannot yet are kept."""
        lines: _Lines = {}
        waiting = list(envelopes)
        is_moving = True
        while waiting and is_moving:
            left: list[bytes] = []
            for start in range(0, len(waiting), MOST):
                page = waiting[start : start + MOST]
                receipt = await self._intake.take(self._department, page)
                lines |= {one.case_id: one.sequence for one in receipt.confirmations}
                left += [body for body, verdict in zip(page, receipt.verdicts, strict=True) if verdict.status == "early"]
            is_moving, waiting = len(left) < len(waiting), left
        await self._keep(number, waiting)
        return lines

    async def _keep(self, number: int, waiting: list[bytes]) -> None:
        if waiting:
            self._held[number] = waiting
        else:
            self._held.pop(number, None)
            await self._folder.remove(self._folder.held_path(number))

    async def _release(self) -> None:
        """Try what is held once more; the department learns how far its lines are when something has moved."""
        moved: _Lines = {}
        for number, waiting in sorted(self._held.items()):
            lines = await self._hand_over(number, waiting)
            if len(self._held.get(number, ())) < len(waiting):
                moved |= lines
        if moved:
            await self._acknowledge_last(moved)

    async def _ask(self) -> None:
        """Ask for batches that are missing, again from time to time."""
        expected, now = await self._expected(), self._office.clock.now()
        self._ahead = {number: stamp for number, stamp in self._ahead.items() if number > expected}
        missing = self._missing(expected)
        is_time = self._asked_at is None or (now - self._asked_at).total_seconds() >= self._pace.resend_seconds
        if missing and is_time:
            logger.warning("batches %s from %s are missing and asked for", missing, self._code)
            await self._acknowledge_last({})
        self._asked_at = (now if is_time else self._asked_at) if missing else None

    def _missing(self, expected: int) -> list[int]:
        return sorted(set(range(expected, max(self._ahead, default=expected))) - self._ahead.keys())

    async def _acknowledge_last(self, lines: _Lines) -> None:
        """Say once more how far we are."""
        last = await self._expected() - 1
        known = await file_batches.one(self._office.database, self._code, "in", last)
        await self._acknowledge(last, known.digest if known else "", "taken", lines=lines)

    async def _acknowledge(self, number: int, digest: str, state: str, *, lines: _Lines | None = None, reason: str | None = None) -> None:
        keys = await self._keys()
        expected = await self._expected()
        ack = msgspec.convert(
            {
                "number": number, "digest": digest, "state": state, "reason": reason and reason[:500], "department": self._code,
                "town": self._office.division, "missing": self._missing(expected),
                "confirmations": [Confirmed(*line) for line in sorted((lines or {}).items())],
            },
            Ack,
        )  # fmt: skip
        await self._folder.write(self._folder.out / file_name(self._code, "ack", number), file_format.compose_ack(ack, keys.signing))

    def _context(self, number: int) -> str:
        return f"file_batch.held:{self._code}:{number}"


def _readable(path: Path) -> str:
    """A file's name for the log: its bytes may be no text at all, or more than one line."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in path.name)
