"""What the carriers did, per department, for watching: plain counters that only grow."""

from __future__ import annotations

from collections import Counter
from typing import Literal

What = Literal[
    "sent", "resent", "held_back", "confirmed", "taken_in", "duplicates_skipped", "gaps", "poison", "parked", "retried", "lease_changes"
]


class Counts:
    """Counters by (what, department)."""

    def __init__(self) -> None:
        self._values: Counter[tuple[str, str]] = Counter()

    def add(self, what: What, department: str, number: int = 1) -> None:
        """Count up."""
        if number:
            self._values[what, department] += number

    def get(self, what: What, department: str) -> int:
        """One counter."""
        return self._values[what, department]

    def all(self) -> dict[tuple[str, str], int]:
        """Every counter that is not zero, (what, department) -> number."""
        return dict(self._values)
