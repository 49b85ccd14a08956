"""The stages of a bundle on plain values: whatever is granted or refused in whatever order, nothing begins early and nothing is undone."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from handlers.stages import Fate, PlannedPart, is_finished, next_moves

CODES = ("AA-01", "BB-01", "CC-01", "DD-01", "EE-01", "FF-01")


@st.composite
def plans(draw: st.DrawFn) -> tuple[PlannedPart, ...]:
    """Parts in up to four stages, each needing some parts of earlier stages."""
    parts: list[PlannedPart] = []
    for code in CODES[: draw(st.integers(1, 6))]:
        stage = draw(st.integers(1, 4))
        earlier = [part.code for part in parts if part.stage < stage]
        needs = draw(st.sets(st.sampled_from(earlier))) if earlier else set()
        parts.append(PlannedPart(code, f"case-{code}", stage, tuple(sorted(needs))))
    return tuple(sorted(parts, key=lambda part: part.stage))


def two_stages(**fates: Fate) -> tuple[tuple[PlannedPart, ...], dict[str, Fate]]:
    parts = (PlannedPart("first", "1", 1), PlannedPart("beside", "2", 1), PlannedPart("after", "3", 2, ("first",)))
    return parts, {"first": "going", "beside": "going", "after": "waiting", **fates}


def test_the_next_stage_waits_for_everything_before_it():
    assert next_moves(*two_stages(first="granted")).begin == ()
    assert next_moves(*two_stages(first="granted", beside="granted")).begin == ("after",)


def test_a_refusal_that_nobody_needs_holds_up_nothing():
    assert next_moves(*two_stages(first="granted", beside="ended")).begin == ("after",)


def test_what_needs_a_refused_part_does_not_begin_and_says_whom_it_needed():
    moves = next_moves(*two_stages(first="ended"))

    assert moves.begin == ()
    assert moves.stop == {"after": ("first",)}


def test_who_needs_a_stopped_part_is_stopped_too():
    parts = (PlannedPart("a", "1", 1), PlannedPart("b", "2", 2, ("a",)), PlannedPart("c", "3", 3, ("b",)))

    assert next_moves(parts, {"a": "ended", "b": "waiting", "c": "waiting"}).stop == {"b": ("a",), "c": ("b",)}


@given(plans(), st.randoms(use_true_random=False))
def test_any_order_of_any_answers_ends_with_every_part_over_and_none_begun_early_or_twice(parts: tuple[PlannedPart, ...], chance: Any):
    fates: dict[str, Fate] = dict.fromkeys((part.code for part in parts), "waiting")
    by_code = {part.code: part for part in parts}
    begun: list[str] = []
    for _ in range(3 * len(parts)):
        moves = next_moves(parts, fates)
        assert not set(moves.begin) & set(moves.stop)
        for code, in_vain in moves.stop.items():
            assert in_vain
            assert fates[code] == "waiting"
            fates[code] = "ended"
        for code in moves.begin:
            assert all(fates[need] == "granted" for need in by_code[code].needs)
            assert all(fates[one.code] in {"granted", "ended"} for one in parts if one.stage < by_code[code].stage)
            fates[code] = "going"
            begun.append(code)
        under_way = [code for code, fate in fates.items() if fate == "going"]
        if not under_way:
            break
        fates[chance.choice(under_way)] = chance.choice(["granted", "ended"])

    assert is_finished(fates)
    assert len(begun) == len(set(begun))
