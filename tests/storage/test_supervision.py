"""Looks are taken once, whoever comes; a card exists once; lists are filtered in the database."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

from storage import supervision, supervision_cards
from storage.database import Database
from storage.supervision_cards import Wanted

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
