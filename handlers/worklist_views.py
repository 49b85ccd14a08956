"""The inbox of an officer: what waits for him by urgency and lease; two officers, one case. The structs are the answers."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Literal

import msgspec

from handlers.access import Officer
from handlers.cards import read_card
from handlers.caseviews import DepartmentRef, ItemRef, department_ref
from handlers.errors import Refused
from handlers.limits import local_date
from handlers.numbers import mask_name
from handlers.office import Office
from handlers.policy import scope_of
from handlers.proxyviews import BehalfView, behalf_of_row
from handlers.transitions import STATE_NAMES
from handlers.worklist import NEVER, STEPS, steps_of
from storage import worklist
from storage.database import Row
from storage.worklist import Place, Wanted

Show = Literal["todo", "mine", "free", "all"]

STEP_NAMES = {"accept": "待受理", "review": "待审查", "decide": "待决定", "deliver": "待送达", "sign": "待签收", "wait": "等待他人"}
LEVELS = ("none", "warning", "yellow", "red")
SOMEBODY = "同事"
"""How a holder is called whose account is gone."""

_CURSOR = re.compile(r"([01])\.([0-9]{1,3})\.([0-9]{4}-[0-9]{2}-[0-9]{2})\.([0-9A-Za-z-]{1,36})")

_STATE_STEPS = {
    "submitted": ("accept",), "correction_requested": ("wait",), "decided": ("deliver",), "delivering": ("sign",),
    "accepted": ("review", "decide", "wait"), "in_review": ("review", "decide", "wait"), "forwarded": ("review", "decide", "wait"),
}  # fmt: skip


class Holder(msgspec.Struct, frozen=True):
    """Who works on a part and until when nobody else does; `name` is masked, `given`: it was assigned or handed over to him."""

    name: str
    own: bool
    given: bool
    until: dt.datetime
    live: bool


class TaskItem(msgspec.Struct, frozen=True):
    """A part of a case at a desk. `version` is the case's ETag; `due_on` null where nothing has a date; `card` the highest one issued.

    `paused`: the clocks stand still; `on_behalf_of`: where somebody acts for somebody, with masked names.
    """

    case_id: str
    number: str
    version: int
    item: ItemRef
    department: DepartmentRef
    lead: bool
    state: str
    state_name: str
    step: str
    step_name: str
    priority: int
    card: str
    due_on: dt.date | None
    paused: bool
    submitted_at: dt.datetime
    holder: Holder | None
    on_behalf_of: BehalfView | None


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`show`: todo = what the caller may take further, mine = what he holds, free = what nobody holds, all = also what waits for others."""

    show: Show = "todo"
    state: str = ""
    item: str = ""
    late: bool = False


async def inbox(office: Office, officer: Officer, query: Query, cursor: str, limit: int) -> tuple[list[TaskItem], str]:
    """A page of what waits for this officer, the most urgent first, and where the next page begins ("" at the end).

    What was assigned or handed over to him comes before everything else.
    """
    scope = scope_of(officer.role, "see_case")
    if scope == "none":
        raise Refused("forbidden")
    given, after = _read(cursor)
    wanted = _wanted(office, officer, query, None if scope == "area" else officer.department)
    rows: list[Row] = []
    if given and query.show != "free":
        rows = await worklist.held(office.database, wanted, after, limit, given=True)
        after = None if len(rows) < limit else after
    first = len(rows)
    if first < limit and wanted.steps:
        rows += await _rest(office, query, wanted, after if not given else None, limit - first)
    more = _cursor(rows[-1], given=first == limit) if len(rows) == limit else ""
    return [_item(office, officer, row) for row in rows], more


def holder_of(office: Office, officer: Officer, row: Row | None) -> Holder | None:
    """A claim as its reader sees it; None for none, or one that has lapsed and was never given."""
    if row is None or row["until_at"] is None:
        return None
    live, given = row["until_at"] > office.clock.now(), row["assigned_by"] is not None
    if not live and not given:
        return None
    holder_id = row["holder_id"] if "holder_id" in row else row["staff_id"]
    return Holder(mask_name(row["holder_name"] or "") or SOMEBODY, holder_id == officer.id, given, row["until_at"], live)


async def _rest(office: Office, query: Query, wanted: Wanted, after: Place | None, limit: int) -> list[Row]:
    if query.show == "mine":
        return await worklist.held(office.database, wanted, after, limit, given=False)
    return await worklist.waiting(office.database, wanted, after, limit)


def _wanted(office: Office, officer: Officer, query: Query, department: str | None) -> Wanted:
    steps = list(STEPS) if query.show in {"all", "mine"} else steps_of(officer.role)
    if query.state:
        if query.state not in _STATE_STEPS:
            raise Refused("bad_request")
        steps = [step for step in steps if step in _STATE_STEPS[query.state]]
    now = office.clock.now()
    wanted = Wanted(officer.area, department, officer.id, now, steps, query.state, query.item, free=query.show == "free")
    return replace(wanted, late_on=local_date(now)) if query.late else wanted


def _item(office: Office, officer: Officer, row: Row) -> TaskItem:
    offered = office.catalogue.items.get(row["item_code"])
    return TaskItem(
        case_id=row["case_id"], number=row["number"], version=row["version"],
        item=ItemRef(row["item_code"], offered.name if offered else row["item_code"], row["item_version"]),
        department=department_ref(office, row["department"]), lead=bool(row["is_lead"]), state=row["state"],
        state_name=STATE_NAMES[row["state"]], step=row["step"], step_name=STEP_NAMES[row["step"]], priority=row["priority"],
        card=LEVELS[row["level"]], due_on=None if row["due_on"] == NEVER else row["due_on"],
        paused=read_card(row).is_paused, submitted_at=row["submitted_at"], holder=holder_of(office, officer, row),
        on_behalf_of=behalf_of_row(office, row),
    )  # fmt: skip


def _cursor(row: Row, *, given: bool) -> str:
    return f"{int(given)}.{row['urgency']}.{row['due_on'].isoformat()}.{row['case_id']}"


def _read(cursor: str) -> tuple[bool, Place | None]:
    """Whether the page still lists what was given, and where it begins."""
    if not cursor:
        return True, None
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise Refused("invalid_cursor")
    try:
        return found[1] == "1", (int(found[2]), dt.date.fromisoformat(found[3]), found[4])
    except ValueError:
        raise Refused("invalid_cursor") from None
