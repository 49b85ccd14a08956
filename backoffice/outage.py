"""Redis, or one stream of it, may be unusable for days: said once when it goes and once when it is back, with pauses never in step."""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass

from storage.streams import PipeDown

logger = logging.getLogger("backoffice")

_FIRST, _LONGEST = 0.1, 5.0


@dataclass(slots=True)
class _Trouble:
    kind: str
    tries: int
    rests_until: float


class Outage:
    """What the carriers of one process know about the streams that cannot be used, by stream key."""

    def __init__(self) -> None:
        self._troubles: dict[str, _Trouble] = {}

    def begin(self, key: str, error: PipeDown) -> None:
        """A call failed: the stream rests for a while. The first of its kind is worth a line, the others say nothing new."""
        known = self._troubles.get(key)
        tries = known.tries + 1 if known else 0
        if not any(trouble.kind == error.kind for trouble in self._troubles.values()):
            logger.warning("Redis stream %s cannot be used (%s); messages wait in the database until it can", key, error)
        self._troubles[key] = _Trouble(error.kind, tries, _now() + jitter(tries))

    def over(self, key: str) -> None:
        """A call went through."""
        if key not in self._troubles:
            return
        del self._troubles[key]
        if not self._troubles:
            logger.warning("every Redis stream can be used again; what waited is being sent")

    def goes_on(self, key: str) -> bool:
        """Whether the last call for this stream failed, as far as this process knows."""
        return key in self._troubles

    def rests(self, key: str) -> bool:
        """Whether it is too early to try this stream again."""
        trouble = self._troubles.get(key)
        return trouble is not None and _now() < trouble.rests_until

    async def pause(self, key: str) -> None:
        """Wait until it is time to try this stream again."""
        trouble = self._troubles.get(key)
        if trouble is not None:
            await asyncio.sleep(max(0.0, trouble.rests_until - _now()))


def jitter(tries: int, first: float = _FIRST, longest: float = _LONGEST) -> float:
    """Seconds to wait after failure number `tries` (from 0): a random part of a limit that doubles (full jitter)."""
    return random.uniform(0, min(longest, first * 2 ** min(tries, 20)))  # noqa: S311 - spreads load, guards nothing


def _now() -> float:
    return asyncio.get_running_loop().time()
