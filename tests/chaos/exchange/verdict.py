"""The judge of a run: it reads the books and the final state with plain drivers, and nothing that the town says of itself.

A line is a case and a department. What must hold of each: every committed command has one effect at the department, every effect
one answer's effect in the town, both in the order of the commits, and nothing else has any.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.check import read as rows_of
from tests.chaos.exchange.book import Recorded
from tests.chaos.exchange.book import read as read_books

Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What everybody kept. Commands are known by their message id, acts' messages by their mark "<act>:<n>"."""

    recorded: Recorded
    outbox: dict[Line, list[tuple[str, str]]]
    """By line in the order of the numbers: (id, mark)."""
    unconfirmed: int
    done: dict[Line, list[tuple[str, str]]]
    """The departments' effects, by line in the order in which they happened: (id, mark)."""
    answered: dict[Line, list[str]]
    """The answers' effects in the town, by line in the order in which they happened: the id of the command."""
    set_aside: Sequence[str]

    @classmethod
    async def of(cls, url: str, books: Path, departments: Mapping[str, Path]) -> Evidence:
        """Read it all; `departments` are the books by code."""
        outbox, answered = defaultdict(list), defaultdict(list)
        letters = await rows_of(url, "SELECT id, case_id, department, body, confirmed_at FROM outbox ORDER BY sequence")
        for row in letters:
            outbox[row["case_id"], row["department"]].append((row["id"], json.loads(bytes(row["body"]))["data"]["reason"]))
        for row in await rows_of(url, "SELECT case_id, actor_id, data FROM case_event ORDER BY seq"):
            answered[row["case_id"], row["actor_id"]].append(json.loads(row["data"])["command"])
        aside = [f"{row['department']}: {row['reason']}" for row in await rows_of(url, "SELECT department, reason FROM set_aside")]
        unconfirmed = sum(row["confirmed_at"] is None for row in letters)
        return cls(read_books(books), outbox, unconfirmed, _effects(departments), answered, aside)


def _effects(departments: Mapping[str, Path]) -> dict[Line, list[tuple[str, str]]]:
    found: defaultdict[Line, list[tuple[str, str]]] = defaultdict(list)
    for code, path in departments.items():
        file = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        for case_id, command, mark in file.execute("SELECT case_id, id, mark FROM command ORDER BY n"):
            found[case_id, code].append((command, mark))
        file.close()
    return found


@dataclass
class Verdict:
    """What was not held, in words, by the kind of breach."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """What was not finished, or waits for an officer."""

    @property
    def held(self) -> bool:
        """Whether everything was."""
        return not any(vars(self).values())

    def summary(self) -> str:
        """Numbers in one line."""
        numbers = f"{len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.disordered)} out of order, {len(self.invented)} invented"
        return f"{numbers}, {len(self.left)} left"

    def words(self, most: int = 5) -> list[str]:
        """Some of each kind."""
        return [f"{kind}: {line}" for kind, lines in vars(self).items() for line in lines[:most]]


def judge(evidence: Evidence) -> Verdict:
    """Compare what everybody kept."""
    verdict = Verdict()
    _judge_commits(evidence, verdict)
    for line in evidence.outbox.keys() | evidence.done.keys() | evidence.answered.keys():
        sent, done = evidence.outbox.get(line, []), evidence.done.get(line, [])
        commands = [command for command, _ in sent]
        _compare(f"command to {line[1]} in {line[0]}", commands, [command for command, _ in done], verdict)
        _compare(f"answer of {line[1]} in {line[0]}", [command for command, _ in done], evidence.answered.get(line, ()), verdict)
    verdict.left += [f"set aside: {reason}" for reason in evidence.set_aside]
    if evidence.unconfirmed:
        verdict.left.append(f"{evidence.unconfirmed} commands are unconfirmed")
    return verdict


def _judge_commits(evidence: Evidence, verdict: Verdict) -> None:
    """The departments' effects against the writers' books, which know nothing of numbers and tables."""
    recorded = evidence.recorded
    effects = {line: [mark for _, mark in done] for line, done in evidence.done.items()}
    counted = Counter((mark, line) for line, marks in effects.items() for mark in marks)
    verdict.lost += [f"{mark}: acknowledged, without effect in {line}" for mark, line in recorded.messages() if not counted[mark, line]]
    verdict.doubled += [f"{mark}: {times} effects in {line}" for (mark, line), times in counted.items() if times > 1]
    verdict.invented += [f"{mark}: effect in {line}, never committed" for mark, line in counted if not _may_be(mark, line, recorded)]
    for line, marks in effects.items():
        meant = [mark for mark in dict.fromkeys(marks) if _may_be(mark, line, recorded)]
        verdict.disordered += [f"{late} took effect in {line} before {early}" for early, late in _turned(meant, recorded)]


def _may_be(mark: str, line: Line, recorded: Recorded) -> bool:
    """Whether an act's message may have an effect: it was meant for the line and was not rolled back."""
    name, n = _parts(mark)
    act = recorded.acts.get(name)
    return act is not None and name not in recorded.undone and n < len(act.lines) and act.lines[n] == line


def _turned(marks: Iterable[str], recorded: Recorded) -> Iterator[tuple[str, str]]:
    """Pairs (was first, took effect first) in the wrong order: an act that ended before another began comes before it."""
    latest, began = "", -math.inf
    for mark in marks:
        name, n = _parts(mark)
        act = recorded.acts[name]
        if latest and (act.ended < began or ((name, n) < _parts(latest) and name == _parts(latest)[0])):
            yield mark, latest
        if act.began >= began:
            latest, began = mark, act.began


def _parts(mark: str) -> tuple[str, int]:
    name, _, n = mark.rpartition(":")
    return name, int(n)


def _compare(what: str, expected: Sequence[str], found: Sequence[str], verdict: Verdict) -> None:
    """A line's messages against their effects: each once, in the same order, no other."""
    times = Counter(found)
    verdict.lost += [f"{what} {one} has no effect" for one in dict.fromkeys(expected) if not times[one]]
    verdict.doubled += [f"{what} {one} has {number} effects" for one, number in times.items() if number > 1]
    verdict.invented += [f"{what} {one} has an effect and was never sent" for one in times.keys() - set(expected)]
    first = list(dict.fromkeys(found))
    if first != [one for one in dict.fromkeys(expected) if times[one]] and not times.keys() - set(expected):
        verdict.disordered.append(f"{what}: effects in another order than the messages")
