"""A simulated town: applications come in, departments work, ask for corrections, suspend, refuse; all through the real handlers.

The clock is set from act to act, so that a year passes as fast as the acts can be done. The same seed gives the same year.
"""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from handlers import cases, corrections, desk, reviews
from handlers.access import Officer
from handlers.casefile import opened
from handlers.cases import Application, Change
from handlers.catalogue import ServiceItem
from handlers.corrections import FieldNote
from handlers.errors import Refused
from handlers.limits import LOCAL
from handlers.materials import HandedIn
from handlers.office import Office
from mobile_api.journey.sample import fill_form
from storage import cases as rows
from storage.clock import SettableClock
from storage.database import Row, Transaction
from storage.envelopes import Answer
from storage.ids import uuid7

HANDLING_WEIGHTS = {"即办件": 5, "承诺件": 3, "上报件": 1}
CORRECTED, NEVER_MENDED, NOT_ACCEPTED, WITHDRAWN, SUSPENDED, REFUSED, AT_COUNTER = 0.12, 0.1, 0.04, 0.02, 0.08, 0.06, 0.3
_MINUTE = dt.timedelta(minutes=1)
_OPENS, _HOURS = dt.time(8, 30), 8.5

Act = Callable[["Applied"], Awaitable[None]]


@dataclass(slots=True)
class Applied:
    """One case on its way through the simulation."""

    item: ServiceItem
    resident: str
    upload: str
    id: str = ""
    number: str = ""
    planned: set[tuple[str, str]] = field(default_factory=set)


class Simulation:
    """A town at work from `first` on; `people` are (resident, ready upload)."""

    def __init__(
        self, office: Office, clock: SettableClock, people: Sequence[tuple[str, str]], clerks: Sequence[Officer], seed: int
    ) -> None:
        self.office = office
        self.done: Counter[str] = Counter()
        self._clock = clock
        self._people = people
        self._clerks = clerks
        self._random = random.Random(seed)
        self._order = itertools.count()
        self._plans: list[tuple[dt.datetime, int, Act, Applied]] = []
        self._forms: dict[tuple[str, dt.date], dict[str, Any]] = {}

    async def run(self, number: int, first: dt.date, days: int) -> None:
        """So many applications, spread over so many days from `first`; then whatever they lead to, to the end."""
        items = list(self.office.catalogue.items.values())
        weights = [HANDLING_WEIGHTS[item.handling] for item in items]
        for n in range(number):
            item = items[n % len(items)] if n < len(items) else self._random.choices(items, weights)[0]
            resident, upload = self._random.choice(self._people)
            day = first + dt.timedelta(days=self._random.randrange(days))
            self._plan(self._moment(day, home=True), self._submit, Applied(item, resident, upload))
        while self._plans:
            moment, _, act, one = heapq.heappop(self._plans)
            self._clock.time = max(moment, self._clock.time)
            with suppress(_Over):
                await act(one)
            self.done["acts"] += 1

    def _plan(self, moment: dt.datetime, act: Act, one: Applied) -> None:
        heapq.heappush(self._plans, (moment, next(self._order), act, one))

    def _later(self, days: float, act: Act, one: Applied, *, home: bool = False) -> None:
        """Do something after so many days; offices work on working days, people at home on any."""
        moment = self._clock.now() + dt.timedelta(days=days) + self._random.random() * _MINUTE
        day = moment.astimezone(LOCAL).date()
        if home or (self.office.calendar.is_workday(day) and moment.astimezone(LOCAL).time() >= _OPENS):
            self._plan(moment, act, one)
            return
        if not self.office.calendar.is_workday(day):
            day = self.office.calendar.add_workdays(day, 1).day
        self._plan(max(moment, self._moment(day)), act, one)

    def _moment(self, day: dt.date, *, home: bool = False) -> dt.datetime:
        hours = self._random.triangular(-2, 14, 1) if home else self._random.random() * _HOURS
        return (dt.datetime.combine(day, _OPENS, LOCAL) + dt.timedelta(hours=hours)).astimezone(dt.UTC)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    async def _submit(self, one: Applied) -> None:
        handed_in = tuple(HandedIn(rule.code, (one.upload,)) for rule in one.item.materials if rule.source == "upload" and rule.required)
        view = await cases.apply(
            self.office, one.resident, Application(item=one.item.code, form=self._form(one.item), materials=handed_in), _kept
        )
        one.id, one.number = view.id, str(view.number)
        self.done["submitted"] += 1
        if self._chance(WITHDRAWN):
            self._later(self._random.uniform(0, 6), self._withdraw, one, home=True)
        self._later(self._random.expovariate(2.0), self._look, one)

    def _form(self, item: ServiceItem) -> dict[str, Any]:
        key = (item.code, self._clock.now().date())
        if key not in self._forms:
            self._forms[key] = fill_form(msgspec.to_builtins(item.form.fields), key[1])
        return dict(self._forms[key])

    async def _look(self, one: Applied) -> None:
        """The first look: accept, ask for a correction, or refuse acceptance."""
        if self._chance(CORRECTED) and one.item.form.fields:
            note = FieldNote(one.item.form.fields[0].name, "请核对后重新填写")
            await self._say(one, "task.correction-requested", "accept", reason="填写有误", fields=[msgspec.to_builtins(note)])
            after = 0.0 if self._chance(NEVER_MENDED) else self._random.expovariate(0.4)
            self._later(after or one.item.correction_days + 2, self._correct if after else self._lapse, one, home=True)
        elif self._chance(NOT_ACCEPTED):
            await self._say(one, "task.decided", "accept", result="not_accepted", opinion="不属于受理范围")
        else:
            await self._accept(one)

    async def _correct(self, one: Applied) -> None:
        with suppress(Refused):  # the notice lapsed in the meantime
            await cases.correct(self.office, one.resident, one.id, Change(form=self._form(one.item)), _kept)
            self._later(self._random.expovariate(2.0), self._accept, one)

    async def _lapse(self, one: Applied) -> None:
        with suppress(Refused):
            async with opened(self.office, one.id) as file:
                corrections.lapse(file)

    async def _withdraw(self, one: Applied) -> None:
        with suppress(Refused):
            await cases.withdraw(self.office, one.resident, one.id, "不办了", _kept)

    async def _accept(self, one: Applied) -> None:
        if self._chance(AT_COUNTER):
            row = await self._row(one)
            with suppress(Refused):
                await desk.accept(self.office, self._random.choice(self._clerks), one.id, row["version"])
        else:
            await self._say(one, "task.accepted", "accept")
        await self._go_on(one)

    async def _go_on(self, one: Applied) -> None:
        """Plan the work that the case now waits for: each department's opinion, then the decision."""
        open_steps = {(task["step"], task["department"]) for task in await self._tasks(one) if task["state"] == "requested"}
        for step, department in sorted(open_steps - one.planned):
            one.planned.add((step, department))
            self._later(self._pace(one.item), self._work(step, department), one)

    def _pace(self, item: ServiceItem) -> float:
        """Days for a step: mostly within half the promise, now and then beyond it."""
        return self._random.lognormvariate(-0.7, 0.8) * max(0.2, item.promised.days / (1 + len(item.parts)))

    def _work(self, step: str, department: str) -> Act:
        async def suspend(one: Applied) -> None:
            await self._say(one, "task.suspended", step, department, procedure="专家评审", reason="需要专家评审")
            self._later(self._random.uniform(0.5, 12), resume, one)

        async def resume(one: Applied) -> None:
            await self._say(one, "task.resumed", step, department)
            self._later(self._pace(one.item), answer, one)

        async def answer(one: Applied) -> None:
            result = {"review": "agreed", "decide": "refused" if self._chance(REFUSED) else "granted"}[step]
            await self._say(one, "task.decided", step, department, result=result, opinion="经审查")
            await self._go_on(one) if step == "review" else None

        return suspend if self._chance(SUSPENDED) else answer

    async def _say(self, one: Applied, kind: str, step: str, department: str = "", **data: Any) -> None:
        """A department's system says something about its task; raises _Over if nothing is left to say."""
        wanted = department or one.item.department
        task = next((t for t in await self._tasks(one) if (t["step"], t["department"]) == (step, wanted) and t["state"] != "done"), None)
        if task is None or task["state"] == "void":
            raise _Over
        facts = {"case": one.number, "task": task["id"], **data}
        async with self.office.database.transaction() as tx:
            await reviews.record(self.office, tx, Answer(uuid7(), kind, wanted, one.id, one.number, 1, None, facts))

    async def _tasks(self, one: Applied) -> list[Row]:
        return await rows.tasks(self.office.database, one.id)

    async def _row(self, one: Applied) -> Row:
        row = await rows.by_id(self.office.database, one.id)
        if row is None or row["state"] != "submitted":
            raise _Over
        return row


class _Over(Exception):
    """The case has ended, or somebody else was first."""


async def _kept(_tx: Transaction, _view: object) -> None:
    """Nobody waits for the answer."""
