from __future__ import annotations

import asyncio

from storage.blocks import Blocks
from storage.database import Database


async def test_numbers_rise_without_gap_within_one_process(database: Database):
    blocks = Blocks(database, size=3)

    assert [await blocks.next("case:a") for _ in range(7)] == [1, 2, 3, 4, 5, 6, 7]
    assert await blocks.next("case:b") == 1


async def test_many_at_once_in_several_processes_never_get_the_same_number(database: Database):
    processes = [Blocks(database, size=4) for _ in range(3)]

    numbers = await asyncio.gather(*(processes[n % 3].next("case:a") for n in range(60)))

    assert len(set(numbers)) == 60


async def test_a_number_lost_with_its_process_is_never_given_again(database: Database):
    assert await Blocks(database, size=5).next("case:a") == 1
    assert await Blocks(database, size=5).next("case:a") == 6
