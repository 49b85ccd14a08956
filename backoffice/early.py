"""Answers that came before their predecessors: held for a while, a bounded number of a case and a bounded size of a lane."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from storage.streams import Entry

MOST_OF_A_CASE = 50
MOST_BYTES = 16 * 1024 * 1024


class Numbered(Protocol):
    """A message of a case line, by its number, with the stream entry it came in."""

    @property
    def entry(self) -> Entry:
        """The entry that is acknowledged when the message is done with."""
        ...

    @property
    def case_id(self) -> str:
        """The case it speaks of."""
        ...

    @property
    def sequence(self) -> int:
        """Its number in the line."""
        ...


M = TypeVar("M", bound=Numbered)


class Early(Generic[M]):
    """Holds what waits for a gap to be filled. What finds no room is dropped: its sender sends again what stays unconfirmed."""

    def __init__(self) -> None:
        self._cases: dict[str, dict[int, M]] = {}
        self._bytes = 0

    def clear(self) -> None:
        """Forget everything."""
        self._cases.clear()
        self._bytes = 0

    def hold(self, messages: Iterable[M]) -> list[M]:
        """Keep messages; those that are not held, because there is no room or a later copy took their place."""
        return [dropped for message in messages for dropped in self._keep(message)]

    def release(self, case_id: str) -> list[M]:
        """What is held of a case, no longer held."""
        held = list(self._cases.pop(case_id, {}).values())
        self._bytes -= sum(_size(message) for message in held)
        return held

    def _keep(self, message: M) -> list[M]:
        """What is not held now. The later copy is held: the entry of the earlier one may have been lost with Redis."""
        line = self._cases.setdefault(message.case_id, {})
        earlier = line.get(message.sequence)
        room = _size(message) - (_size(earlier) if earlier else 0)
        if (earlier is None and len(line) >= MOST_OF_A_CASE) or self._bytes + room > MOST_BYTES:
            return [message]
        line[message.sequence] = message
        self._bytes += room
        return [earlier] if earlier and earlier.entry.id != message.entry.id else []


def _size(message: Numbered) -> int:
    return len(message.entry.body or b"")
