"""Numbers from one counter row, taken in blocks, so that submissions do not queue for the row's lock."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from storage.database import Database

_TAKE = """
INSERT INTO counter AS c (name, value) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET value = c.value + $2 RETURNING value
"""


class Blocks:
    """Hands out unique, rising numbers a name; a number lost with a process is never given again, gaps are no harm."""

    def __init__(self, database: Database, size: int = 20) -> None:
        self._database = database
        self._size = size
        self._left: dict[str, list[int]] = {}
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def next(self, name: str) -> int:
        """The next number of `name`, from 1; call it outside a transaction."""
        async with self._locks[name]:
            left = self._left.get(name)
            if not left:
                row = await self._database.one(_TAKE, name, self._size)
                last = int(row["value"]) if row else 0
                left = list(range(last, last - self._size, -1))
                self._left = {name: left} if len(self._left) > 100 else {**self._left, name: left}  # noqa: PLR2004 - old days go
            return left.pop()

    def give_back(self, name: str, number: int) -> None:
        """Return a number that was certainly not used."""
        left = self._left.get(name)
        if left is not None:
            left.append(number)
