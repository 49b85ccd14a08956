"""The head of each line is its first message that is not confirmed, and nothing behind it is due."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import deliveries, journal
from storage.database import Database
from storage.journal import Posted
from tests.support.exchange import NOW, add_case, add_resident, command, send

SOON = NOW + dt.timedelta(seconds=10)


@pytest.fixture
async def cases(database: Database) -> list[str]:
    """Three cases with three posted messages each."""
    resident = await add_resident(database)
    found = []
    for number in ("2611240001", "2611240002", "2611240003"):
        found.append(await add_case(database, resident, number))
        await send(database, *(command(found[-1], number) for _ in range(3)))
    await journal.post(database, [("MZ", 0)], 100, NOW)
    return found


async def due(database: Database, now: dt.datetime = NOW) -> list[tuple[str, int]]:
    return [(one.letter.case_id, one.letter.sequence) for one in await deliveries.due(database, "MZ", now, 100)]


async def head(database: Database, case_id: str) -> Posted:
    return next(one for one in await deliveries.due(database, "MZ", SOON, 100) if one.letter.case_id == case_id)


async def test_only_heads_are_due_and_in_the_order_of_posting(database: Database, cases: list[str]):
    assert await due(database) == [(case_id, 1) for case_id in cases]
    assert len(await deliveries.due(database, "MZ", NOW, 2)) == 2
    assert await deliveries.due(database, "GA", NOW, 10) == []


async def test_what_follows_is_due_only_after_the_one_before_is_confirmed(database: Database, cases: list[str]):
    first = await head(database, cases[0])
    await journal.confirm_one(database, first, NOW)
    second = await deliveries.following(database, "MZ", first)
    assert second
    assert second.letter.sequence == 2
    assert (cases[0], 2) in await due(database)


async def test_what_is_put_off_keeps_its_line_until_its_time(database: Database, cases: list[str]):
    await journal.put_off(database, await head(database, cases[0]), "断线", SOON)
    assert await due(database) == [(case_id, 1) for case_id in cases[1:]]
    assert (cases[0], 1) in await due(database, SOON)


async def test_waiting_for_the_link_is_no_try(database: Database, cases: list[str]):
    await deliveries.wait_for_link(database, await head(database, cases[0]), "断线", SOON)
    assert (await head(database, cases[0])).tries == 0
    await journal.put_off(database, await head(database, cases[0]), "断线", SOON)
    assert (await head(database, cases[0])).tries == 1


async def test_a_resting_link_is_tried_with_each_head_in_turn(database: Database, cases: list[str]):
    tried = []
    for second in range(3):
        posted = await deliveries.probe(database, "MZ")
        assert posted
        tried.append(posted.letter.case_id)
        await deliveries.wait_for_link(database, posted, "断线", SOON + dt.timedelta(seconds=second))
    assert tried == cases
    again = await deliveries.probe(database, "MZ")
    assert again
    assert again.letter.case_id == cases[0]


async def test_what_is_held_is_listed_and_never_tried_until_it_is_released(database: Database, cases: list[str]):
    for case_id in cases:
        await deliveries.hold(database, await head(database, case_id), "HTTP 422")
    assert await due(database, dt.datetime(9000, 1, 1, tzinfo=dt.UTC)) == []
    assert await deliveries.probe(database, "MZ") is None
    assert [(row["case_id"], row["sequence"], row["detail"]) for row in await deliveries.held(database, "MZ")] == [
        (case_id, 1, "HTTP 422") for case_id in cases
    ]
    assert await deliveries.release(database, "MZ") == 3
    assert await due(database) == [(case_id, 1) for case_id in cases]


async def test_giving_up_a_held_message_frees_its_line_and_nothing_else_can_be_given_up(database: Database, cases: list[str]):
    held, other = await head(database, cases[0]), await head(database, cases[1])
    await deliveries.hold(database, held, "HTTP 422")
    assert await deliveries.pass_over(database, other.letter.id, "误操作", NOW) is None
    assert await deliveries.pass_over(database, held.letter.id, "放弃", NOW) == {"department": "MZ", "case_id": cases[0], "sequence": 1}
    assert await deliveries.pass_over(database, held.letter.id, "放弃", NOW) is None
    assert (cases[0], 2) in await due(database)


ACTS = st.lists(st.tuples(st.sampled_from(["confirm", "put_off", "hold", "release", "pass_over"]), st.integers(0, 2)), max_size=25)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
async def test_whatever_happens_a_line_is_delivered_from_its_beginning(database: Database, cases: list[str], acts: list[tuple[str, int]]):
    await database.execute("UPDATE outbox SET confirmed_at = NULL, next_at = NULL, sends = 0")
    done = dict.fromkeys(cases, 0)
    for act, place in acts:
        heads = {one.letter.case_id: one for one in await deliveries.due(database, "MZ", SOON, 100)}
        if act == "release":
            await deliveries.release(database, "MZ")
        elif posted := heads.get(cases[place]):
            await _do(database, act, posted)
            done[cases[place]] += act in {"confirm", "pass_over"}
        for one in await deliveries.due(database, "MZ", SOON, 100):
            assert one.letter.sequence == done[one.letter.case_id] + 1


async def _do(database: Database, act: str, posted: Posted) -> None:
    if act == "confirm":
        await journal.confirm_one(database, posted, NOW)
    elif act == "put_off":
        await journal.put_off(database, posted, "断线", SOON)
    else:
        await deliveries.hold(database, posted, "HTTP 422")
    if act == "pass_over":
        await deliveries.pass_over(database, posted.letter.id, "放弃", NOW)
