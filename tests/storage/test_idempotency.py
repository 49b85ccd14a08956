"""Kept answers: found again to the byte, unreadable and unmovable at rest, forgotten in time."""

from __future__ import annotations

import datetime as dt

import pytest

from storage.database import Database
from storage.idempotency import Act, AnswerBook, KeptAnswer, purge
from storage.sealing import Sealer, Tampered

NOW = dt.datetime(2026, 11, 24, 8, tzinfo=dt.UTC)
ACT = Act("0192f0c1-0000-7000-8000-000000000001", "POST /cases", "key-1")
ANSWER = KeptAnswer(201, {"Location": "/cases/1", "ETag": '"v1"'}, '{"name": "张三", "id": "110101199001011234"}'.encode())


@pytest.fixture
def book() -> AnswerBook:
    return AnswerBook(Sealer({1: bytes(range(32))}, 1))


async def keep(database: Database, book: AnswerBook, act: Act = ACT, at: dt.datetime = NOW) -> bool:
    async with database.transaction() as tx:
        return await book.keep(tx, act, book.fingerprint(b"request"), ANSWER, at)


async def test_an_answer_is_found_again_to_the_byte(database: Database, book: AnswerBook):
    assert await keep(database, book)
    assert await book.find(database, ACT) == (book.fingerprint(b"request"), ANSWER)


async def test_an_act_has_one_answer(database: Database, book: AnswerBook):
    assert [await keep(database, book), await keep(database, book)] == [True, False]


async def test_what_was_never_done_has_none(database: Database, book: AnswerBook):
    await keep(database, book)
    for other in (
        Act("other", ACT.operation, ACT.key),
        Act(ACT.account_id, "POST /x", ACT.key),
        Act(ACT.account_id, ACT.operation, "other"),
    ):
        assert await book.find(database, other) is None


async def test_an_answer_goes_with_its_effect(database: Database, book: AnswerBook):
    async def cut_short() -> None:
        async with database.transaction() as tx:
            await book.keep(tx, ACT, book.fingerprint(b"request"), ANSWER, NOW)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        await cut_short()
    assert await book.find(database, ACT) is None


async def test_nothing_personal_can_be_read_from_the_row(database: Database, book: AnswerBook):
    await keep(database, book)
    row = await database.one("SELECT * FROM idempotency")
    assert row is not None
    assert b"1101011990" not in bytes(row["body"])
    assert "张三".encode() not in bytes(row["body"])


async def test_an_answer_cannot_be_moved_to_another_act(database: Database, book: AnswerBook):
    await keep(database, book)
    await database.execute("UPDATE idempotency SET key = $1", "key-2")
    with pytest.raises(Tampered):
        await book.find(database, Act(ACT.account_id, ACT.operation, "key-2"))


def test_fingerprints_tell_requests_apart_and_need_the_key(book: AnswerBook):
    assert book.fingerprint(b"ab", b"c") != book.fingerprint(b"a", b"bc")
    assert book.fingerprint(b"a") == book.fingerprint(b"a")
    assert book.fingerprint(b"a") != AnswerBook(Sealer({1: bytes(32)}, 1)).fingerprint(b"a")


async def test_answers_older_than_a_day_are_forgotten(database: Database, book: AnswerBook):
    old = Act(ACT.account_id, ACT.operation, "old")
    await keep(database, book, old, NOW - dt.timedelta(hours=25))
    await keep(database, book)
    assert await purge(database, NOW - dt.timedelta(hours=24)) == 1
    assert await book.find(database, old) is None
    assert await book.find(database, ACT) is not None
