"""The loop of a carrier: woken by the bell, undeterred by failures, ended only after the work in hand."""

from __future__ import annotations

import asyncio
import logging

import pytest

from notifications.carrier import Carrier
from storage.bell import Bell


class Work:
    """Counts its calls; can be told to fail, to ask for more, or to take its time."""

    def __init__(self) -> None:
        self.calls = 0
        self.more = 0
        self.fails = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.finished = 0

    async def __call__(self) -> bool:
        self.calls += 1
        if self.fails:
            raise RuntimeError("no luck")
        await self.gate.wait()
        self.finished += 1
        self.more -= 1
        return self.more > 0


async def _until(work: Work, calls: int) -> None:
    async with asyncio.timeout(5):
        while work.calls < calls:
            await asyncio.sleep(0.001)


async def test_the_bell_wakes_it_long_before_the_poll(bell: Bell) -> None:
    work = Work()
    carrier = Carrier("test", work, bell, "topic", poll=60)
    await carrier.start()
    await _until(work, 1)
    bell.ring("topic")
    await _until(work, 2)
    await carrier.stop()
    assert work.finished == work.calls


async def test_it_goes_on_at_once_while_there_is_more(bell: Bell) -> None:
    work = Work()
    work.more = 5
    carrier = Carrier("test", work, bell, "topic", poll=60)
    await carrier.start()
    await _until(work, 5)
    await carrier.stop()
    assert work.calls == 5


async def test_a_failure_costs_one_poll(bell: Bell, caplog: pytest.LogCaptureFixture) -> None:
    work = Work()
    work.fails = True
    carrier = Carrier("test", work, bell, "topic", poll=0.01)
    with caplog.at_level(logging.ERROR):
        await carrier.start()
        await _until(work, 3)
        await carrier.stop()
    assert "test: this round failed" in caplog.text


async def test_stopping_waits_for_the_work_in_hand_but_not_for_ever(bell: Bell) -> None:
    work = Work()
    work.gate.clear()
    carrier = Carrier("test", work, bell, "topic", poll=60)
    await carrier.start()
    await _until(work, 1)
    asyncio.get_running_loop().call_later(0.05, work.gate.set)
    await carrier.stop(grace=5)
    assert work.finished == 1
    work.gate.clear()
    await carrier.start()
    await _until(work, 2)
    await carrier.stop(grace=0.05)
    assert work.finished == 1


async def test_stopping_what_was_never_started_does_nothing(bell: Bell) -> None:
    await Carrier("test", Work(), bell, "topic").stop()
