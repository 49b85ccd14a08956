from __future__ import annotations

import asyncio
import datetime as dt
import sqlite3
from collections.abc import Awaitable, Callable
from contextvars import Context
from pathlib import Path

import pytest

from storage.bell import Bell
from storage.database import Database, Transaction
from storage.errors import Conflict, StoreUnavailable
from storage.models import Counter

SET = "INSERT INTO counter AS c (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
OpenDatabase = Callable[..., Awaitable[Database]]
SHANGHAI = dt.timezone(dt.timedelta(hours=8))


async def value_of(db: Database | Transaction, name: str = "a") -> object:
    row = await db.one("SELECT value FROM counter WHERE name = $1", name)
    return row["value"] if row else None


async def test_values_come_back_as_they_went_in_whatever_the_dialect(database: Database):
    at = dt.datetime(2026, 3, 1, 8, 30, 0, 120, tzinfo=SHANGHAI)
    await database.execute(
        "INSERT INTO staff (id, username, name, role, area, password_hash, totp_sealed, is_active, created_at) "
        "VALUES ($1, $1, $2, 'clerk', '130208108', '', $3, FALSE, $4)",
        "s1", "王芳", b"\x00\xff", at,
    )  # fmt: skip
    row = await database.one("SELECT * FROM staff")
    assert row is not None
    assert row["created_at"] == at
    assert row["created_at"].utcoffset() == dt.timedelta(0)
    assert (row["name"], row["totp_sealed"], row["is_active"], row["locked_until_at"]) == ("王芳", b"\x00\xff", False, None)


async def test_a_boolean_called_is_on_is_no_date(database: Database):
    insert = (
        "INSERT INTO subscription (account_id, template, kind, is_on, updated_at) VALUES ('r', 't', 'lasting', TRUE, $1) RETURNING is_on"
    )
    assert await database.one(insert, dt.datetime.now(dt.UTC)) == {"is_on": True}


async def test_arguments_may_be_used_twice_and_in_any_order(database: Database):
    row = await database.one("SELECT CAST($2 AS VARCHAR) AS second, CAST($1 AS VARCHAR) AS first, CAST($2 AS VARCHAR) AS again", "a", "b")
    assert row == {"second": "b", "first": "a", "again": "b"}


async def test_a_transaction_takes_effect_whole_or_not_at_all(database: Database):
    async def fail() -> None:
        async with database.transaction() as tx:
            await tx.execute(SET, "a", 1)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await value_of(database) is None


async def test_a_bell_rung_in_a_transaction_sounds_after_the_commit_only(database: Database, bell: Bell):
    seen = []
    with bell.listen("topic") as ticket:
        async with database.transaction() as tx:
            await tx.execute(SET, "a", 1)
            tx.ring("topic")
            tx.after_commit(lambda: seen.append("after"))
            assert not await ticket.wait(0.01)
            assert not seen
        assert await ticket.wait(1)
    assert seen == ["after"]


async def test_a_bell_rung_in_a_failed_transaction_stays_silent(database: Database, bell: Bell):
    async def fail() -> None:
        async with database.transaction() as tx:
            tx.ring("topic")
            await tx.execute("INSERT INTO counter (name, value) VALUES ('a', NULL)")

    with bell.listen("topic") as ticket:
        with pytest.raises(Conflict):
            await fail()
        assert not await ticket.wait(0.01)


async def test_a_savepoint_lets_one_part_fail_alone(database: Database):
    async def fail(tx: Transaction) -> None:
        async with tx.savepoint():
            await tx.execute(SET, "a", 2)
            await tx.execute("INSERT INTO counter (name, value) VALUES ('a', 3)")

    async with database.transaction() as tx:
        await tx.execute(SET, "a", 1)
        with pytest.raises(Conflict):
            await fail(tx)
        async with tx.savepoint():
            await tx.execute(SET, "b", 4)
    assert (await value_of(database, "a"), await value_of(database, "b")) == (1, 4)


async def test_a_conflict_names_the_rule_and_never_the_values(database: Database):
    insert = "INSERT INTO evaluation (id, case_id, item_code, department, level, tags, created_at) VALUES ($1, 'c', 'i', 'd', 9, '[]', $2)"
    with pytest.raises(Conflict) as caught:
        await database.execute(insert, "身份证130208199001011234", dt.datetime.now(dt.UTC))
    assert "130208199001011234" not in str(caught.value)
    assert "evaluation" in str(caught.value) or "CHECK" in str(caught.value)
    assert caught.value.__suppress_context__


async def test_a_value_of_a_wrong_kind_is_not_told(postgres_url: str, open_database: OpenDatabase):
    database = await open_database(postgres_url)
    with pytest.raises(Exception, match=r"query argument \$2") as caught:
        await database.execute(SET, "a", "身份证130208199001011234")
    assert "130208199001011234" not in str(caught.value)


@pytest.mark.parametrize("moment", range(6))
async def test_a_cancelled_transaction_leaves_nothing_behind_and_locks_nobody_out(database: Database, moment: int):
    async def work() -> None:
        async with database.transaction() as tx:
            for number in range(50):
                await tx.execute(SET, "a", number)

    task = asyncio.create_task(work())
    for _ in range(moment):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(5), database.transaction() as tx:
        assert await value_of(tx) is None
        await tx.execute(SET, "a", 99)
    assert await value_of(database) == 99


async def test_a_pool_of_one_survives_many_cancelled_beginnings(postgres_url: str, bell: Bell, open_database: OpenDatabase):
    database = await open_database(postgres_url, bell, pool=1)

    async def begin() -> None:
        async with database.transaction() as tx:
            await tx.execute(SET, "a", 1)

    for moment in range(8):
        task = asyncio.create_task(begin())
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(5):
        await begin()


async def test_transactions_of_one_process_wait_for_each_other(database: Database):
    async def add() -> None:
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO counter AS c (name, value) VALUES ('a', 1) ON CONFLICT (name) DO UPDATE SET value = c.value + 1")

    await asyncio.gather(*(add() for _ in range(30)))
    assert await value_of(database) == 30


async def test_a_task_started_long_after_the_opening_can_write(database: Database):
    """A request's task does not descend from the task that opened the database."""

    async def write() -> None:
        async with database.transaction() as tx:
            await tx.execute(SET, "a", 5)

    await asyncio.to_thread(lambda: None)
    await asyncio.get_running_loop().create_task(write(), context=Context())
    assert await value_of(database) == 5


async def test_models_speak_to_the_transaction_at_hand(database: Database):
    async def fail() -> None:
        async with database.transaction() as tx:
            await Counter.create(name="a", value=7)
            assert await value_of(tx) == 7
            assert (await Counter.filter(name="a").using_db(tx.client).get()).value == 7
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert not await Counter.filter(name="a").using_db(database.client).exists()


async def test_both_dialects_live_in_one_process(sqlite_url: str, postgres_url: str, open_database: OpenDatabase):
    """Tortoise caches statements by the connection's name, so the name says the dialect."""
    for _ in range(2):
        for url in (sqlite_url, postgres_url):
            database = await open_database(url)
            async with database.transaction() as tx:
                await Counter.filter(name="a").using_db(tx.client).delete()
                await Counter.create(name="a", value=1, using_db=tx.client)
                found = await Counter.filter(name="a").using_db(tx.client).get()
                found.value = 2
                await found.save(using_db=tx.client)
            assert await value_of(database) == 2


async def test_many_rows_go_in_all_or_none(database: Database):
    await database.execute_many(SET, [("a", 1), ("b", 2)])
    with pytest.raises(Conflict):
        await database.execute_many("INSERT INTO counter (name, value) VALUES ($1, $2)", [("c", 3), ("a", 9)])
    assert [row["name"] for row in await database.rows("SELECT name FROM counter ORDER BY name")] == ["a", "b"]
    await database.execute_many(SET, [])


async def test_a_busy_sqlite_file_is_an_unavailable_store_and_usable_afterwards(sqlite_url: str, open_database: OpenDatabase):
    database = await open_database(sqlite_url)
    await database.execute("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite://"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        async with database.transaction():
            pytest.fail("the lock was not respected")
    other.execute("COMMIT")
    other.close()
    async with asyncio.timeout(5), database.transaction() as tx:
        await tx.execute(SET, "a", 1)


async def test_a_lost_connection_is_an_unavailable_store_and_the_next_query_has_a_new_one(postgres_url: str, open_database: OpenDatabase):
    database = await open_database(postgres_url, pool=2)

    async def lose() -> None:
        async with database.transaction() as tx:
            await tx.execute(SET, "a", 1)
            await database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
            await tx.execute(SET, "b", 1)

    with pytest.raises(StoreUnavailable):
        await lose()
    assert await value_of(database) is None


@pytest.mark.parametrize("url", ["mysql://x", "town.db", "postgres://postgres@127.0.0.1:1/none"])
async def test_an_address_that_cannot_be_used_names_its_setting(url: str, open_database: OpenDatabase):
    with pytest.raises((ValueError, StoreUnavailable), match=r"database\.url"):
        await open_database(url)


async def test_a_file_that_is_no_database_names_its_setting(tmp_path: Path, open_database: OpenDatabase):
    path = tmp_path / "town.db"
    path.write_bytes(b"this is a letter, not a database, and it is long enough to tell" * 20)
    with pytest.raises(StoreUnavailable, match=r"database\.url"):
        await open_database(f"sqlite://{path}")
