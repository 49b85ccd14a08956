"""When a part of the review begins, and when the review is done: rules on plain values (并联审批)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from handlers.catalogue import Part

Join = Literal["all", "any", "lead"]


def waits_for(parts: Sequence[Part], place: int) -> frozenset[int]:
    """The places of the parts that must be over before this one begins.

    `after` names them by department; a "serial" part without it waits for every parallel part and the serial ones before it.
    """
    part = parts[place]
    if part.after:
        return frozenset(other for other, one in enumerate(parts) if one.department in part.after and other != place)
    if part.mode == "parallel":
        return frozenset()
    return frozenset(other for other, one in enumerate(parts) if other < place or (other > place and _begins_at_once(one)))


def in_circles(parts: Sequence[Part]) -> frozenset[int]:
    """The places of parts that would wait for each other for ever."""
    over: set[int] = set()
    left = set(range(len(parts)))
    while ready := {place for place in left if waits_for(parts, place) <= over}:
        over |= ready
        left -= ready
    return frozenset(left)


def ready(parts: Sequence[Part], states: Mapping[int, str], place: int) -> bool:
    """Whether a waiting part may begin, by the states of all parts' tasks."""
    return states[place] == "waiting" and all(states[other] in {"done", "void"} for other in waits_for(parts, place))


def joined(join: Join, answers: Sequence[str | None]) -> bool:
    """Whether the lead department may go on, by each part's answer so far (None = none yet)."""
    if join == "lead" or all(answer is not None for answer in answers):
        return True
    return join == "any" and "agreed" in answers


def _begins_at_once(part: Part) -> bool:
    return part.mode == "parallel" and not part.after
