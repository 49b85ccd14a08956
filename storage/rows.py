"""Many rows in one statement: the placeholders of a VALUES list, and the arguments in their order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache


def places(rows: Sequence[Sequence[object]]) -> str:
    """`($1, $2), ($3, $4)` for two rows of two values; every row is as long as the first."""
    return _places(len(rows), len(rows[0]))


def flat(rows: Iterable[Iterable[object]]) -> list[object]:
    """The values of all rows, one after the other."""
    return [value for row in rows for value in row]


@lru_cache(maxsize=256)
def _places(number: int, width: int) -> str:
    starts = range(1, width * number + 1, width)
    return ", ".join(f"({', '.join(f'${n}' for n in range(start, start + width))})" for start in starts)
