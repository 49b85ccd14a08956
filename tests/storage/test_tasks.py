"""Tasks that use Redis end when they are told to, whatever swallows the message."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from storage.bell import Bell
from storage.redis import carry_bell, connect
from storage.tasks import end, together


async def _deaf(times: int) -> None:
    """Swallows cancellations, as `asyncio.wait_for` of Python 3.11 may when what it waits for is there already."""
    for _ in range(times):
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    await asyncio.Event().wait()


async def test_a_task_that_swallows_cancellations_ends_all_the_same():
    task = asyncio.create_task(_deaf(3))
    await asyncio.sleep(0)

    async with asyncio.timeout(5):
        await end([task])

    assert task.cancelled()


async def test_works_that_run_together_end_together_when_they_are_cancelled_once():
    both = asyncio.create_task(together(_deaf(2), _deaf(3)))
    await asyncio.sleep(0)
    before = len(asyncio.all_tasks())

    both.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait([both])

    assert both.cancelled()
    assert len(asyncio.all_tasks()) == before - 3


async def test_when_one_work_breaks_the_others_end_and_the_reason_is_told():
    async def breaks() -> None:
        raise LookupError

    async with asyncio.timeout(5):
        with suppress(LookupError):
            await together(_deaf(2), breaks())
            raise AssertionError("nothing was told")
    assert len(asyncio.all_tasks()) == 1


async def test_a_bell_that_rings_all_the_time_can_be_stopped(valkey_url: str):
    async def ring(bell: Bell) -> None:
        while True:
            bell.ring("topic")
            await asyncio.sleep(0)

    for _ in range(30):
        store, bell = await connect(valkey_url), Bell()
        carried, ringing = asyncio.create_task(carry_bell(store, bell)), asyncio.create_task(ring(bell))
        async with store.listening.pubsub() as heard:
            await heard.subscribe("bell")
            async with asyncio.timeout(5):
                while (await heard.get_message(timeout=5) or {}).get("type") != "message":
                    pass
        carried.cancel()
        async with asyncio.timeout(5):
            await asyncio.wait([carried])
        await end([ringing])
        await store.close()
