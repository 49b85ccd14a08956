"""Who works on a part of a case: claimed for a while, renewed by every act, assigned by an approver, handed over to a colleague.

While somebody holds a part, others do not act on it. A lease that has run out ends the hold; what was given stays first in the inbox
of who it was given to. Who approves may take a part over, with a reason.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import msgspec

from handlers import notes, worklist_views
from handlers.access import Officer, check_officer
from handlers.casefile import CaseFile, opened
from handlers.caseviews import DepartmentRef, department_ref
from handlers.errors import Refused
from handlers.limits import LOCAL
from handlers.office import Office
from handlers.policy import POLICY, scope_of
from handlers.worklist_views import Holder
from storage import audit, cases, claims, staff
from storage import worklist as parts
from storage.database import Queries, Row, Transaction

Text = Annotated[str, msgspec.Meta(max_length=500)]
Why = Literal["assign", "hand_over"]

UNBOUND = frozenset({"settle_extension", "set_priority"})
"""Acts that somebody else than the holder does by their nature: the approval of what he asked for, and the mark of who goes first."""


class Claiming(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`reason`: why an approver takes over what somebody else holds; empty to claim what is free."""

    reason: Text = ""


class Passing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """To whom the part goes (GET /desk/cases/{id}/colleagues), and a note for him."""

    staff_id: Annotated[str, msgspec.Meta(min_length=1, max_length=36)]
    note: Text = ""


class Colleague(msgspec.Struct, frozen=True):
    """Somebody a part may be given to."""

    id: str
    name: str
    role: str


class ClaimView(msgspec.Struct, frozen=True):
    """The reader's part of a case: its department and step (null once nothing waits there), who holds it, what he may do about that."""

    case_id: str
    department: DepartmentRef
    step: str | None
    holder: Holder | None
    acts: tuple[str, ...]


async def show(office: Office, officer: Officer, case_id: str) -> ClaimView:
    """Who holds the officer's part of a case."""
    row, department = await _seen(office, officer, case_id)
    return await _view(office, officer, row, department)


async def claim(office: Office, officer: Officer, case_id: str, reason: str = "") -> ClaimView:
    """Take the part that is free or whose lease has lapsed; an approver takes over what is held, with a reason."""
    async with office.database.transaction() as tx:
        row, department = await _held_case(tx, officer, case_id, "claim")
        data: dict[str, object] = {"department": department, "reason": reason.strip()}
        if not await claims.take(tx, case_id, department, officer.id, office.clock.now(), _until(office)):
            data["from"] = await _take_over(office, tx, officer, (case_id, department), reason.strip())
        await _record(office, tx, officer, "claim", case_id, data)
    return await _view(office, officer, row, department)


async def claim_task(office: Office, officer: Officer, task_id: str, reason: str = "") -> ClaimView:
    """The same by the id of a task of the case."""
    case_id = await cases.case_of_task(office.database, task_id)
    if case_id is None:
        raise Refused("not_found")
    return await claim(office, officer, case_id, reason)


async def release(office: Office, officer: Officer, case_id: str) -> ClaimView:
    """Give back what one holds."""
    async with office.database.transaction() as tx:
        row, department = await _held_case(tx, officer, case_id, "claim")
        _check_own(await claims.of_part(tx, case_id, department), officer)
        await claims.end(tx, case_id, department)
        await _record(office, tx, officer, "release", case_id, {"department": department})
    return await _view(office, officer, row, department)


async def assign(office: Office, officer: Officer, case_id: str, passing: Passing) -> ClaimView:
    """Give a part to an officer of one's department, whoever holds it."""
    return await _pass(office, officer, case_id, passing, "assign")


async def hand_over(office: Office, officer: Officer, case_id: str, passing: Passing) -> ClaimView:
    """Give what one holds to a colleague."""
    return await _pass(office, officer, case_id, passing, "hand_over")


async def colleagues(office: Office, officer: Officer, case_id: str) -> list[Colleague]:
    """Whom this officer may give his part of the case to."""
    await _seen(office, officer, case_id)
    why: Why = "assign" if scope_of(officer.role, "assign") != "none" else "hand_over"
    return [Colleague(row["id"], row["name"], row["role"]) for row in await _candidates(office.database, officer, why)]


async def hold(file: CaseFile, officer: Officer, action: str) -> None:
    """Before an act: refused while somebody else holds the part it is about; one's own lease is renewed."""
    if action in UNBOUND:
        return
    department = _department(officer, file.row, {task["department"] for task in file.tasks})
    held = await claims.of_part(file.tx, file.row["id"], department)
    if held is None:
        return
    if held["staff_id"] == officer.id:
        await claims.renew(file.tx, file.row["id"], department, officer.id, _until(file.office))
    elif held["until_at"] > file.now:
        raise _claimed(file.office, officer, held)


async def _pass(office: Office, officer: Officer, case_id: str, passing: Passing, why: Why) -> ClaimView:
    """Both ways to give a part away: it is an event of the case, and the note is sealed like every note."""
    async with office.database.transaction() as tx:
        async with opened(office, case_id, tx=tx) as file:
            departments = {file.row["department"], *(task["department"] for task in file.tasks)}
            department = _allowed(officer, file.row, departments, "assign" if why == "assign" else "claim")
            await _waits(tx, case_id, department)
            if why == "hand_over":
                _check_live(office, await claims.of_part(tx, case_id, department), officer)
            if passing.staff_id not in {row["id"] for row in await _candidates(tx, officer, why)}:
                raise Refused("colleague_unknown")
            data: dict[str, object] = {"department": department, "to": passing.staff_id}
            if (held := await claims.of_part(tx, case_id, department)) is not None and held["staff_id"] != officer.id:
                data["from"] = held["staff_id"]
            await claims.give(tx, (case_id, department), passing.staff_id, file.now, _until(office), officer.id)
            file.note("assigned" if why == "assign" else "handed_over", officer.actor, tell=False)
            if passing.note.strip():
                await notes.write(office, tx, officer, case_id, passing.note.strip())
            await _record(office, tx, officer, why, case_id, data)
        row = file.row
    return await _view(office, officer, row, department)


async def _take_over(office: Office, tx: Transaction, officer: Officer, part: tuple[str, str], reason: str) -> str | None:
    """Who held it until now; the record names him beside who took it."""
    held = await claims.of_part(tx, *part)
    if held is not None and (not reason or scope_of(officer.role, "take_over") == "none"):
        raise _claimed(office, officer, held)
    await claims.give(tx, part, officer.id, office.clock.now(), _until(office), None)
    return held["staff_id"] if held is not None else None


async def _seen(office: Office, officer: Officer, case_id: str) -> tuple[Row, str]:
    row = await cases.by_id(office.database, case_id)
    if row is None:
        raise Refused("not_found")
    departments = {row["department"], *(task["department"] for task in await cases.tasks(office.database, case_id))}
    check_officer(officer, "see_case", row, departments)
    return row, _department(officer, row, departments)


async def _held_case(tx: Transaction, officer: Officer, case_id: str, action: str) -> tuple[Row, str]:
    """The case, locked, so that claims and acts come one after the other; and the officer's part, which must wait for somebody."""
    row = await cases.hold(tx, case_id)
    if row is None:
        raise Refused("not_found")
    departments = {row["department"], *(task["department"] for task in await cases.tasks(tx, case_id))}
    department = _allowed(officer, row, departments, action)
    await _waits(tx, case_id, department)
    return row, department


def _allowed(officer: Officer, row: Row, departments: set[str], action: str) -> str:
    check_officer(officer, "see_case", row, departments)
    if scope_of(officer.role, action) == "none":
        raise Refused("forbidden")
    return _department(officer, row, departments)


def _department(officer: Officer, row: Row, departments: set[str]) -> str:
    """Whose part an officer works on: his department's, or the lead department's for those who serve the whole area."""
    return officer.department if officer.department in departments else row["department"]


async def _waits(tx: Transaction, case_id: str, department: str) -> None:
    if await parts.part(tx, case_id, department) is None:
        raise Refused("nothing_to_claim")


async def _candidates(db: Queries, officer: Officer, why: Why) -> list[Row]:
    """Active colleagues of the same department and area; an approver assigns to officers, others hand over to whoever may claim."""
    roles = ["officer"] if why == "assign" else [role for role in POLICY if _same_reach(role, officer.role)]
    found = await staff.colleagues(db, officer.area, officer.department or None, roles)
    return [row for row in found if row["id"] != officer.id]


def _same_reach(role: str, other: str) -> bool:
    return scope_of(role, "claim") != "none" and scope_of(role, "claim") == scope_of(other, "claim")


def _check_own(held: Row | None, officer: Officer) -> None:
    if held is None or held["staff_id"] != officer.id:
        raise Refused("not_held")


def _check_live(office: Office, held: Row | None, officer: Officer) -> None:
    _check_own(held, officer)
    if held is not None and held["until_at"] <= office.clock.now():
        raise Refused("not_held")


def _claimed(office: Office, officer: Officer, held: Row) -> Refused:
    holder = worklist_views.holder_of(office, officer, held)
    until: dt.datetime = held["until_at"]
    return Refused("claimed", {"holder": holder.name if holder else worklist_views.SOMEBODY, "until": f"{until.astimezone(LOCAL):%H:%M}"})


async def _view(office: Office, officer: Officer, row: Row, department: str) -> ClaimView:
    part = await parts.part(office.database, row["id"], department)
    holder = worklist_views.holder_of(office, officer, await claims.of_part(office.database, row["id"], department)) if part else None
    acts = _acts(officer, holder) if part else ()
    return ClaimView(row["id"], department_ref(office, department), part["step"] if part else None, holder, acts)


def _acts(officer: Officer, holder: Holder | None) -> tuple[str, ...]:
    """What this officer may do about the hold: claim, release, hand_over, take_over, assign."""
    if scope_of(officer.role, "claim") == "none":
        return ()
    held = holder is not None and holder.live
    if held and holder is not None and holder.own:
        found = ["release", "hand_over"]
    elif held:
        found = ["take_over"] if scope_of(officer.role, "take_over") != "none" else []
    else:
        found = ["claim"]
    return (*found, "assign") if scope_of(officer.role, "assign") != "none" else tuple(found)


def _until(office: Office) -> dt.datetime:
    return office.clock.now() + dt.timedelta(minutes=office.claim_minutes)


async def _record(office: Office, tx: Transaction, officer: Officer, act: str, case_id: str, data: dict[str, object]) -> None:
    await audit.record(
        tx, at=office.clock.now(), actor_kind="staff", actor_id=officer.id, action=f"case.{act}",
        object_kind="case", object_id=case_id, outcome="done", data=data,
    )  # fmt: skip
