from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from storage.ids import uuid7


@given(at=st.floats(min_value=0, max_value=2**37))
def test_an_id_is_a_uuid_of_version_7_that_carries_its_time(at: float):
    made = uuid.UUID(uuid7(at))

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == int(at * 1000)


@given(first=st.integers(0, 2**37), later=st.integers(1, 2**20))
def test_ids_sort_by_their_time(first: int, later: int):
    assert uuid7(first) < uuid7(first + later)


def test_ids_never_meet():
    assert len({uuid7(1.0) for _ in range(1000)}) == 1000
