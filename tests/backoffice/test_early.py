"""A department that jumps ahead in its numbers costs a bounded amount of memory and is told why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
