"""A pretend gatekeeper (网闸) between two networks: carries files from each side's `out/` to the other's `in/`, badly when asked to."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

FAULTS = {
    "lose": "a file is never seen again",
    "twice": "a file comes once more, later",
    "truncate": "the end of a file is missing",
    "shuffle": "a file takes ten times as long, so that others overtake it",
}
"""Every fault and what it does; a rate from 0 to 1 each."""

_SUBFOLDERS = (".", "files")


@dataclass(frozen=True, slots=True)
class _Way:
    """One direction: from an `out/` to an `in/`."""

    out: Path
    into: Path


@dataclass
class Gatekeeper:
    """Stands between the town's folder and the department's; every file takes `delay` seconds, give or take half."""

    town: Path
    department: Path
    delay: float = 0.0
    faults: Mapping[str, float] = field(default_factory=dict)
    chance: random.Random = field(default_factory=random.Random)
    clock: Callable[[], float] = time.monotonic
    carried: list[str] = field(default_factory=list)
    """Names of the files that went through, in order."""

    def __post_init__(self) -> None:
        self._due: dict[Path, float] = {}
        self._copies: list[tuple[float, Path, bytes]] = []
        self._ways = [_Way(self.town / "out", self.department / "in"), _Way(self.department / "out", self.town / "in")]
        for way in self._ways:
            for folder in (way.out, way.into, way.out / "files", way.into / "files"):
                folder.mkdir(parents=True, exist_ok=True)

    async def run(self) -> None:
        """Carry for ever."""
        while True:
            self.step()
            await asyncio.sleep(min(0.2, max(0.01, self.delay / 4)))

    def step(self) -> None:
        """Carry everything whose time has come."""
        for way in self._ways:
            for part in _SUBFOLDERS:
                for path in self._ready(way.out / part):
                    self._carry(path, way.into / part / path.name)
        now = self.clock()
        for copy in [copy for copy in self._copies if copy[0] <= now]:
            self._copies.remove(copy)
            self._deliver(copy[1], copy[2])

    def is_idle(self) -> bool:
        """Whether nothing is on its way."""
        return not self._copies and not any(_waiting(way.out / part) for way in self._ways for part in _SUBFOLDERS)

    def _ready(self, folder: Path) -> list[Path]:
        now = self.clock()
        found = _waiting(folder)
        for path in found:
            if path not in self._due:
                slow = 10 if self._has("shuffle") else 1
                self._due[path] = now + self.delay * slow * self.chance.uniform(0.5, 1.5)
        return [path for path in found if self._due[path] <= now]

    def _carry(self, path: Path, target: Path) -> None:
        try:
            content = path.read_bytes()
            path.unlink()
        except FileNotFoundError:  # taken back
            return
        finally:
            self._due.pop(path, None)
        if self._has("lose"):
            return
        if self._has("truncate"):
            content = content[: self.chance.randrange(len(content) + 1)]
        if self._has("twice"):
            self._copies.append((self.clock() + self.delay * self.chance.uniform(1, 5), target, content))
        self._deliver(target, content)

    def _deliver(self, target: Path, content: bytes) -> None:
        draft = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
        draft.write_bytes(content)
        shutil.move(draft, target)
        self.carried.append(target.name)

    def _has(self, fault: str) -> bool:
        return self.chance.random() < self.faults.get(fault, 0.0)


def _waiting(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
