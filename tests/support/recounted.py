"""The figures of a report counted a second time, from the event rows alone and day by day; shares no code with handlers.reports.

What an event row cannot say (item, department, area, person or firm) is read from the case and given in.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from itertools import pairwise
from typing import Any

from handlers.catalogue import ServiceItem

TOWN = dt.timezone(dt.timedelta(hours=8))
DAY = dt.timedelta(days=1)
ENDS = {"completed", "not_accepted", "withdrawn", "expired"}

IsWorkday = Callable[[dt.date], bool]
Span = tuple[dt.datetime, dt.datetime]


@dataclass(slots=True)
class Life:
    """What happened in one case, as its events tell it."""

    item: ServiceItem
    group: str
    received: dt.datetime | None = None
    asked: dt.datetime | None = None
    accepted: dt.datetime | None = None
    decided: dt.datetime | None = None
    ended: dt.datetime | None = None
    ending: str = ""
    corrections: int = 0
    special: list[Span] = field(default_factory=list)
    waited: list[Span] = field(default_factory=list)
    standing: list[dt.datetime] = field(default_factory=list)
    waiting: dt.datetime | None = None

    def see(self, kind: str, at: dt.datetime, data: Mapping[str, Any]) -> None:
        """Take one event in, in order."""
        match kind:
            case "submitted":
                self.received = self.asked = at
            case "accepted":
                self.accepted = at
            case "accepted_by_silence":  # 行政许可法 art. 32(4): from the day the papers came in
                self.accepted = self.asked
            case "correction_requested":
                self.corrections, self.waiting = self.corrections + 1, self.waiting or at
            case "corrected":
                self._stop_waiting(at)
                self.asked = at
            case _:
                self._see_later(kind, at, data)

    def _see_later(self, kind: str, at: dt.datetime, data: Mapping[str, Any]) -> None:
        if kind == "suspended":
            self.standing.append(at)
        elif kind == "resumed":
            self.special.append((self.standing.pop(), at))
        elif kind == "decided":
            self.decided, self.ending = at, data["decision"]
        elif kind in ENDS:
            self._end(kind, at)

    def _stop_waiting(self, at: dt.datetime) -> None:
        if self.waiting is not None:
            self.waited.append((self.waiting, at))
            self.waiting = None

    def _end(self, kind: str, at: dt.datetime) -> None:
        self.ended, self.ending = at, self.ending if kind == "completed" else kind
        self._stop_waiting(at)
        self.special += [(start, at) for start in self.standing]
        self.standing = []

    @property
    def done(self) -> bool:
        """Whether the office decided."""
        return self.ending in {"granted", "refused"}

    def used(self, unit: str, is_workday: IsWorkday) -> int:
        """Days of a clock, counted one by one on the fingers."""
        assert self.accepted is not None
        day, last, used = _day(self.accepted), _day(self.decided or self.ended or self.accepted), 0
        while day < last:
            day += DAY
            stood = any(_day(start) <= day < _day(end) for start, end in self.special)
            used += not stood and (unit == "natural" or is_workday(day))
        return used

    def net(self, is_workday: IsWorkday) -> int:
        """Seconds of working days with the office, moment by moment between the times something changed."""
        assert self.received is not None
        end, away = self.decided or self.ended or self.received, [*self.special, *self.waited]
        marks = sorted({self.received, end, *(mark for span in away for mark in span if self.received < mark < end)})
        total = dt.timedelta()
        for start, stop in pairwise(marks):
            if not any(first <= start and stop <= last for first, last in away):
                total += _worked(start, stop, is_workday)
        return int(total.total_seconds())


def read(rows: Iterable[Mapping[str, Any]], cases: Mapping[str, tuple[ServiceItem, str]], load: Callable[[str], Any]) -> list[Life]:
    """Lives from event rows (case_id, seq, type, occurred_at, data) in order; `cases` has item and group of each."""
    lives: dict[str, Life] = {}
    for row in rows:
        life = lives.get(row["case_id"])
        if life is None:
            life = lives[row["case_id"]] = Life(*cases[row["case_id"]])
        life.see(row["type"], row["occurred_at"], load(row["data"]) if row["type"] == "decided" else {})
    return list(lives.values())


def count(lives: Iterable[Life], since: dt.date, before: dt.date, is_workday: IsWorkday) -> dict[str, dict[str, float | int | None]]:
    """The figures by group, named as those of handlers.reports.Figures."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    waits: dict[str, list[int]] = defaultdict(list)
    for life in lives:
        _intake(life, found[life.group], since, before)
        if life.ended is not None and since <= _day(life.ended) < before:
            _ending(life, found[life.group], is_workday)
            if life.done:
                waits[life.group].append(life.net(is_workday))
    return {group: _figures(sums, sorted(waits[group])) for group, sums in found.items() if sums}


def _intake(life: Life, sums: dict[str, int], since: dt.date, before: dt.date) -> None:
    for name, moment in (("received", life.received), ("accepted", life.accepted)):
        if moment is not None and since <= _day(moment) < before:
            sums[name] += 1


def _ending(life: Life, sums: dict[str, int], is_workday: IsWorkday) -> None:
    sums[life.ending] += 1
    sums["corrections"] += life.corrections
    sums["judged"] += life.accepted is not None or life.ending in {"not_accepted", "expired"}
    sums["first_time"] += life.accepted is not None and not life.corrections
    if life.done:
        used = life.used(life.item.promised.unit, is_workday)
        sums["done"] += 1
        sums["early"] += used < life.item.promised.days
        sums["promised"] += life.item.promised.days
        sums["saved"] += life.item.promised.days - used
        sums["legal"] += life.item.legal.days
        sums["saved_legal"] += life.item.legal.days - life.used(life.item.legal.unit, is_workday)


_COUNTED = (
    "received", "accepted", "done", "granted", "refused", "not_accepted", "withdrawn", "expired", "early", "corrections", "first_time",
)  # fmt: skip


def _figures(sums: Mapping[str, int], waits: list[int]) -> dict[str, float | int | None]:
    shares = {
        "done_rate": ("done", "received"), "early_rate": ("early", "accepted"), "promised_speedup": ("saved", "promised"),
        "legal_speedup": ("saved_legal", "legal"), "first_time_rate": ("first_time", "judged"),
    }  # fmt: skip
    rates = {name: _share(sums.get(part, 0), sums.get(whole, 0)) for name, (part, whole) in shares.items()}
    ranks = {f"p{share}": _cut(Decimal(waits[-(-len(waits) * share // 100) - 1]) / 86400) if waits else None for share in (50, 80, 95)}
    return {**{name: sums.get(name, 0) for name in _COUNTED}, **rates, **ranks}


def _share(part: int, whole: int) -> float | None:
    return _cut(Decimal(part) * 100 / Decimal(whole)) if whole else None


def _cut(number: Decimal) -> float:
    return float(number.quantize(Decimal("0.01"), ROUND_DOWN))


def _day(moment: dt.datetime) -> dt.date:
    return moment.astimezone(TOWN).date()


def _worked(start: dt.datetime, stop: dt.datetime, is_workday: IsWorkday) -> dt.timedelta:
    """The part of a stretch of time that lies in working days, of 24 hours each."""
    total, day = dt.timedelta(), _day(start)
    while day <= _day(stop):
        midnight = dt.datetime.combine(day, dt.time(), TOWN)
        if is_workday(day):
            total += max(dt.timedelta(), min(stop, midnight + DAY) - max(start, midnight))
        day += DAY
    return total
