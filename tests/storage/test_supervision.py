"""Looks are taken once, whoever comes; a card exists once; lists are filtered in the database."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

from storage import supervision, supervision_cards, worklist
from storage.database import Database
from storage.supervision_cards import Wanted
from tests.support.samples import ROWS, insert

NOW = dt.datetime(2026, 3, 2, 2, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def card(number: int, **values: Any) -> dict[str, Any]:
    return {
        "id": f"k{number}", "object_kind": "case", "object_id": f"c{number}", "case_id": f"c{number}", "item_code": "GA-05",
        "department": "GA", "area": "130208108", "staff_id": None, "level": "yellow", "rule": "case-yellow", "rule_version": 1,
        "text": "超期", "state": "issued", "earned_at": NOW, "issued_at": NOW, "issued_by": None, "feedback_due_on": None, **values,
    }  # fmt: skip


async def look_at(database: Database, *ids: str, moment: dt.datetime = NOW) -> None:
    async with database.transaction() as tx:
        for one in ids:
            await supervision.plan(tx, ("case", one, one, moment))


async def test_a_look_is_taken_by_one_of_several(database: Database):
    await look_at(database, "a")
    [due] = await supervision.due(database, NOW, 10)

    async def take() -> bool:
        async with database.transaction() as tx:
            return await supervision.move(tx, due, NOW + DAY)

    assert sorted(await asyncio.gather(*(take() for _ in range(4)))) == [False, False, False, True]
    assert await supervision.due(database, NOW, 10) == []


async def test_what_was_moved_by_a_change_of_its_case_is_left_alone(database: Database):
    await look_at(database, "a")
    [due] = await supervision.due(database, NOW, 10)
    await look_at(database, "a", moment=NOW - DAY)

    async with database.transaction() as tx:
        assert not await supervision.move(tx, due, None)
    await supervision.replan(database, ("case", "a", "a", NOW + DAY), NOW)
    await supervision.replan(database, ("case", "a", "a", NOW + DAY), None)

    assert [row["look_at"] for row in await supervision.due(database, NOW, 10)] == [NOW - DAY]


async def test_the_longest_due_come_first_and_no_more_than_asked(database: Database):
    await look_at(database, "late", moment=NOW - DAY)
    await look_at(database, "now")
    await look_at(database, "later", moment=NOW + DAY)
    assert [row["object_id"] for row in await supervision.due(database, NOW, 10)] == ["late", "now"]
    assert [row["object_id"] for row in await supervision.due(database, NOW, 1)] == ["late"]


async def test_a_card_exists_once_for_its_object_level_and_rule(database: Database):
    async with database.transaction() as tx:
        assert await supervision_cards.add(tx, [card(1), card(2)]) == ["k1", "k2"]
        assert await supervision_cards.add(tx, [card(3, object_id="c1"), card(4)]) == ["k4"]
        assert await supervision_cards.add(tx, []) == []


async def test_cards_are_filtered_by_what_is_asked_newest_first(database: Database):
    rows = [card(1), card(2, level="red"), card(3, department="MZ"), card(4, state="pending"), card(5, earned_at=NOW + 40 * DAY)]
    async with database.transaction() as tx:
        await supervision_cards.add(tx, rows)
        await supervision_cards.change(tx, "k3", ("issued",), {"appeal": "不是我们的", "appealed_at": NOW})

    async def found(wanted: Wanted, before: str | None = None) -> list[str]:
        return [row["id"] for row in await supervision_cards.listing(database, "130208108", wanted, before, 10)]

    assert await found(Wanted()) == ["k5", "k4", "k3", "k2", "k1"]
    assert await found(Wanted(), before="k3") == ["k2", "k1"]
    assert await found(Wanted(level="red")) == ["k2"]
    assert await found(Wanted(state="issued", department="GA", since=NOW, before=NOW + 30 * DAY)) == ["k2", "k1"]
    assert await found(Wanted(open_appeal=1)) == ["k3"]


async def test_a_card_is_changed_in_the_states_named_only_and_an_answer_is_given_once(database: Database):
    async with database.transaction() as tx:
        await supervision_cards.add(tx, [card(1)])
        assert await supervision_cards.change(tx, "k1", ("pending",), {"state": "dropped"}) is None
        first = await supervision_cards.change(tx, "k1", ("issued",), {"feedback": "一", "feedback_at": NOW}, unless="feedback_at")
        assert first is not None
        assert first["feedback"] == "一"
        assert await supervision_cards.change(tx, "k1", ("issued",), {"feedback": "二"}, unless="feedback_at") is None


async def test_only_what_wants_somebodys_eye_is_counted(database: Database):
    """Cards to be answered, warnings whose case runs still; for supervisors what waits for them; nothing of other units or areas."""
    await put_case(database, "run", "in_review")
    await put_case(database, "done", "completed")
    due = {"feedback_due_on": NOW.date()}
    warning = {"level": "warning", "rule": "case-warning"}
    rows = [
        card(1, **due), card(2, **due), card(3), card(4, **due, department="MZ"), card(5, **due, area="130208109"),
        card(6, **warning, object_id="run", case_id="run"), card(7, **warning, object_id="done", case_id="done"),
        card(8, level="red", state="pending"), card(9, **due, level="red"), card(10, **due, state="revoked"),
        card(11, **due, state="supervised"),
    ]  # fmt: skip
    async with database.transaction() as tx:
        await supervision_cards.add(tx, rows)
        await supervision_cards.change(tx, "k2", ("issued",), {"feedback": "一", "feedback_at": NOW, "appeal": "不服", "appealed_at": NOW})
        await worklist.rate(tx, ["run", "done"])

    async def count(department: str | None, *levels: str, settles: bool = False) -> int:
        return await supervision_cards.waiting(database, "130208108", department, levels, settles=settles)

    assert await count("GA", "warning", "yellow", "red") == 4  # 1, 6, 9, 11
    assert await count("GA", "yellow", "red") == 3
    assert await count("GA", "warning") == 1
    assert await count("MZ", "warning", "yellow", "red") == 1
    assert await count(None, "red", settles=True) == 3  # 8 to be confirmed, 9 told of, the appeal of 2
    assert await count("WJ", "warning", "yellow", "red") == 0


async def test_the_count_goes_by_its_own_indexes(database: Database):
    """It is asked for every page: what it costs must not grow with the cards of years."""
    async with database.transaction() as tx:
        for first in range(0, 4000, 400):
            values = {"feedback_due_on": NOW.date(), "level": "yellow"}
            await supervision_cards.add(tx, [card(number, **values) for number in range(first, first + 400)])
        await tx.execute("UPDATE supervision_card SET feedback_at = earned_at WHERE id <> 'k7'")
    await fill_desk(database, 3000, warned=10)
    words = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"
    for department, settles in (("GA", False), (None, True)):
        sql, values_of = supervision_cards.waiting_statement("130208108", department, ["yellow"], settles=settles)
        async with database.transaction() as tx:
            await tx.execute("ANALYZE supervision_card")
            await tx.execute("ANALYZE desk_task")
            plan = str(await tx.rows(f"{words} {sql}", *values_of))
        assert "supervision_card_waiting" in plan
        assert "desk_task_carded" in plan


async def fill_desk(database: Database, number: int, *, warned: int) -> None:
    """So many open cases at the desk of GA, a few of which have a warning."""
    await insert(database, "resident", ROWS["resident"])
    for table, one in (
        ("cases", {**ROWS["cases"], "department": "GA"}),
        ("desk_task", {**ROWS["desk_task"], "department": "GA", "level": 0}),
    ):
        own = {"cases": ("id", "number"), "desk_task": ("case_id",)}[table]
        columns = [*own, *(name for name in one if name not in own)]
        rows = [
            tuple(f"c{n}" if name in own else int(n < warned) if name == "level" else one[name] for name in columns) for n in range(number)
        ]
        marks = ", ".join(f"${n + 1}" for n in range(len(columns)))
        await database.execute_many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)


async def put_case(database: Database, case_id: str, state: str) -> None:
    """A case at the desk of GA, of which only its state is of interest."""
    if await database.one("SELECT id FROM resident WHERE id = 'r'") is None:
        await insert(database, "resident", ROWS["resident"])
    await insert(database, "cases", {**ROWS["cases"], "id": case_id, "number": case_id, "department": "GA", "state": state})
    await insert(database, "desk_task", {**ROWS["desk_task"], "case_id": case_id, "department": "GA"})
