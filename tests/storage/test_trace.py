from __future__ import annotations

import asyncio
import re

import pytest

from storage import trace
from storage.trace import Trace, carried, current, onward

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE_ID = GIVEN.split("-")[1]


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        (GIVEN, "01"),
        (GIVEN[:-2] + "00", "00"),
        (GIVEN[:-2] + "ff", "03"),  # flags that nobody knows yet are not passed on
        ("cc" + GIVEN[2:], "01"),  # a later version begins alike
        ("cc" + GIVEN[2:] + "-what-the-future-holds", "01"),
    ],
)
def test_what_came_is_carried_on_with_a_span_of_its_own(given: str, flags: str) -> None:
    first, second = Trace(given).onward(), Trace(given).onward()
    assert re.fullmatch(f"00-{TRACE_ID}-[0-9a-f]{{16}}-{flags}", first)
    assert len({first, second, given}) == 3


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "nonsense",
        GIVEN.upper(),
        GIVEN + "-more",
        GIVEN[:-1],
        "ff" + GIVEN[2:],
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
    ],
)
def test_a_missing_or_broken_one_begins_a_new_trace(given: str | None) -> None:
    begun = Trace(given)
    assert begun.trace_id != TRACE_ID
    assert re.fullmatch(f"00-{begun.trace_id}-[0-9a-f]{{16}}-01", begun.onward())


def test_work_is_done_on_behalf_of_what_came_and_the_former_trace_comes_back() -> None:
    with carried(GIVEN) as outer:
        with carried(None) as inner:
            assert current() is inner
        assert current() is outer
        assert onward().split("-")[1] == TRACE_ID
    assert current() is None


async def test_what_is_begun_ends_with_its_task_and_reaches_the_tasks_it_starts() -> None:
    async def started() -> str:
        return onward()

    async def request() -> str:
        trace.begin(Trace(GIVEN))
        return await asyncio.create_task(started())

    assert (await asyncio.create_task(request())).split("-")[1] == TRACE_ID
    assert current() is None


def test_outside_of_any_work_every_message_has_a_trace_of_its_own() -> None:
    assert onward().split("-")[1] != onward().split("-")[1]
