"""One run of the fault machine: a world at work, faults, repair, the drain, the verdict."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from storage.tasks import end
from tests.chaos.exchange.faults import Faults
from tests.chaos.exchange.plan import DEPARTMENTS, Plan
from tests.chaos.exchange.verdict import Evidence, Verdict, judge
from tests.chaos.exchange.world import World, opened
from tests.support.processes import until


@dataclass
class Report:
    """How a run went."""

    plan: Plan
    commits: int = 0
    messages: int = 0
    drained: float = 0.0
    done: Counter[str] = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def held(self) -> bool:
        """Whether every promise was kept."""
        return self.verdict.held

    def summary(self) -> str:
        """The run in one line."""
        faults = ", ".join(f"{kind} {number}" for kind, number in sorted(self.done.items()) if number)
        work = f"{self.commits} commits, {self.messages} messages each way"
        end = f"drained in {self.drained:.1f} s; {self.verdict.summary()}: {'held' if self.held else 'BROKEN'}"
        return f"seed {self.plan.seed} {self.plan.database} {self.plan.seconds:.0f} s: {work}; faults: {faults or 'none'}; {end}"

    def text(self) -> str:
        """The summary, what could not be tried, and some of what broke."""
        refused = [f"  not tried: {kind}: {reason}" for kind, reason in self.refused.items()]
        return "\n".join([self.summary(), *refused, *(f"  {line}" for line in self.verdict.words())])


async def run(plan: Plan, folder: Path) -> Report:
    """Play a plan in an empty folder."""
    report = Report(plan)
    async with opened(plan, folder) as world:
        watch = asyncio.create_task(world.watch())
        try:
            await world.begun()
            faults = Faults(world)
            await faults.strike()
            await world.silence()
            report.done, report.refused = faults.done, faults.refused
            report.drained = await _drain(world)
        finally:
            await end([watch])
        departments = {code: world.book_of(f"department-{code}") for code in DEPARTMENTS}
        evidence = await Evidence.of(world.truth.url, world.books, departments)
        report.commits, report.messages = len(evidence.recorded.committed), sum(map(len, evidence.outbox.values()))
        report.verdict = judge(evidence)
        report.verdict.left += world.ended
        if not await world.is_drained():
            report.verdict.left.append(f"messages are under way after {plan.patience:.0f} s of peace")
    return report


async def _drain(world: World) -> float:
    """Wait until nothing is under way; the seconds it took. What still is when patience ends, the verdict tells."""
    began = time.monotonic()
    with suppress(AssertionError):
        await until(world.is_drained, "the end of all work", world.plan.patience)
    return time.monotonic() - began
