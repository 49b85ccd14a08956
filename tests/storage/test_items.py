from __future__ import annotations

import asyncio
import datetime as dt

from storage import items
from storage.database import Database

NOW = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)


def row(code: str, content: str) -> tuple[str, str, bytes]:
    return code, content.ljust(64, "0"), f'{{"content":"{content}"}}'.encode()


async def test_a_content_gets_one_number_however_often_it_is_published(database: Database):
    assert await items.publish(database, [row("A", "x"), row("B", "y")], NOW) == {"A": 1, "B": 1}
    assert await items.publish(database, [row("A", "z"), row("B", "y")], NOW) == {"A": 2, "B": 1}
    assert await items.publish(database, [row("A", "x")], NOW) == {"A": 1}


async def test_a_published_body_is_read_back(database: Database):
    await items.publish(database, [row("A", "x")], NOW)
    body = await items.version_of(database, "A", 1)
    assert body is not None
    assert b'"x"' in body
    assert await items.version_of(database, "A", 2) is None


async def test_processes_that_publish_at_once_agree_on_the_numbers(database: Database):
    async def publish(content: str) -> int:
        async with database.transaction() as tx:
            return (await items.publish(tx, [row("A", content)], NOW))["A"]

    numbers = await asyncio.gather(*(publish(content) for content in "xyzxyz"))
    assert numbers[:3] == numbers[3:]
    assert sorted(numbers[:3]) == [1, 2, 3]
    assert len(await database.rows("SELECT version FROM item_version WHERE code = 'A'")) == 3
