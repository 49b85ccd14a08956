"""The loop that every carrier runs: look at the rows, work, wait for the bell or one poll."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from storage.bell import Bell
from storage.tasks import end

log = logging.getLogger(__name__)


class Carrier:
    """Calls `work` over and over; `work` answers True if it should be called again at once. A failure costs one poll."""

    def __init__(self, name: str, work: Callable[[], Awaitable[bool]], bell: Bell, topic: str, *, poll: float = 1.0) -> None:
        self._name = name
        self._work = work
        self._bell = bell
        self._topic = topic
        self._poll = poll
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Begin."""
        self._stopping = False
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self, grace: float = 10.0) -> None:
        """End after the work in hand, at the latest after `grace` seconds."""
        if self._task is None:
            return
        self._stopping = True
        self._bell.sound(self._topic)
        task, self._task = self._task, None
        _, late = await asyncio.wait([task], timeout=grace)
        await end(late)

    async def _run(self) -> None:
        with self._bell.listen(self._topic) as ticket:
            while not self._stopping:
                if not await self._round() and not self._stopping:
                    await ticket.wait(self._poll)

    async def _round(self) -> bool:
        try:
            return await self._work()
        except Exception:
            log.exception("%s: this round failed, the next comes in %s s", self._name, self._poll)
            return False
