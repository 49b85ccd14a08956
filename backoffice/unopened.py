"""Messages that do not open here: their bytes are damaged, or the key they were sealed with is gone. Each holds up its own line only.

It is held unsent, where officers see it with the reason, and what follows it in its line waits unsent behind it, so the order stays.
It goes on when an officer says so, and whenever a process starts, for that is when keys are read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from storage import deliveries, journal, outbox
from storage.clock import Clock
from storage.database import Database, Queries
from storage.outbox import Letter
from storage.sealing import KeyMissing, Sealer, SealingError

logger = logging.getLogger("backoffice")


class Opening:
    """Opens letters in the order in which they are to go; behind one of a line that does not open nothing of that line opens."""

    def __init__(self, sealer: Sealer | None) -> None:
        self.closed: list[tuple[Letter, str]] = []
        self.left_out = 0
        self._sealer = sealer
        self._stopped: set[str] = set()

    def open(self, letter: Letter) -> bytes | None:
        """The envelope's bytes, or None for a letter that has to wait; `closed` are those that must be held, with the reason."""
        if letter.case_id not in self._stopped:
            try:
                return outbox.opened(letter, self._sealer)
            except SealingError as error:
                self._stopped.add(letter.case_id)
                self.closed.append((letter, _in_words(error)))
                logger.error("message %s does not open (%s): it is held, and its line with it", letter.id, error)  # noqa: TRY400 - known
        self.left_out += 1
        return None

    def all(self, letters: Iterable[Letter]) -> list[tuple[Letter, bytes]]:
        """Those letters that may go, with their bytes."""
        opened = ((letter, self.open(letter)) for letter in letters)
        return [(letter, body) for letter, body in opened if body is not None]

    async def hold(self, db: Queries) -> None:
        """Hold what did not open, on its way to a stream."""
        closed, self.closed = self.closed, []
        for letter, reason in closed:
            await outbox.hold(db, letter, reason)

    async def put_back(self, database: Database, clock: Clock, department: str) -> None:
        """Hold what did not open, out of a journal: it loses its place, and so does what follows it in its line."""
        closed, self.closed = self.closed, []
        if closed:
            await journal.withdraw(database, department, closed, clock.now())


def is_of(letter: Letter, body: bytes | None, sealer: Sealer | None) -> bool:
    """Whether a stream's entry is this letter: its very bytes, or where it does not open the bytes that name it."""
    if body is None:
        return False
    try:
        return outbox.opened(letter, sealer) == body
    except SealingError:
        return letter.id.encode() in body


async def try_again(db: Queries) -> None:
    """At start: what did not open may open with the keys that are there now; if not it is held again."""
    if released := await deliveries.release_unopened(db):
        logger.warning("%d messages that did not open are tried again", released)


def _in_words(error: SealingError) -> str:
    if isinstance(error, KeyMissing):
        return f"消息在本系统中无法解封：缺少第 {error.version} 号封存密钥（sealing-{error.version}.key），放回密钥目录并重启后会自动再送"
    return "消息在本系统中无法解封：保存的内容已损坏或被改动"
