"""What every act of the office needs, as one plain value that is passed on explicitly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.catalogue import Catalogue
from handlers.commitments import Commitments
from handlers.errors import Refused
from handlers.keys import Keys
from handlers.limits import Counting
from handlers.media import Laundry
from handlers.supervision_rules import Rulebook
from handlers.workdays import WorkCalendar
from storage.bell import Bell
from storage.blocks import Blocks
from storage.clock import Clock
from storage.database import Database
from storage.envelopes import Outgoing
from storage.files import FileStore
from storage.fleeting import Fleeting

DepartmentForm = Callable[[str, str, Mapping[str, Any]], dict[str, Any] | None]
"""A department's own form for a message (department, kind, data), None where it has none (config/mappings)."""

DepartmentRecord = Callable[[str, Mapping[str, Any]], tuple[str, dict[str, Any]]]
"""What a department's own record says (department, record): kind and data of an answer; raises Refused("record_not_understood")."""


MessageCheck = Callable[[Outgoing], None]
"""Raises where a message does not keep the contract with the departments: the act that would send it is undone."""


def _no_form(_department: str, _kind: str, _data: Mapping[str, Any]) -> None:
    return None


def _no_record(department: str, _record: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    raise Refused("record_not_understood", {"reason": department})


def _unchecked(_message: Outgoing) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Office:
    """Stores, clock, published catalogue, calendar and keys of one town.

    `counting` is how its time limits run (docs/decisions/0009), `claim_minutes` how long an officer holds what
    he has claimed, `department_form` and `department_record` translate
    between our words and those of a department's form, `message_check` holds what we send to the contract.
    """

    database: Database
    bell: Bell
    clock: Clock
    catalogue: Catalogue
    calendar: WorkCalendar
    keys: Keys
    files: FileStore
    laundry: Laundry
    fleeting: Fleeting
    numbers: Blocks
    division: str
    town: str
    hotline: str
    public_base: str
    upload_limit: int = 20 * 1024 * 1024
    counting: Counting = "date"
    claim_minutes: int = 30
    supervision: Rulebook = field(default_factory=Rulebook)
    commitments: Commitments = field(default_factory=Commitments)
    department_form: DepartmentForm = _no_form
    department_record: DepartmentRecord = _no_record
    message_check: MessageCheck = _unchecked
