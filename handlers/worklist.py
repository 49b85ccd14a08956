"""What waits at a desk: the parts of a case, and how each change of the case moves them; handlers/worklist_views.py reads them.

A case has one part for its lead department and one for every other department whose opinion is asked. `step` is what comes next:
accept, review, decide, deliver, sign, or wait (for the applicant, or for others). A claim is for one step and ends with it.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from handlers.policy import scope_of
from storage import claims, worklist
from storage.database import Row

if TYPE_CHECKING:
    from handlers.casefile import CaseFile

STEPS = {
    "accept": ("accept", "not_accept", "request_correction"),
    "review": ("give_opinion", "forward"),
    "decide": ("decide",),
    "deliver": ("deliver",),
    "sign": ("complete",),
    "wait": (),
}
"""The steps, and the acts that take a part further: who has none of them waits for others."""

NEVER = dt.date.max
"""The day of what has no date: it comes last."""


async def record(file: CaseFile, *, fresh: bool = False) -> None:
    """At the close of a case file: write its parts as they are now; a claim ends with the step that it was for."""
    if file.row["number"] is None:
        return
    case_id, parts = file.row["id"], _parts(file)
    before = [] if fresh else await worklist.of_case(file.tx, case_id)
    await worklist.keep(file.tx, list(parts.values()))
    for row in before:
        department, part = row["department"], parts.get(row["department"])
        if part is None:
            await worklist.drop(file.tx, case_id, department)
        if row["holder_id"] is not None and (part is None or part["step"] != row["step"]):
            await claims.end(file.tx, case_id, department)


def steps_of(role: str) -> list[str]:
    """The steps that a role takes further."""
    return [step for step, acts in STEPS.items() if any(scope_of(role, act) != "none" for act in acts)]


def _parts(file: CaseFile) -> dict[str, Row]:
    """The parts of the case that wait at a desk now, by department."""
    found = {}
    lead = file.row["department"]
    if (own := _lead_step(file)) is not None:
        found[lead] = _row(file, lead, *own)
    for task in file.tasks if file.row["state"] in {"accepted", "in_review", "forwarded"} else []:
        if task["step"] == "review" and task["department"] != lead and task["state"] in _AT_WORK:
            step = "wait" if task["state"] == "suspended" else "review"
            found.setdefault(task["department"], _row(file, task["department"], step, task["due_on"]))
    return found


_AT_WORK = frozenset({"requested", "in_progress", "correction", "suspended"})


def _lead_step(file: CaseFile) -> tuple[str, dt.date | None] | None:
    """What the lead department does next, and by when."""
    delivery = file.card.delivery.due_on if file.card.delivery else None
    match file.row["state"]:
        case "submitted" | "correction_requested" as state:
            due = next((task["due_on"] for task in file.tasks if task["step"] == "accept" and task["state"] in _AT_WORK), None)
            return "accept" if state == "submitted" else "wait", due
        case "decided":
            return "deliver", delivery
        case "delivering":
            return "sign", delivery
        case "accepted" | "in_review" | "forwarded":
            return _review_step(file), file.row["promised_on"]
        case _:
            return None


def _review_step(file: CaseFile) -> str:
    own = [task for task in file.tasks if task["department"] == file.row["department"] and task["state"] in _AT_WORK - {"suspended"}]
    steps = {task["step"] for task in own}
    return "review" if "review" in steps else "decide" if "decide" in steps else "wait"


def _row(file: CaseFile, department: str, step: str, due_on: dt.date | None) -> Row:
    return {
        "case_id": file.row["id"], "department": department, "area": file.row["area"], "item_code": file.row["item_code"],
        "state": file.row["state"], "step": step, "is_lead": department == file.row["department"],
        "urgency": 4 * (2 - file.row["priority"]) + 3, "due_on": due_on or NEVER,
    }  # fmt: skip
