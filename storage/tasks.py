"""Ending tasks that use Redis: with Python 3.11 one cancellation is not enough."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any


async def end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks until they end: `asyncio.wait_for` of Python 3.11, in redis-py's sending, can swallow a cancellation."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.05)


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Run until one breaks or this task is cancelled, then end all; a TaskGroup cancels each only once, and may wait for ever."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await end(tasks)


def goes_on() -> bool:
    """False once the task that asks was told to end, also if a library swallowed it; for loops that are busy all the time."""
    task = asyncio.current_task()
    return task is None or not task.cancelling()
