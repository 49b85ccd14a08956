"""Things that live for seconds, in Redis: look-up codes, counters of attempts. Nothing here is missed when Redis is emptied."""

from __future__ import annotations

from typing import Any

from storage.errors import StoreUnavailable
from storage.redis import translated

# One step, so that no counter is left behind without an end.
_COUNT = """
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return n
"""

__all__ = ["Fleeting", "StoreUnavailable"]


class Fleeting:
    """Short-lived keys; every method raises StoreUnavailable when Redis does not answer."""

    def __init__(self, redis: Any, prefix: str = "f:") -> None:
        self._redis = redis
        self._prefix = prefix

    async def put(self, key: str, value: bytes, seconds: int, *, only_new: bool = False) -> bool:
        """Keep a value for so long; with `only_new` False if the key is taken."""
        with translated():
            return bool(await self._redis.set(self._prefix + key, value, ex=seconds, nx=only_new))

    async def get(self, key: str) -> bytes | None:
        """The value, or None when it is gone."""
        with translated():
            return _bytes(await self._redis.get(self._prefix + key))

    async def claim(self, key: str, who: bytes, seconds: int) -> bool:
        """Whether a key is this claimant's: the first who asks has it for so long, and is told so again if he asks again."""
        return await self.put(key, who, seconds, only_new=True) or await self.get(key) == who

    async def drop(self, key: str) -> None:
        """Forget a key."""
        with translated():
            await self._redis.delete(self._prefix + key)

    async def count(self, key: str, seconds: int) -> int:
        """Count one more within a window that starts with the first; the count so far, exact among many askers."""
        with translated():
            return int(await self._redis.eval(_COUNT, 1, self._prefix + key, seconds))


def _bytes(value: bytes | str | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
