from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.counts import Counts
from backoffice.inbox import Inbox
from handlers.errors import Refused
from storage import inbox as rows
from storage.errors import StoreUnavailable
from storage.streams import Entry

MakeInbox = Callable[..., Inbox]


def entries(*bodies: bytes) -> list[Entry]:
    return [Entry(f"1-{n}", body) for n, body in enumerate(bodies, start=1)]


async def test_answers_take_effect_and_are_confirmed_once_per_case(town: Any, make_inbox: MakeInbox) -> None:
    batch = entries(town.answer(town.first, 1), town.answer(town.second, 1), town.answer(town.first, 2))
    assert sorted(await make_inbox().take(batch)) == ["1-1", "1-2", "1-3"]
    assert await town.effects() == {town.first: [1, 2], town.second: [1]}
    assert sorted(await town.heard()) == sorted([(town.first, 2), (town.second, 1)])


async def test_a_repeated_answer_changes_nothing_and_is_confirmed_again(town: Any, make_inbox: MakeInbox) -> None:
    for _ in range(2):
        assert await make_inbox().take(entries(town.answer(town.first, 1), town.answer(town.first, 1)))
    assert await town.effects() == {town.first: [1]}
    assert await town.heard() == [(town.first, 1), (town.first, 1)]
    assert await town.set_aside() == []


async def test_what_comes_too_early_waits_until_the_gap_is_filled(town: Any, make_inbox: MakeInbox) -> None:
    inbox = make_inbox()
    assert await inbox.take([Entry("1-3", town.answer(town.first, 3))]) == []
    assert await inbox.take([Entry("1-2", town.answer(town.first, 2)), Entry("1-9", town.answer(town.second, 1))]) == ["1-9"]
    assert await inbox.take([Entry("1-1", town.answer(town.first, 1))]) == ["1-1", "1-2", "1-3"]
    assert (await town.effects())[town.first] == [1, 2, 3]


async def test_what_waits_for_a_gap_is_counted_once_and_what_is_tried_again_is_no_gap(
    town: Any, make_inbox: MakeInbox, eager: None
) -> None:
    counts = Counts()
    inbox = make_inbox(counts=counts)
    early = [Entry(f"1-{n}", town.answer(town.first, n)) for n in (3, 4)]
    for _ in range(5):
        inbox.begin_again()  # everything pending is handed over again every few seconds
        await inbox.take(early)
    assert counts.get("gaps", "MZ") == 2
    town.ledger.failing[town.first, 1] = [KeyError("passing")]
    await inbox.take(entries(town.answer(town.first, 1)))
    assert (counts.get("gaps", "MZ"), counts.get("retried", "MZ")) == (2, 1)


async def test_another_message_under_an_id_that_was_used_is_set_aside_and_its_line_goes_on(town: Any, make_inbox: MakeInbox) -> None:
    again = town.answer(town.first, 4, id="same")
    await make_inbox().take(entries(town.answer(town.first, 1, id="same"), town.answer(town.first, 2, id="same")))
    for _ in range(2):  # sent again, as long as it is not confirmed
        await make_inbox().take(entries(town.answer(town.first, 3), again, town.answer(town.second, 1, id="same")))
    assert await town.effects() == {town.first: [1, 3]}
    assert (town.first, 4) in await town.heard()
    found = await town.set_aside()
    assert [(kind, case_id, sequence) for kind, case_id, sequence, _ in found] == [
        ("poison", town.second, 1),
        ("poison", town.first, 2),
        ("poison", town.first, 4),
    ]
    assert {reason for *_, reason in found} == {"id：已被此前的另一条消息使用；每条消息的 id 应各不相同"}


async def test_another_message_under_a_number_that_is_taken_is_set_aside(town: Any, make_inbox: MakeInbox) -> None:
    inbox = make_inbox()
    await inbox.take(entries(town.answer(town.first, 1)))
    assert await inbox.take(entries(town.answer(town.first, 1, id="other"))) == ["1-1"]
    ((kind, case_id, _, reason),) = await town.set_aside()
    assert (kind, case_id) == ("poison", town.first)
    assert "已被另一条消息使用" in reason


async def test_what_cannot_be_read_is_set_aside_once_with_its_reason_and_blocks_nobody(town: Any, make_inbox: MakeInbox) -> None:
    strange = [
        b"<xml/>",
        b"",
        town.answer(town.first, 1, source="/departments/GA"),
        town.answer(town.first, 1, data={"case": "2611240001", "task": "t"}),
        town.answer(town.first, 1, partitionkey="no-such-case"),
        town.answer(town.first, 1, subject="case/2611240002", data={"case": "2611240002", "task": "t", "text": "x"}),
    ]
    for _ in range(2):  # delivered again after a crash before the acknowledgement
        assert len(await make_inbox().take(entries(*strange, town.answer(town.second, 1)))) == len(strange) + 1
    assert await town.effects() == {town.second: [1]}
    found = await town.set_aside()
    assert len(found) == len(strange)
    assert {kind for kind, *_ in found} == {"poison"}
    words = " ".join(reason for *_, reason in found)
    for word in ("不是 JSON", "字段 e", "自己的名义", "不符合 task.progressed", "没有参与", "不一致"):
        assert word in words


async def test_the_right_message_after_a_garbled_one_takes_effect(town: Any, make_inbox: MakeInbox) -> None:
    good = town.answer(town.first, 1)
    await make_inbox().take(entries(good[: len(good) // 2], good.replace(b'"text"', b'"words"'), good))
    assert await town.effects() == {town.first: [1]}


async def test_what_is_refused_is_set_aside_alone_and_its_line_goes_on(town: Any, make_inbox: MakeInbox) -> None:
    town.ledger.failing[town.first, 2] = [Refused("wrong_state", {"state": "已办结", "possible": "查看进度"})]
    batch = [town.answer(town.first, n) for n in (1, 2, 3)] + [town.answer(town.second, n) for n in (1, 2)]
    inbox = make_inbox()
    assert len(await inbox.take(entries(*batch))) == 5
    await inbox.take(entries(town.answer(town.first, 2), town.answer(town.first, 4), town.answer(town.second, 3)))
    assert await town.effects() == {town.first: [1, 3, 4], town.second: [1, 2, 3]}
    ((kind, case_id, sequence, reason),) = await town.set_aside()
    assert (kind, case_id, sequence) == ("poison", town.first, 2)
    assert "已办结" in reason
    assert (town.first, 4) in await town.heard()


async def test_what_may_work_later_is_tried_again_and_then_takes_effect_in_order(town: Any, make_inbox: MakeInbox, eager: None) -> None:
    town.ledger.failing[town.first, 1] = [KeyError("passing")]
    inbox = make_inbox()
    batch = entries(town.answer(town.first, 1), town.answer(town.first, 2), town.answer(town.second, 1))
    assert await inbox.take(batch) == ["1-3"]
    del town.ledger.failing[town.first, 1]
    inbox.begin_again()
    assert await inbox.take(batch[:2]) == ["1-1", "1-2"]
    assert (await town.effects())[town.first] == [1, 2]


async def test_what_fails_too_often_parks_its_line(town: Any, make_inbox: MakeInbox, eager: None) -> None:
    town.ledger.failing[town.first, 1] = [KeyError("lasting")]
    inbox = make_inbox()
    batch = entries(town.answer(town.first, 1))
    for expected in ([], [], ["1-1"]):
        inbox.begin_again()
        assert await inbox.take(batch) == expected
    ((kind, case_id, sequence, reason),) = await town.set_aside()
    assert (kind, case_id, sequence) == ("parked", town.first, 1)
    assert "KeyError" in reason
    assert await inbox.take(entries(town.answer(town.first, 2), town.answer(town.second, 1))) == ["1-1", "1-2"]
    assert await town.effects() == {town.second: [1]}
    assert [sequence for *_, sequence, _ in await town.set_aside()] == [1, 2]


async def test_a_retry_waits_for_its_time_in_every_process_and_over_a_restart(
    town: Any, make_inbox: MakeInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.inbox.jitter", lambda *_: 30.0)
    town.ledger.failing[town.first, 1] = [KeyError("passing")]
    batch = entries(town.answer(town.first, 1))
    assert await make_inbox().take(batch) == []
    del town.ledger.failing[town.first, 1]
    town.clock.advance(seconds=29)
    assert await make_inbox().take(batch) == []
    town.clock.advance(seconds=1)
    assert await make_inbox().take(batch) == ["1-1"]
    assert await town.effects() == {town.first: [1]}


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between tries."""
    monkeypatch.setattr("backoffice.inbox.jitter", lambda *_: 0.0)


async def test_a_holder_that_was_overtaken_has_no_effect(town: Any, make_inbox: MakeInbox) -> None:
    late = make_inbox()
    real = rows.lines
    stale = await real(town.database, "MZ", [town.first])
    await make_inbox().take(entries(town.answer(town.first, 1)))
    with pytest.raises(rows.Overtaken):
        await late._commit([late._message(entries(town.answer(town.first, 1))[0])], stale)
    assert await town.effects() == {town.first: [1]}


async def test_when_redis_is_away_the_commit_stands_and_the_confirmation_comes_later(town: Any, make_inbox: MakeInbox) -> None:
    await town.redis.set("taken:{MZ}", "spoilt")
    with pytest.raises(StoreUnavailable):
        await make_inbox().take(entries(town.answer(town.first, 1)))
    await town.redis.delete("taken:{MZ}")
    assert await make_inbox().take(entries(town.answer(town.first, 1))) == ["1-1"]
    assert await town.effects() == {town.first: [1]}
    assert await town.heard() == [(town.first, 1)]


Delivery = Sequence[Sequence[tuple[int, int]]]
messages = [(case, sequence) for case in (0, 1) for sequence in range(1, 6)]
schedules = st.lists(st.lists(st.sampled_from(messages), max_size=8), max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(schedule=schedules, restarts=st.sets(st.integers(0, 8)))
async def test_any_schedule_of_deliveries_ends_in_every_effect_once_and_in_order(
    town: Any, make_inbox: MakeInbox, schedule: Delivery, restarts: set[int]
) -> None:
    await town.database.execute("DELETE FROM case_event")
    await town.database.execute("DELETE FROM inbox")
    await town.database.execute("UPDATE case_line SET received = 0")
    ids = (town.first, town.second)
    inbox = make_inbox()
    pending: dict[str, bytes] = {}
    for turn, batch in enumerate([*schedule, messages]):  # at last, everything is sent again
        if turn in restarts:
            inbox = make_inbox()
            await settle(inbox, pending, [])
        await settle(inbox, pending, [(f"{turn + 1}-{n}", town.answer(ids[case], sequence)) for n, (case, sequence) in enumerate(batch)])
    inbox.begin_again()
    await settle(inbox, pending, [])
    assert await town.effects() == {town.first: [1, 2, 3, 4, 5], town.second: [1, 2, 3, 4, 5]}
    assert pending == {}
    assert await town.set_aside() == []


async def settle(inbox: Inbox, pending: dict[str, bytes], new: list[tuple[str, bytes]]) -> None:
    """Deliver what is new, or, without any, everything pending; what the inbox is done with leaves the stream."""
    delivered = new or list(pending.items())
    pending.update(new)
    for entry_id in await inbox.take([Entry(*one) for one in delivered]):
        pending.pop(entry_id, None)
