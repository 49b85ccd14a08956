from __future__ import annotations

import datetime as dt

import pytest

from storage import audit
from storage.database import Database, Queries

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


async def note(db: Queries, minute: int, object_id: str = "c1") -> None:
    await audit.record(
        db, at=NOW + dt.timedelta(minutes=minute), actor_kind="staff", actor_id="s1", action="case.open",
        object_kind="case", object_id=object_id, outcome="done", data={"minute": minute, "字": "值"},
    )  # fmt: skip


async def test_what_happened_to_an_object_is_told_newest_first(database: Database):
    for minute in (2, 0, 1):
        await note(database, minute)
    await note(database, 3, "c2")
    rows = await audit.of_object(database, "case", "c1")
    assert [row["data"]["minute"] for row in rows] == [2, 1, 0]
    assert rows[0]["occurred_at"] == NOW + dt.timedelta(minutes=2)
    assert rows[0]["data"]["字"] == "值"
    assert (rows[0]["actor_id"], rows[0]["action"], rows[0]["outcome"]) == ("s1", "case.open", "done")


async def test_pages_join_without_gap_even_within_one_moment(database: Database):
    for _ in range(5):
        await note(database, 1)
    pages, last = [], None
    while page := await audit.of_object(database, "case", "c1", before=last, limit=2):
        pages.append(page)
        last = page[-1]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({row["id"] for page in pages for row in page}) == 5


async def test_an_act_that_did_not_take_effect_is_not_on_record(database: Database):
    async def fail() -> None:
        async with database.transaction() as tx:
            await note(tx, 1)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await audit.of_object(database, "case", "c1") == []
