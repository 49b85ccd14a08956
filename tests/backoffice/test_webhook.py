"""A department behind a webhook gets every message, each line in order, whatever the connection does."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from backoffice import link_acts
from backoffice.links import Patience
from backoffice.partner_keys import revoke_key
from backoffice.webhook import Pace
from handlers.office import Office
from storage import deliveries, journal, links
from tests.support.exchange import until
from tests.support.town import small_office
from tests.support.webhooks import FAST, Rig, open_rig

__all__ = ["small_office"]

HASTY = Pace(poll_seconds=0.05, retries=(0.01,) * 13, patience=Patience(failures=3, first_rest=0.0, longest_rest=0.0))


@pytest.fixture
async def rig(small_office: Office, tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(small_office, tmp_path) as rig:
        await rig.open_cases(6)
        yield rig


async def test_every_line_arrives_in_order_and_is_confirmed(rig: Rig):
    for case in range(6):
        await rig.say(case, "一", "二")
    async with rig.carrying():
        await rig.delivered()
        await rig.say(0, "三")
        await rig.delivered()
    assert rig.lines() == {case_id: [1, 2, 3] if n == 0 else [1, 2] for n, (case_id, _) in enumerate(rig.cases)}
    assert max(Counter(rig.receiver.arrivals).values()) == 1
    assert rig.counts.get("confirmed", "MZ") == 13
    link = await links.read(rig.office.database, "MZ")
    assert (link.state, link.failures) == ("working", 0)
    assert link.heard_at == rig.office.clock.now()


async def test_what_arrives_is_the_exact_envelope_under_its_position(rig: Rig):
    await rig.say(0, "一")
    async with rig.carrying():
        await rig.delivered()
    [posted] = await journal.page(rig.office.database, "MZ", 0, 10)
    assert posted.position == 1
    assert rig.receiver.arrivals == [(rig.cases[0][0], 1, posted.letter.id)]


async def test_a_delivery_is_a_part_of_the_trace_of_its_message(rig: Rig):
    await rig.say(0, "一")
    async with rig.carrying():
        await rig.delivered()
    [(delivery, message)] = [(header.split("-"), envelope.split("-")) for header, envelope in rig.receiver.traces]
    assert delivery[1] == message[1]
    assert delivery[2] != message[2]


@pytest.mark.parametrize("fault", ["error", "garbage", "reset", "huge", "redirect", "busy"])
async def test_a_faulty_connection_costs_time_but_no_message_and_no_order(rig: Rig, fault: str):
    rig.receiver.faults = {fault: 0.5}
    for case in range(3):
        await rig.say(case, "一", "二", "三")
    async with rig.carrying(pace=HASTY):
        await until(_all_taken_as_time_goes_by(rig), 20)
    assert rig.lines() == {case_id: [1, 2, 3] for case_id, _ in rig.cases[:3]}


async def test_a_lost_answer_brings_the_same_message_again(rig: Rig):
    rig.receiver.faults = {"reset": 1.0}
    await rig.say(0, "一")
    async with rig.carrying():
        await until(_arrived(rig, 1))
        rig.receiver.faults = {}
        await until(_all_taken_as_time_goes_by(rig))
    assert len(rig.receiver.arrivals) >= 2
    assert len(set(rig.receiver.arrivals)) == 1


async def test_a_message_that_is_refused_waits_with_its_line_and_the_others_flow(rig: Rig):
    rig.receiver.status = 422
    await rig.say(0, "一", "二")
    async with rig.carrying():
        held = await until(lambda: deliveries.held(rig.office.database, "MZ"))
        assert isinstance(held, list)
        assert [(row["sequence"], row["detail"]) for row in held] == [(1, "HTTP 422：本部门不接受这条消息")]
        rig.receiver.status = 0
        await rig.say(1, "一")
        await until(_confirmed(rig, rig.cases[1][0]))
        rig.advance(days=7)
        await rig.look_again("outbox")
        rig.advance(days=-7)
        assert list(rig.lines()) == [rig.cases[1][0]]
        await link_acts.wake(rig.office, "MZ")
        await rig.delivered()
    assert rig.lines()[rig.cases[0][0]] == [1, 2]


async def test_what_an_officer_passes_over_lets_its_line_go_on(rig: Rig):
    rig.receiver.status = 400
    await rig.say(0, "一", "二")
    async with rig.carrying():
        await until(lambda: deliveries.held(rig.office.database, "MZ"))
        rig.receiver.status = 0
        [row] = await deliveries.held(rig.office.database, "MZ")
        await link_acts.pass_over(rig.office, row["id"])
        await rig.delivered()
    assert rig.lines()[rig.cases[0][0]] == [2]


async def test_gone_pauses_the_link_and_waking_it_goes_on(rig: Rig):
    rig.receiver.status = 410
    await rig.say(0, "一")
    async with rig.carrying():
        await until(_is(rig, "paused"))
        assert "410" in str((await links.read(rig.office.database, "MZ")).reason)
        rig.receiver.status = 0
        await link_acts.wake(rig.office, "MZ")
        await rig.delivered()


async def test_nothing_is_sent_while_an_officer_has_paused_the_link(rig: Rig):
    await link_acts.pause(rig.office, "MZ", "系统维护")
    async with rig.carrying():
        await rig.say(0, "一")
        await rig.look_again(links.BELL)
        assert (rig.receiver.arrivals, rig.counts.get("sent", "MZ")) == ([], 0)
        await link_acts.wake(rig.office, "MZ")
        await rig.delivered()


async def test_a_dead_department_is_left_in_peace_and_comes_back_by_itself(rig: Rig):
    rig.receiver.faults = {"error": 1.0}
    pace = dataclasses.replace(FAST, patience=Patience(failures=3, first_rest=60.0, longest_rest=60.0))
    for case in range(6):
        await rig.say(case, "一", "二")
    async with rig.carrying(pace=pace):
        await until(_is(rig, "resting"))
        sent = rig.counts.get("sent", "MZ")
        assert sent <= pace.width + 3
        await rig.look_again(links.BELL)
        assert rig.counts.get("sent", "MZ") == sent
        rig.receiver.faults = {}
        rig.advance(seconds=61)
        rig.office.bell.sound(links.BELL)
        await until(_all_taken_as_time_goes_by(rig))
    assert (await links.read(rig.office.database, "MZ")).state == "working"
    assert rig.lines() == {case_id: [1, 2] for case_id, _ in rig.cases}


async def test_a_department_that_asks_for_a_rest_gets_it_at_once(rig: Rig):
    rig.receiver.faults = {"busy": 1.0}
    await rig.say(0, "一")
    async with rig.carrying():
        await until(_is(rig, "resting"))
        link = await links.read(rig.office.database, "MZ")
        assert link.rests_until_at == rig.office.clock.now() + dt.timedelta(seconds=1)
        assert rig.counts.get("sent", "MZ") == 1
        [row] = await rig.open_rows()
        assert row["sends"] == 0


async def test_a_day_without_success_pauses_the_link_with_the_reason(rig: Rig):
    rig.receiver.faults = {"error": 1.0}
    await rig.say(0, "一")
    async with rig.carrying(pace=HASTY):

        async def is_paused() -> bool:
            rig.advance(hours=1)
            return (await links.read(rig.office.database, "MZ")).state == "paused"

        await until(is_paused)
    assert str((await links.read(rig.office.database, "MZ")).reason).startswith("连续 24 小时无法投递，已暂停：HTTP ")


async def test_one_message_that_always_fails_is_held_while_the_others_flow(rig: Rig):
    bad = rig.cases[0][0]
    rig.receiver.broken_cases = {bad}
    await rig.say(0, "坏")
    async with rig.carrying(pace=dataclasses.replace(FAST, retries=(0.01, 0.01))):
        held: list[object] = []
        for _ in range(50):
            await rig.say(1, "好")
            await until(_confirmed(rig, rig.cases[1][0]))
            rig.advance(seconds=1)
            if held := await deliveries.held(rig.office.database, "MZ"):
                break
        assert [row["detail"] for row in held] == ["多次投递都失败，其他消息正常：HTTP 500"]
        assert (await links.read(rig.office.database, "MZ")).state == "working"


async def test_no_two_messages_of_a_line_are_under_way_at_once_and_lines_are(rig: Rig):
    gate = rig.receiver.hold_back()
    for case in range(6):
        await rig.say(case, "一", "二")
    async with rig.carrying(pace=dataclasses.replace(FAST, width=4)):
        await until(_waiting(rig, 4))
        await rig.look_again("outbox")
        assert sorted(rig.receiver.under_way) == sorted(set(rig.receiver.under_way))
        assert len(rig.receiver.under_way) == 4
        gate.set()
        await rig.delivered()
    assert rig.receiver.most_of_a_line == 1


async def test_without_a_key_the_link_says_so_and_sends_nothing(rig: Rig):
    await revoke_key(rig.office, rig.receiver.key_id)
    await rig.say(0, "一")
    async with rig.carrying():
        await until(_is(rig, "resting"))
    assert "mobile-api department add MZ" in str((await links.read(rig.office.database, "MZ")).reason)
    assert rig.counts.get("sent", "MZ") == 0


async def test_a_wrong_key_is_the_links_fault_not_the_messages(rig: Rig):
    rig.receiver.secret = bytes(32)
    for case in range(5):
        await rig.say(case, "一")
    async with rig.carrying():
        await until(_is(rig, "resting"))
        assert (await links.read(rig.office.database, "MZ")).reason == "HTTP 401：signature"
        assert await deliveries.held(rig.office.database, "MZ") == []


async def test_what_was_replayed_comes_again_with_the_same_ids(rig: Rig):
    await rig.say(0, "一", "二")
    await rig.say(1, "一")
    async with rig.carrying():
        await rig.delivered()
        assert await link_acts.replay(rig.office, "MZ", 2) == 2
        await rig.delivered()
    counted = Counter(rig.receiver.arrivals)
    assert sorted(counted.values()) == [1, 2, 2]


async def test_what_went_by_stream_before_the_link_was_changed_is_delivered(rig: Rig):
    await rig.say(0, "一", "二")
    await rig.office.database.execute("UPDATE outbox SET sent_at = $1, stream_id = '1-1'", rig.office.clock.now())
    async with rig.carrying():
        await rig.delivered()
    assert rig.lines() == {rig.cases[0][0]: [1, 2]}


async def test_a_message_that_does_not_open_here_is_held_and_the_others_flow(rig: Rig):
    await rig.say(0, "坏")
    await rig.office.database.execute("UPDATE outbox SET body = $1", b"not sealed by us")
    await rig.say(1, "好")
    async with rig.carrying():
        await until(_confirmed(rig, rig.cases[1][0]))
        [held] = await rig.open_rows()
        assert held["detail"] == "消息在本系统中无法解封：保存的内容已损坏或被改动"
    assert list(rig.lines()) == [rig.cases[1][0]]


async def test_a_slow_line_is_not_delivered_twice_when_the_link_comes_back(rig: Rig):
    pace = dataclasses.replace(FAST, patience=Patience(failures=2, first_rest=0.0, longest_rest=0.0))
    gate = rig.receiver.hold_back()
    await rig.say(0, "慢")
    async with rig.carrying(pace=pace):
        await until(_waiting(rig, 1))
        await links.failed(rig.office.database, "MZ", "断线", rig.office.clock.now())
        await links.rest(rig.office.database, "MZ", rig.office.clock.now(), rig.office.clock.now())
        await rig.look_again("outbox")
        assert rig.receiver.under_way == [rig.cases[0][0]]
        gate.set()
        await rig.delivered()
    assert len(rig.receiver.arrivals) == 1


async def test_a_department_that_hangs_delays_no_other(rig: Rig, small_office: Office, tmp_path: Path):
    gate = rig.receiver.hold_back()
    for case in range(6):
        await rig.say(case, "一")
    async with open_rig(small_office, tmp_path, "GA") as other:
        other.cases = rig.cases
        for case in range(6):
            await other.say(case, "一", "二")
        async with rig.carrying(), other.carrying():
            await until(_waiting(rig, 6))
            await until(_arrived(other, 12))
            assert rig.receiver.arrivals == []
            gate.set()
            await rig.delivered()


async def test_a_second_carrier_takes_over_and_the_first_stops(rig: Rig):
    await rig.say(0, "一")
    async with rig.carrying() as holding:
        await rig.delivered()
        await holding.release()
        await rig.say(0, "二")
        async with rig.carrying():
            await rig.delivered()
    assert rig.lines() == {rig.cases[0][0]: [1, 2]}
    assert len(rig.receiver.arrivals) == 2


def _all_taken_as_time_goes_by(rig: Rig) -> Callable[[], Awaitable[bool]]:
    async def all_taken() -> bool:
        rig.advance(seconds=0.05)
        return not await rig.open_rows()

    return all_taken


def _arrived(rig: Rig, many: int) -> Callable[[], Awaitable[bool]]:
    async def arrived() -> bool:
        return len(rig.receiver.arrivals) >= many

    return arrived


def _is(rig: Rig, state: str) -> Callable[[], Awaitable[bool]]:
    async def is_so() -> bool:
        return (await links.read(rig.office.database, "MZ")).state == state

    return is_so


def _confirmed(rig: Rig, case_id: str) -> Callable[[], Awaitable[bool]]:
    async def confirmed() -> bool:
        return all(row["case_id"] != case_id for row in await rig.open_rows())

    return confirmed


def _waiting(rig: Rig, many: int) -> Callable[[], Awaitable[bool]]:
    async def waiting() -> bool:
        return len(rig.receiver.under_way) >= many

    return waiting
