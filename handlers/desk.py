"""Cases as officers and clerks handle them: the same verbs as the departments' systems, with the policy table before each."""

from __future__ import annotations

from collections.abc import Callable

from handlers import parallel, procedure, tasks
from handlers.access import Officer, check_officer
from handlers.casefile import CaseFile, audited, opened
from handlers.caseviews import CaseSummary, CaseView, summary, view_case
from handlers.errors import Refused
from handlers.office import Office
from handlers.policy import scope_of
from handlers.procedure import Correction
from handlers.transitions import OPEN_STATES, STATE_NAMES
from storage import audit, cases
from storage.database import Row


async def waiting(office: Office, officer: Officer, states: list[str], after: str | None, limit: int) -> list[CaseSummary]:
    """Cases this officer may see, oldest first."""
    scope = scope_of(officer.role, "see_case")
    if scope == "none":
        raise Refused("forbidden")
    department = officer.department if scope == "department" else None
    wanted = [state for state in states if state in STATE_NAMES and state != "draft"] or list(OPEN_STATES)
    rows = await cases.of_office(office.database, officer.area, department, wanted, after, limit)
    return [summary(office, row) for row in rows]


async def show(office: Office, officer: Officer, case_id: str) -> CaseView:
    """One case; the look is in the record."""
    row = await cases.by_id(office.database, case_id)
    if row is None:
        raise Refused("not_found")
    tasks = await cases.tasks(office.database, case_id)
    check_officer(officer, "see_case", row, _departments(row, tasks))
    await audit.record(
        office.database, at=office.clock.now(), actor_kind="staff", actor_id=officer.id, action="case.seen",
        object_kind="case", object_id=case_id, outcome="done", data={},
    )  # fmt: skip
    return view_case(office, row, await office.catalogue.version(office.database, row["item_code"], row["item_version"]))


async def accept(office: Office, officer: Officer, case_id: str, if_version: int) -> CaseView:
    """Accept a case at the counter."""
    return await _do(office, officer, "accept", case_id, if_version, lambda file: procedure.accept(file, officer.actor))


async def not_accept(office: Office, officer: Officer, case_id: str, if_version: int, reason: str) -> CaseView:
    """Refuse acceptance, with the reason."""
    return await _do(office, officer, "not_accept", case_id, if_version, lambda file: procedure.not_accept(file, officer.actor, reason))


async def request_correction(office: Office, officer: Officer, case_id: str, if_version: int, correction: Correction) -> CaseView:
    """Ask for corrections."""
    return await _do(
        office,
        officer,
        "request_correction",
        case_id,
        if_version,
        lambda file: procedure.request_correction(file, officer.actor, correction),
    )


async def decide(office: Office, officer: Officer, case_id: str, if_version: int, result: str, reason: str) -> CaseView:
    """Decide a case; it is complete when its result is electronic."""

    def act(file: CaseFile) -> None:
        procedure.decide(file, officer.actor, result, reason or None)
        procedure.complete(file, officer.actor)

    return await _do(office, officer, "decide", case_id, if_version, act)


async def give_opinion(
    office: Office, officer: Officer, task_id: str, case_id: str, if_version: int, result: str, opinion: str
) -> CaseView:
    """Answer one department's task by hand, for departments without a system of their own."""

    def act(file: CaseFile) -> None:
        task = next((task for task in file.tasks if task["id"] == task_id and task["step"] == "review"), None)
        if task is None or task["department"] != officer.department:
            raise Refused("not_found")
        if task["state"] not in tasks.LIVE:
            raise Refused("task_settled")
        parallel.answer(file, officer.actor, task, result, opinion or None)

    return await _do(office, officer, "give_opinion", case_id, if_version, act)


async def _do(office: Office, officer: Officer, action: str, case_id: str, if_version: int, act: Callable[[CaseFile], None]) -> CaseView:
    async with office.database.transaction() as tx:
        async with opened(office, case_id, tx=tx) as file:
            _check(file, officer, action)
            file.expect(if_version)
            act(file)
            await audited(file, officer.actor, action)
        return view_case(office, file.row, file.item)


def _check(file: CaseFile, officer: Officer, action: str) -> None:
    departments = _departments(file.row, file.tasks)
    if action == "give_opinion":
        check_officer(officer, "see_case", file.row, departments)
        if scope_of(officer.role, action) == "none":
            raise Refused("forbidden")
    else:
        check_officer(officer, action, file.row, departments)


def _departments(row: Row, tasks: list[Row]) -> set[str]:
    return {row["department"], *(task["department"] for task in tasks)}
