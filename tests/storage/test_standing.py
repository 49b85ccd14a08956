"""How a link stands can be read without a lock; hearing from a department is written at most once a minute."""

from __future__ import annotations

import datetime as dt

from storage import journal, standing
from storage.database import Database
from storage.standing import Standing
from tests.support.exchange import NOW

MINUTE = dt.timedelta(minutes=1)


async def test_a_department_never_heard_of_stands_at_the_beginning(database: Database) -> None:
    assert await standing.of(database, "MZ") == Standing()


async def test_being_heard_is_noted_once_a_minute_and_changes_nothing_else(database: Database) -> None:
    async with database.transaction() as tx:
        await journal.link(tx, "MZ", NOW)
    await standing.heard(database, "MZ", NOW, NOW - MINUTE)
    await standing.heard(database, "MZ", NOW + MINUTE / 2, NOW - MINUTE / 2)
    assert await standing.of(database, "MZ") == Standing(heard_at=NOW)
    await standing.heard(database, "MZ", NOW + 2 * MINUTE, NOW + MINUTE)
    assert (await standing.of(database, "MZ")).heard_at == NOW + 2 * MINUTE


async def test_the_first_thing_heard_makes_the_row(database: Database) -> None:
    await standing.heard(database, "MZ", NOW, NOW - MINUTE)
    assert (await standing.of(database, "MZ")).heard_at == NOW
