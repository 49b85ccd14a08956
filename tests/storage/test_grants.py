"""A grant is given once per task and upload, and ends with its task."""

from __future__ import annotations

import datetime as dt

import pytest

from storage import grants
from storage.database import Database
from storage.grants import Grant
from storage.ids import uuid7
from tests.support import exchange
from tests.support.exchange import NOW

LATER = NOW + dt.timedelta(days=7)


@pytest.fixture
async def grant(database: Database) -> Grant:
    resident, upload = await exchange.add_resident(database), uuid7()
    await database.execute(
        "INSERT INTO upload (id, owner_id, state, name, created_at) VALUES ($1, $2, 'ready', 'a', $3)", upload, resident, NOW
    )
    return Grant("MZ", await exchange.add_case(database, resident, "2611240001"), uuid7(), upload)


async def give(database: Database, *given: Grant) -> None:
    async with database.transaction() as tx:
        await grants.give(tx, given, NOW)


async def fetched(database: Database, grant: Grant, department: str = "MZ", now: dt.datetime = NOW) -> bool:
    async with database.transaction() as tx:
        return await grants.fetch(tx, grant.id, department, now) is not None


async def test_the_same_grant_again_is_the_same_row(database: Database, grant: Grant) -> None:
    await give(database, grant)
    await give(database, grant)
    rows = await database.rows("SELECT id, expires_at FROM file_grant")
    assert rows == [{"id": grant.id, "expires_at": None}]


async def test_it_holds_for_one_department_until_it_ends(database: Database, grant: Grant) -> None:
    await give(database, grant)
    assert await fetched(database, grant)
    assert not await fetched(database, grant, "GA")
    async with database.transaction() as tx:
        await grants.end(tx, [grant.task_id], LATER)
        await grants.end(tx, [grant.task_id], LATER + dt.timedelta(days=9))  # the first end counts
        await grants.end(tx, [], LATER)
    assert await fetched(database, grant, now=LATER - dt.timedelta(seconds=1))
    assert not await fetched(database, grant, now=LATER)
    assert await grants.forget(database, NOW) == 0
    assert await grants.forget(database, LATER) == 1


async def test_a_grant_goes_with_its_case(database: Database, grant: Grant) -> None:
    await give(database, grant)
    await database.execute("DELETE FROM cases")
    assert await database.rows("SELECT id FROM file_grant") == []
