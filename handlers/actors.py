"""Who acts: a resident, a member of staff, a department's system, or the office itself (clocks)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["resident", "staff", "department", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, as every event row and every audit row keeps it. `organisation` is a department code or a hall."""

    kind: ActorKind
    id: str
    organisation: str = ""


SYSTEM = Actor("system", "clock")


def department_actor(code: str) -> Actor:
    """The system of a department, by the department's code."""
    return Actor("department", code, code)
