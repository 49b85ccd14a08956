"""A nonce counts once per key, also when many ask at once."""

from __future__ import annotations

import asyncio
import datetime as dt

from storage import nonces
from storage.database import Database
from tests.support.exchange import NOW


async def test_a_nonce_counts_once_per_key(database: Database) -> None:
    assert await nonces.use(database, "key-1", "n" * 16, NOW)
    assert not await nonces.use(database, "key-1", "n" * 16, NOW)
    assert await nonces.use(database, "key-2", "n" * 16, NOW)
    assert await nonces.use(database, "key-1", "N" * 16, NOW)


async def test_of_many_at_once_one_wins(database: Database) -> None:
    assert sum(await asyncio.gather(*(nonces.use(database, "key-1", "n" * 16, NOW) for _ in range(20)))) == 1


async def test_only_old_nonces_are_forgotten(database: Database) -> None:
    await nonces.use(database, "key-1", "a" * 16, NOW - dt.timedelta(seconds=1))
    await nonces.use(database, "key-1", "b" * 16, NOW)
    assert await nonces.forget(database, NOW) == 1
    assert not await nonces.use(database, "key-1", "b" * 16, NOW)
