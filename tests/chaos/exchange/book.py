"""A writer's own record of what it was told, outside every store that a run damages: one JSON line an entry, on disk before the next."""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any


class Book:
    """An append-only file. A process that begins again begins a file of its own, so only a file's last line can be torn."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)

    def note(self, what: str, act: str, **facts: Any) -> None:
        """Write an entry and wait until it is on disk."""
        entry = {"what": what, "act": act, "at": time.monotonic(), **facts}
        os.write(self._descriptor, json.dumps(entry).encode() + b"\n")
        os.fsync(self._descriptor)


@dataclass(frozen=True, slots=True)
class Act:
    """One transaction: the lines (case, department) of its messages, and its begin and end on the machine's monotonic clock."""

    lines: tuple[tuple[str, str], ...]
    began: float
    ended: float = math.inf
    """Later than everything if nobody was told how it ended."""


@dataclass
class Recorded:
    """What the books of all writers say, by act; its messages are known by marks, "<act>:<n>" counted from 0."""

    acts: dict[str, Act] = field(default_factory=dict)
    committed: set[str] = field(default_factory=set)
    """The commit was acknowledged."""
    undone: set[str] = field(default_factory=set)
    """The transaction was rolled back on purpose."""

    def messages(self) -> list[tuple[str, tuple[str, str]]]:
        """(mark, line) of every message whose commit was acknowledged."""
        return [(f"{act}:{n}", line) for act in sorted(self.committed) for n, line in enumerate(self.acts[act].lines)]


def read(folder: Path) -> Recorded:
    """All books of a folder; a torn last line was never finished and says nothing."""
    found = Recorded()
    for path in sorted(folder.glob("*.book")):
        for line in path.read_bytes().split(b"\n")[:-1]:
            _enter(found, json.loads(line))
    return found


def _enter(found: Recorded, entry: dict[str, Any]) -> None:
    name = entry["act"]
    if entry["what"] == "intended":
        found.acts[name] = Act(tuple((case_id, department) for case_id, department in entry["lines"]), entry["at"])
        return
    found.acts[name] = replace(found.acts[name], ended=entry["at"])
    (found.committed if entry["what"] == "committed" else found.undone).add(name)
