"""When an object under supervision earns which card. Pure functions: a clock with its pauses, and rules of the form "used >= limit + n"."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from handlers.clocks import Counting, Days, Limit, Suspension, counting_of, due_date, midnight, used_days
from handlers.limits import HOUR, Hours, local_date
from handlers.supervision_rules import HeldRule, Kind, Measure, Rulebook
from handlers.workdays import WorkCalendar

Bound = Limit | Hours
"""A limit in days, or in hours."""

_INSTANT = dt.timedelta(microseconds=1)
_SOON = dt.timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Watched:
    """An object under supervision: whose clock began when, its limits, what stopped it, and who has it in hand; `runs` until it is done.

    `by_date`: its limit ends with a day that people were told, also in a town that counts by the instant.
    """

    kind: Kind
    id: str
    start: dt.datetime
    limits: Mapping[Measure, Bound]
    pauses: tuple[Suspension, ...] = ()
    department: str = ""
    step: str = ""
    runs: bool = True
    by_date: bool = False

    @property
    def stands(self) -> bool:
        """Whether the clock stands still, without an end yet."""
        return any(pause.end is None for pause in self.pauses)


@dataclass(frozen=True, slots=True)
class Earned:
    """A card that an object has earned: by which rule, at which moment, and the days (or hours) used when it was looked at."""

    rule: HeldRule
    at: dt.datetime
    used: int


@dataclass(frozen=True, slots=True)
class Reckoner:
    """How this town counts: its rules, its calendar, by date or by the instant."""

    book: Rulebook
    calendar: WorkCalendar
    counting: Counting = "date"

    def rules(self, one: Watched) -> list[HeldRule]:
        """The rules that hold for an object."""
        return self.book.in_force(one.kind, local_date(one.start))

    def boundary(self, one: Watched, rule: HeldRule) -> dt.datetime | None:
        """The first moment at which the used days reach limit + n; None while the clock stands still before it.

        By date that is the beginning of the day; by the instant it is the first moment beyond a whole day ("one second over counts").
        Hours are always counted by the instant.
        """
        found = (self._boundary(one, limit, _size(limit) + rule.edition.more) for limit in _limits(one, rule))
        return min((moment for moment in found if moment is not None), default=None)

    def counting_for(self, one: Watched, limit: Limit) -> Counting:
        """How a limit in days of this object is counted."""
        return "date" if one.by_date else counting_of(limit, self.counting)

    def _boundary(self, one: Watched, limit: Bound, wanted: int) -> dt.datetime | None:
        if wanted <= 0:
            return one.start
        if isinstance(limit, Hours):
            return one.start + (wanted - 1) * HOUR + _INSTANT
        if self.counting_for(one, limit) == "date":
            day = due_date(one.start, Days(wanted, limit.unit), one.pauses, self.calendar).due_on
            return None if day is None else midnight(day)
        full = due_date(one.start, Days(wanted - 1, limit.unit), one.pauses, self.calendar, "instant").due_at
        return None if full is None else full + _INSTANT

    def earned(self, one: Watched, at: dt.datetime) -> list[Earned]:
        """Every card that the object has earned by a moment, the lower levels too: figures do not hang on when somebody looked."""
        return [found for rule in self.rules(one) if (found := self._earned(one, rule, at)) is not None]

    def next_look(self, one: Watched, carded: Collection[str], now: dt.datetime) -> dt.datetime | None:
        """When to look next: the first boundary of a rule that has given no card yet; None if nothing can come before the case changes."""
        looks = [self._look(one, rule, now) for rule in self.rules(one) if rule.code not in carded]
        return min((look for look in looks if look is not None), default=None)

    def _earned(self, one: Watched, rule: HeldRule, at: dt.datetime) -> Earned | None:
        used = [(self._used(one, limit, at), _size(limit) + rule.edition.more) for limit in _limits(one, rule)]
        if at < one.start or all(days < wanted for days, wanted in used):
            return None
        return Earned(rule, min(self.boundary(one, rule) or at, at), used[0][0])

    def _used(self, one: Watched, limit: Bound, at: dt.datetime) -> int:
        if isinstance(limit, Hours):
            return -((one.start - at) // HOUR)
        return used_days(one.start, limit.unit, one.pauses, at, calendar=self.calendar, counting=self.counting_for(one, limit))

    def _look(self, one: Watched, rule: HeldRule, now: dt.datetime) -> dt.datetime | None:
        look = self.boundary(one, rule)
        if look is None or look > now or self._earned(one, rule, now) is not None:
            return look
        # By the instant, a limit that was full at the very second of a pause is exceeded only once time runs again.
        return None if one.stands else now + _SOON


def _size(limit: Bound) -> int:
    return limit.hours if isinstance(limit, Hours) else limit.days


def _limits(one: Watched, rule: HeldRule) -> list[Bound]:
    """The limits that a rule is held against, its own first.

    A warning before the promise ends is one before the law's limit too, where that counts in other days and so may end first.
    """
    own, legal = one.limits[rule.edition.limit], one.limits.get("legal")
    if legal is None or isinstance(legal, Hours) or isinstance(own, Hours):
        return [own]
    if legal.unit == own.unit or rule.edition.limit != "promised" or rule.edition.more > 0:
        return [own]
    return [own, legal]
