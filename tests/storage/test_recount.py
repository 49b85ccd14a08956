from __future__ import annotations

import datetime as dt

from storage import recount
from storage.database import Database
from storage.ids import uuid7
from tests.support.town import settle_in

NOW = dt.datetime(2026, 12, 28, 2, tzinfo=dt.UTC)
JANUARY = dt.date(2027, 1, 11)


async def put(database: Database, resident: str, state: str, legal_on: dt.date | None, *, provisional: bool) -> str:
    """A case row of which only its clock is of interest."""
    case = uuid7()
    await database.execute(
        "INSERT INTO cases (id, number, resident_id, item_code, item_version, department, area, state, form_sealed, card, created_at, "
        "updated_at, accepted_at, promised_on, legal_on, is_provisional) "
        "VALUES ($1, $2, $3, 'SJ-03', 1, 'SJ', '130208108', $4, $5, '{}', $6, $6, $6, $7, $7, $8)",
        case, case[-20:], resident, state, b"", NOW, legal_on, provisional,
    )  # fmt: skip
    return case


async def test_only_cases_whose_clock_runs_past_the_day_are_read_in_order_and_in_pages(database: Database):
    resident = await settle_in(database, "o1")
    running = [await put(database, resident, "in_review", JANUARY, provisional=True) for _ in range(3)]
    await put(database, resident, "decided", JANUARY, provisional=True)
    await put(database, resident, "submitted", None, provisional=False)
    await put(database, resident, "in_review", dt.date(2026, 12, 30), provisional=False)

    first = await recount.counted(database, dt.date(2027, 1, 1), "", 2)
    second = await recount.counted(database, dt.date(2027, 1, 1), first[-1]["id"], 2)

    assert [row["id"] for row in (*first, *second)] == sorted(running)
    assert first[0]["legal_on"] == JANUARY
    assert first[0]["is_provisional"] is True


async def test_provisional_cases_are_read_only_as_far_as_the_years_are_known(database: Database):
    resident = await settle_in(database, "o1")
    near = await put(database, resident, "accepted", JANUARY, provisional=True)
    await put(database, resident, "accepted", JANUARY, provisional=False)
    await put(database, resident, "accepted", dt.date(2028, 1, 3), provisional=True)

    found = await recount.provisional(database, dt.date.min, dt.date(2027, 12, 31), "", 10)

    assert [row["id"] for row in found] == [near]


async def test_the_look_for_provisional_cases_goes_by_their_own_index(database: Database):
    """The clock looks every minute: what it costs must not grow with the cases that are certain."""
    resident = await settle_in(database, "o1")
    for provisional in (True, *[False] * 400):
        await put(database, resident, "in_review", JANUARY, provisional=provisional)
    words = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"
    async with database.transaction() as tx:
        await tx.execute("ANALYZE cases")
        plan = await tx.rows(f"{words} {recount.PROVISIONAL} ORDER BY id LIMIT $3", "", dt.date.min, 10, dt.date(2027, 12, 31))
    assert "cases_provisional" in str(plan)
