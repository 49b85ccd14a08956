"""Departments without Redis read their journal by position: ask for what follows, take it in, confirm up to a position.

Whoever asks gives positions to what is unsent, so no carrier need run; the lock of the link row keeps several processes apart.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from backoffice.lanes import lanes_of
from backoffice.unopened import Opening, try_again
from handlers.catalogue import Department
from handlers.errors import Refused
from handlers.office import Office
from storage import journal, outbox, standing
from storage.journal import Posted
from storage.standing import Standing

MOST_BYTES = 1024 * 1024
"""A page ends behind this many bytes of messages, however many were asked for."""

_LOOK_AGAIN = 1.0
"""Seconds after which a waiting reader looks again: other processes ring through Redis, which need not be there."""

LINKS: Mapping[str, str] = {"queue": "Redis", "webhook": "webhook", "files": "文件批次", "desk": "工作台"}


@dataclass(frozen=True, slots=True)
class Page:
    """Messages as (position, exact envelope bytes), in order; `next` is the position to ask from."""

    messages: list[tuple[int, bytes]]
    next: int


@dataclass(frozen=True, slots=True)
class State:
    """What a department may know of its own connection; `is_more` says that messages wait which have no position yet."""

    standing: Standing
    is_more: bool
    server_time: dt.datetime


async def read(
    office: Office, department: Department, after: int, limit: int, patience: float, is_gone: Callable[[], bool] = lambda: False
) -> Page:
    """At most `limit` messages behind a position, waiting up to `patience` seconds for the first; raises Refused.

    `is_gone` is asked now and then whether anybody still waits for the answer.
    """
    _only_pull(department)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    with office.bell.listen(outbox.BELL) as ticket:
        while True:
            page = await _page(office, department, after, limit)
            left = deadline - loop.time()
            if page.messages or left <= 0 or is_gone():
                return page
            await ticket.wait(min(left, _LOOK_AGAIN))


async def acknowledge(office: Office, department: Department, position: int) -> int:
    """Everything up to a position has been taken in, for good; the position that holds now. Raises Refused."""
    _only_pull(department)
    _check_given(await standing.of(office.database, department.code), position)
    return await journal.confirm(office.database, department.code, position, office.clock.now())


async def state(office: Office, department: Department) -> State:
    """How the connection stands."""
    stands = await standing.of(office.database, department.code)
    waiting = await outbox.waiting(office.database, lanes_of({department.code: department.partitions}))
    return State(stands, bool(waiting), office.clock.now())


async def adopt(office: Office) -> None:
    """At start: what once went by stream, unconfirmed, to a department that has no streams any more is to be posted like the rest.

    What did not open is tried with the keys that are there now.
    """
    for department in office.catalogue.departments.values():
        if department.link in {"pull", "webhook", "files"}:
            await journal.adopt(office.database, department.code)
    await try_again(office.database)


async def _page(office: Office, department: Department, after: int, limit: int) -> Page:
    database = office.database
    await _post(office, department, limit)
    stands = await standing.of(database, department.code)
    if stands.state == "paused":
        raise Refused("link_paused", {"reason": stands.reason or "", "retry_after": 60})
    _check_given(stands, after)
    messages: list[tuple[int, bytes]] = []
    while not messages:
        opening = Opening(office.keys.sealer)
        messages = _fitting(opening, await journal.page(database, department.code, after, limit))
        if not opening.closed:
            break
        await opening.put_back(database, office.clock, department.code)  # and look again, for others may follow
        await _post(office, department, limit)
    return Page(messages, messages[-1][0] if messages else after)


async def _post(office: Office, department: Department, limit: int) -> None:
    lanes = lanes_of({department.code: department.partitions})
    if await outbox.waiting(office.database, lanes):
        await journal.post(office.database, lanes, limit, office.clock.now())


def _fitting(opening: Opening, found: Sequence[Posted]) -> list[tuple[int, bytes]]:
    """What opens, as far as a page holds it, but one message at least."""
    messages: list[tuple[int, bytes]] = []
    size = 0
    for posted in found:
        body = opening.open(posted.letter)
        size += len(body or b"")
        if messages and size > MOST_BYTES:
            break
        if body is not None:
            messages.append((posted.position, body))
    return messages


def _only_pull(department: Department) -> None:
    if department.link != "pull":
        raise Refused("link_other", {"link": LINKS[department.link]})


def _check_given(stands: Standing, position: int) -> None:
    """A position that was never given means that one side forgot something: said aloud, or its reader would wait for ever."""
    if position > stands.position:
        raise Refused("position_unknown", {"position": stands.position, "taken": stands.taken})
