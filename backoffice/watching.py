"""How the exchange is doing, department by department, whichever processes carry it; and each process's share in the counters."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import msgspec

from backoffice.counts import Counts, What
from backoffice.lanes import answers_key, commands_key, confirmations_key, lanes_of, taken_key
from handlers.access import Officer
from handlers.catalogue import Department
from handlers.errors import Refused
from handlers.policy import scope_of
from storage import deliveries, inbox, outbox
from storage.clock import Clock
from storage.database import Database, Row
from storage.errors import StoreUnavailable
from storage.outbox import Lane
from storage.tasks import end
from storage.watching import Depth, Gauge, links

logger = logging.getLogger("backoffice")

_PUBLISH_SECONDS = 2.0
_FRESH_SECONDS = 2.0


class StreamFigures(msgspec.Struct, frozen=True):
    """One stream: entries in it, and those that were read and are not dealt with; null while Redis cannot be asked."""

    entries: int | None
    pending: int | None


class LaneFigures(msgspec.Struct, frozen=True):
    """One partition of a department: `commands` to it (`q:`), `answers` from it (`a:`)."""

    partition: int
    commands: StreamFigures
    answers: StreamFigures


class DepartmentFigures(msgspec.Struct, frozen=True):
    """One department: how it is linked and how that stands, what waits in the database and in Redis, what was carried.

    Ages are seconds and 0 where nothing waits. `held` are messages that the department refused or that do not open here, `poison` and
    `parked` messages of its own that cannot take effect: an officer decides. `counts` is of all processes since Redis began, null while
    it cannot be asked.
    """

    department: str
    name: str
    link: str
    state: str
    reason: str | None
    heard_at: dt.datetime | None
    unsent: int
    oldest_unsent_seconds: float
    unconfirmed: int
    oldest_unconfirmed_seconds: float
    held: int
    poison: int
    parked: int
    oldest_set_aside_seconds: float
    confirmations: StreamFigures
    taken: StreamFigures
    lanes: list[LaneFigures]
    counts: dict[str, int] | None


class ExchangeFigures(msgspec.Struct, frozen=True):
    """Every department, and whether Redis answered; `at` is when this was looked up, at most some seconds ago."""

    at: dt.datetime
    is_redis_there: bool
    items: list[DepartmentFigures]
    next_cursor: None = None


class Watch:
    """Looks at the exchange with `departments` (by code) for whoever asks, but not more often than every other second."""

    def __init__(self, database: Database, clock: Clock, gauge: Gauge, departments: Mapping[str, Department]) -> None:
        self._database = database
        self._clock = clock
        self._gauge = gauge
        self._departments = departments
        self._looking = asyncio.Lock()
        self._last: tuple[float, ExchangeFigures] | None = None

    async def figures(self) -> ExchangeFigures:
        """The figures: five queries and two round trips to Redis, however many ask. Raises StoreUnavailable without the database."""
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if self._last is None or now - self._last[0] > _FRESH_SECONDS:
                self._last = now, await self._look()
            return self._last[1]

    def look_again(self) -> None:
        """Something was changed here: whoever asks next is not told what was seen before."""
        self._last = None

    async def show(self, officer: Officer) -> ExchangeFigures:
        """The figures for a member of staff who may see them."""
        if scope_of(officer.role, "watch_exchange") == "none":
            raise Refused("forbidden")
        return await self.figures()

    async def _look(self) -> ExchangeFigures:
        rows = _Rows(
            self._clock.now(),
            await outbox.stats(self._database),
            await deliveries.held_counts(self._database),
            {row["department"]: row for row in await inbox.stats(self._database)},
            await links(self._database),
        )
        pipe = await self._pipe()
        items = [_department(one, rows, pipe) for _, one in sorted(self._departments.items())]
        return ExchangeFigures(rows.now, pipe is not None, items)

    async def _pipe(self) -> _Pipe | None:
        try:
            return _Pipe(await self._gauge.depths(self._keys()), await self._gauge.counted())
        except StoreUnavailable as error:
            logger.info("Redis cannot be watched: %s", error)
            return None

    def _keys(self) -> list[str]:
        partitions = {code: one.partitions for code, one in self._departments.items() if one.link == "queue"}
        of_lanes = [key for lane in lanes_of(partitions) for key in (commands_key(lane), answers_key(lane))]
        return of_lanes + [key for code in partitions for key in (confirmations_key(code), taken_key(code))]


@dataclass(frozen=True, slots=True)
class _Rows:
    """What the database says, by department."""

    now: dt.datetime
    outbox: dict[str, Row]
    held: dict[str, int]
    set_aside: dict[str, Row]
    links: dict[str, Row]


@dataclass(frozen=True, slots=True)
class _Pipe:
    """What Redis says."""

    depths: dict[str, Depth | None]
    counted: dict[str, int]


def _department(department: Department, rows: _Rows, pipe: _Pipe | None) -> DepartmentFigures:
    code = department.code
    waiting, aside, link = (found.get(code, {}) for found in (rows.outbox, rows.set_aside, rows.links))
    lanes = lanes_of({code: department.partitions}) if department.link == "queue" else []
    return DepartmentFigures(
        department=code,
        name=department.name,
        link=department.link,
        state=link.get("state", "working"),
        reason=link.get("reason"),
        heard_at=link.get("heard_at"),
        unsent=waiting.get("unsent", 0),
        oldest_unsent_seconds=_age(rows.now, waiting.get("oldest_unsent_at")),
        unconfirmed=waiting.get("unconfirmed", 0),
        oldest_unconfirmed_seconds=_age(rows.now, waiting.get("oldest_unconfirmed_at")),
        held=rows.held.get(code, 0),
        poison=aside.get("poison", 0),
        parked=aside.get("parked", 0),
        oldest_set_aside_seconds=_age(rows.now, aside.get("oldest_at")),
        confirmations=_stream(pipe, confirmations_key(code)),
        taken=_stream(pipe, taken_key(code)),
        lanes=[_lane(pipe, lane) for lane in lanes],
        counts=None if pipe is None else {what: pipe.counted.get(_field(what, code), 0) for what in get_args(What)},
    )


def _lane(pipe: _Pipe | None, lane: Lane) -> LaneFigures:
    return LaneFigures(lane[1], _stream(pipe, commands_key(lane)), _stream(pipe, answers_key(lane)))


def _stream(pipe: _Pipe | None, key: str) -> StreamFigures:
    depth = None if pipe is None else pipe.depths.get(key)
    return StreamFigures(None, None) if depth is None else StreamFigures(depth.entries, depth.pending)


def _age(now: dt.datetime, since: dt.datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def _field(what: str, department: str) -> str:
    return f"{what}:{department}"


class Tally:
    """Adds what this process's carriers count to what all of them have counted, every other second and at the end.

    When Redis breaks off in the middle of it, what was counted since may be added once more: these are figures for watching.
    """

    def __init__(self, counts: Counts, gauge: Gauge, every: float = _PUBLISH_SECONDS) -> None:
        self._counts = counts
        self._gauge = gauge
        self._every = every
        self._told: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to add."""
        self._task = asyncio.create_task(self._keep(), name="bridge:tally")

    async def stop(self) -> None:
        """End, with what was counted last."""
        if self._task is not None:
            await end([self._task])
            self._task = None
        await self.publish()

    async def publish(self) -> None:
        """Add what is new; what Redis does not take now is added next time."""
        now = {_field(what, department): number for (what, department), number in self._counts.all().items()}
        fresh = {name: number - self._told.get(name, 0) for name, number in now.items() if number > self._told.get(name, 0)}
        if not fresh:
            return
        try:
            await self._gauge.add(fresh)
        except StoreUnavailable:  # the carriers say it
            return
        self._told = now

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await self.publish()
