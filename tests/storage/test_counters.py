from __future__ import annotations

import asyncio

import pytest

from storage.counters import next_value
from storage.database import Database


async def test_numbers_rise_from_one_and_each_name_has_its_own(database: Database):
    async with database.transaction() as tx:
        assert [await next_value(tx, "a"), await next_value(tx, "a"), await next_value(tx, "b")] == [1, 2, 1]


async def test_a_number_is_given_back_when_the_transaction_fails(database: Database):
    async def fail() -> None:
        async with database.transaction() as tx:
            await next_value(tx, "a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.transaction() as tx:
        assert await next_value(tx, "a") == 1


async def test_many_at_once_get_every_number_once(database: Database):
    async def take() -> int:
        async with database.transaction() as tx:
            return await next_value(tx, "a")

    assert sorted(await asyncio.gather(*(take() for _ in range(30)))) == list(range(1, 31))
