"""The stages of a bundle (一件事): which parts begin, and which will not, by what has become of the others. Plain values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

Fate = Literal["waiting", "going", "granted", "ended"]
"""What has become of a part: not begun, under way, granted, or over without a grant."""


class PlannedPart(msgspec.Struct, frozen=True):
    """One part as it was planned at the application; `needs` must be granted before it begins.

    `fields` and `papers` come from other parts: the part's own field or material -> the part that issues it.
    """

    code: str
    case_id: str
    stage: int
    needs: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    papers: dict[str, str] = {}


class Plan(msgspec.Struct, frozen=True):
    """The parts of one application, in the order of their stages; fixed, whatever the catalogue says later."""

    parts: tuple[PlannedPart, ...]


@dataclass(frozen=True, slots=True)
class Moves:
    """What is next: parts that begin, and parts that never will, each with the parts that it needed in vain."""

    begin: tuple[str, ...]
    stop: Mapping[str, tuple[str, ...]]


def next_moves(parts: Sequence[PlannedPart], fates: Mapping[str, Fate]) -> Moves:
    """What follows from the fates. A refusal stops what needs the refused part, nothing else, and undoes nothing."""
    after = dict(fates)
    stop: dict[str, tuple[str, ...]] = {}
    while lost := next((one for one in parts if after[one.code] == "waiting" and _in_vain(one, after)), None):
        stop[lost.code] = _in_vain(lost, after)
        after[lost.code] = "ended"
    return Moves(tuple(one.code for one in parts if after[one.code] == "waiting" and _may_begin(one, parts, after)), stop)


def is_finished(fates: Mapping[str, Fate]) -> bool:
    """Whether nothing is left to be done in any part."""
    return all(fate in {"granted", "ended"} for fate in fates.values())


def _in_vain(part: PlannedPart, fates: Mapping[str, Fate]) -> tuple[str, ...]:
    return tuple(code for code in part.needs if fates[code] == "ended")


def _may_begin(part: PlannedPart, parts: Sequence[PlannedPart], fates: Mapping[str, Fate]) -> bool:
    before = (one.code for one in parts if one.stage < part.stage)
    return all(fates[code] == "granted" for code in part.needs) and all(fates[code] in {"granted", "ended"} for code in before)
