from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.errors import Refused
from handlers.transitions import ACTS, OPEN_STATES, PUBLIC_STATES, STATE_NAMES, follow, possible

ACTORS = ("resident", "staff", "department", "system")
FINAL = {"not_accepted", "completed", "withdrawn", "expired"}


def test_every_state_has_a_name_and_a_public_state():
    assert set(STATE_NAMES) == set(PUBLIC_STATES)
    assert set(PUBLIC_STATES.values()) == {"draft", "with_office", "needs_you", "decided", "completed"}


def test_every_act_leads_between_known_states():
    for act in ACTS.values():
        assert act.begins <= set(STATE_NAMES)
        assert act.ends in STATE_NAMES or not act.ends
        assert act.source


def test_nothing_leads_out_of_a_final_state():
    assert all(not possible(state, actor) for state in FINAL for actor in ACTORS)


def test_every_open_state_has_a_way_on():
    for state in OPEN_STATES:
        assert any(possible(state, actor) for actor in ACTORS), state


@given(state=st.sampled_from(sorted(STATE_NAMES)), act=st.sampled_from(sorted(ACTS)), actor=st.sampled_from(ACTORS))
def test_an_act_is_followed_exactly_where_the_table_has_it(state: str, act: str, actor: str):
    if act in possible(state, actor):  # type: ignore[arg-type]
        assert follow(act, state, actor) == (ACTS[act].ends or state)  # type: ignore[arg-type]
        return
    with pytest.raises(Refused) as refused:
        follow(act, state, actor)  # type: ignore[arg-type]
    assert refused.value.code == "wrong_state"
    assert refused.value.values["possible"]


@given(acts=st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.sampled_from(ACTORS)), max_size=30))
def test_a_random_walk_never_leaves_the_table_and_a_decision_needs_a_review(acts: list[tuple[str, str]]):
    state, seen = "draft", ["draft"]
    for act, actor in acts:
        try:
            state = follow(act, state, actor)  # type: ignore[arg-type]
        except Refused:
            continue
        seen.append(state)
    assert "decided" not in seen or seen.index("in_review") < seen.index("decided")
