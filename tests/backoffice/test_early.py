"""A department that jumps ahead in its numbers costs a bounded amount of memory and is told why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from backoffice import inbox as inbox_module
from backoffice.early import MOST_BYTES, MOST_OF_A_CASE, Early
from backoffice.inbox import Inbox
from storage.streams import Entry

MakeInbox = Callable[..., Inbox]


@dataclass(frozen=True)
class Held:
    """The least that can be held."""

    entry: Entry
    case_id: str
    sequence: int


def held(sequence: int, *, case_id: str = "c", size: int = 1, entry: str = "") -> Held:
    return Held(Entry(entry or f"{sequence}-{case_id}", b"x" * size), case_id, sequence)


def test_a_case_holds_so_many_and_the_next_ones_find_no_room():
    early: Early[Held] = Early()
    messages = [held(n) for n in range(2, MOST_OF_A_CASE + 4)]
    assert early.hold(messages) == messages[MOST_OF_A_CASE:]
    assert early.hold([held(2, case_id="other")]) == []
    assert early.release("c") == messages[:MOST_OF_A_CASE]
    assert early.release("c") == []


def test_a_lane_holds_so_many_bytes_and_has_room_again_when_they_are_released():
    early: Early[Held] = Early()
    large, small = held(2, size=MOST_BYTES), held(2, case_id="other")
    assert early.hold([large, small]) == [small]
    early.release("c")
    assert early.hold([small]) == []
    early.clear()
    assert early.hold([large]) == []


def test_of_two_copies_the_later_is_held_for_the_entry_of_the_earlier_may_be_lost():
    early: Early[Held] = Early()
    first, again = held(2), held(2, entry="later")
    assert early.hold([first, first]) == []
    assert early.hold([again]) == [first]
    assert early.release("c") == [again]


async def test_beyond_the_bound_early_answers_are_acknowledged_unconfirmed_and_come_again(town: Any, make_inbox: MakeInbox) -> None:
    inbox = make_inbox()
    last = MOST_OF_A_CASE + 10
    batch = [Entry(f"1-{n}", town.answer(town.first, n)) for n in range(2, last + 1)]
    dropped = await inbox.take(batch)
    assert dropped == [f"1-{n}" for n in range(MOST_OF_A_CASE + 2, last + 1)]
    assert await town.heard() == []
    await inbox.take([Entry("1-1", town.answer(town.first, 1))])
    await inbox.take([entry for entry in batch if entry.id in dropped])  # the department sends what is unconfirmed
    assert (await town.effects())[town.first] == list(range(1, last + 1))
    assert await town.set_aside() == []


async def test_a_number_far_ahead_is_set_aside_with_its_reason_and_the_line_goes_on(town: Any, make_inbox: MakeInbox) -> None:
    inbox = make_inbox()
    far = [Entry("1-1", town.answer(town.first, 1001)), Entry("1-2", town.answer(town.second, 1000))]
    assert await inbox.take([Entry("1-0", town.answer(town.second, 1)), *far]) == ["1-1", "1-0"]
    assert await inbox.take([Entry("1-3", town.answer(town.first, 1))]) == ["1-3"]
    ((kind, case_id, _, reason),) = await town.set_aside()
    assert (kind, case_id) == ("poison", town.first)
    assert "1001 号过于超前" in reason


async def test_very_many_that_a_filled_gap_sets_free_take_effect_in_several_transactions(
    town: Any, make_inbox: MakeInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.inbox._AT_ONCE", 4)
    inbox = make_inbox()
    cases = (town.first, town.second)
    waiting = [(case, n) for case in cases for n in (2, 3)]
    assert await inbox.take([Entry(f"1-{place}", town.answer(case, n)) for place, (case, n) in enumerate(waiting)]) == []
    town.ledger.failing[town.second, 1] = [KeyError("passing")]

    done = await inbox.take([Entry(f"2-{place}", town.answer(case, 1)) for place, case in enumerate(cases)])

    assert sorted(done) == ["1-0", "1-1", "2-0"]  # the other part failed alone
    assert await town.effects() == {town.first: [1, 2, 3]}


def test_a_part_is_bounded_and_leaves_a_case_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "_AT_ONCE", 10)
    sizes = {"a": 4, "b": 5, "c": 0, "d": 2, "e": 30, "f": 1}
    ready: Any = {case: list(range(size)) for case, size in sizes.items()}
    parts = list(inbox_module._parts(ready))
    assert [list(part) for part in parts] == [["a", "b"], ["d"], ["e"], ["f"]]
    assert {case: len(queue) for part in parts for case, queue in part.items()} == {case: size for case, size in sizes.items() if size}
