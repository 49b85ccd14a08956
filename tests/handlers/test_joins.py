"""The rules of the parallel review on plain values: any order, any answers; every part begins in its turn and the join comes once."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from handlers.catalogue import Part
from handlers.joins import in_circles, joined, ready, waits_for

CODES = ("AA", "BB", "CC", "DD", "EE")


def a_part(code: str, **values: Any) -> Part:
    return Part(department=code, action="审查", days=3, **values)


@st.composite
def reviews(draw: st.DrawFn) -> tuple[Part, ...]:
    codes = CODES[: draw(st.integers(1, 5))]
    return tuple(
        a_part(code, mode=draw(st.sampled_from(["parallel", "serial"])), after=tuple(sorted(draw(st.sets(st.sampled_from(codes)))))[:2])
        for code in codes
    )


def test_parallel_parts_begin_at_once_and_serial_ones_after_them_in_order():
    parts = (a_part("AA"), a_part("BB", mode="serial"), a_part("CC"), a_part("DD", mode="serial"))

    assert [waits_for(parts, place) for place in range(4)] == [frozenset(), {0, 2}, frozenset(), {0, 1, 2}]


def test_a_part_waits_for_the_departments_it_names_and_for_no_others():
    parts = (a_part("AA"), a_part("BB"), a_part("CC", after=("BB",)))

    assert waits_for(parts, 2) == {1}


def test_parts_that_wait_for_each_other_are_found():
    assert in_circles((a_part("AA", after=("BB",)), a_part("BB", after=("AA",)), a_part("CC"))) == {0, 1}


def test_the_join_rules():
    assert joined("all", ["agreed", "disagreed"])
    assert not joined("all", ["agreed", None])
    assert joined("any", [None, "agreed"])
    assert not joined("any", [None, "disagreed"])
    assert joined("any", ["disagreed", "disagreed"])
    assert joined("lead", [None, None])
    assert joined("all", [])


@given(reviews(), st.randoms(use_true_random=False))
def test_in_any_order_of_answers_every_part_begins_once_after_what_it_waits_for(parts: tuple[Part, ...], chance: Any):
    assume(not in_circles(parts))
    states = dict.fromkeys(range(len(parts)), "waiting")
    begun: list[int] = []
    while any(state != "done" for state in states.values()):
        for place in states:
            if ready(parts, states, place):
                assert all(states[other] == "done" for other in waits_for(parts, place))
                states[place] = "requested"
                begun.append(place)
        answering = [place for place, state in states.items() if state == "requested"]
        assert answering, "somebody is always asked until all have answered"
        states[chance.choice(answering)] = "done"

    assert sorted(begun) == list(states)
