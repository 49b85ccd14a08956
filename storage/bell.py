"""The bell between carriers: rows say what is to do, the bell only says that it may be time to look."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Self


class Bell:
    """Wakes whoever listens to a topic, in this process and, by `forward`, in the others."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._hearers: list[Callable[[str | None], None]] = []
        self.forward: Callable[[str], None] | None = None

    def ring(self, topic: str) -> None:
        """Wake this process's listeners at once and pass the ring on to other processes."""
        self.sound(topic)
        if self.forward is not None:
            self.forward(topic)

    def sound(self, topic: str) -> None:
        """Wake this process's listeners only (a ring that came from another process ends here)."""
        for event in self._listeners.get(topic, ()):
            event.set()
        for hear in self._hearers:
            hear(topic)

    def sound_all(self) -> None:
        """Wake every listener of this process: rings may have been lost."""
        for topic in tuple(self._listeners):
            self.sound(topic)
        for hear in self._hearers:
            hear(None)

    def call(self, hear: Callable[[str | None], None]) -> None:
        """Call `hear` with every topic that sounds, from now on, and with None when rings may have been lost; it must not raise."""
        self._hearers.append(hear)

    def listen(self, topic: str) -> Ticket:
        """Take a ticket *before* looking at the rows, so that no ring falls between look and wait."""
        return Ticket(self._listeners, topic)


class Ticket:
    """One listener's place at the bell: `with bell.listen(topic) as ticket`, look, `await ticket.wait(...)`."""

    def __init__(self, listeners: dict[str, set[asyncio.Event]], topic: str) -> None:
        self._listeners = listeners
        self._topic = topic
        self._event = asyncio.Event()

    def __enter__(self) -> Self:
        self._listeners[self._topic].add(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        events = self._listeners[self._topic]
        events.discard(self._event)
        if not events:
            del self._listeners[self._topic]

    async def wait(self, timeout: float) -> bool:
        """Wait for a ring at most `timeout` seconds; True if it rang. Clears the ring."""
        try:
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True
