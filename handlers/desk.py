"""Cases as officers and clerks handle them: the same verbs as the departments' systems, with the policy table before each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from handlers import claims, corrections, extensions, forwarding, handovers, parallel, procedure, separation, specials, tasks
from handlers.access import Officer, check_officer
from handlers.casefile import CaseFile, audited, opened
from handlers.caseviews import CaseSummary, CaseView, summary, view_case
from handlers.corrections import Correction
from handlers.errors import Refused
from handlers.office import Office
from handlers.policy import scope_of
from handlers.specials import Special
from handlers.transitions import OPEN_STATES, STATE_NAMES
from storage import audit, cases
from storage.database import Row, Transaction

Settle = Callable[[Transaction, CaseView], Awaitable[None]]


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


async def not_accept(office: Office, officer: Officer, case_id: str, if_version: int, reason: str, competent: str = "") -> CaseView:
    """Refuse acceptance, with the reason and who is competent instead."""

    def act(file: CaseFile) -> None:
        procedure.not_accept(file, officer.actor, reason, competent)

    return await _do(office, officer, "not_accept", case_id, if_version, act)


async def request_correction(office: Office, officer: Officer, case_id: str, if_version: int, correction: Correction) -> CaseView:
    """Ask for corrections."""

    def act(file: CaseFile) -> None:
        corrections.request_correction(file, officer.actor, correction)

    return await _do(office, officer, "request_correction", case_id, if_version, act)


async def decide(office: Office, officer: Officer, case_id: str, if_version: int, result: str, reason: str) -> CaseView:
    """Decide a case; it is complete when its result is electronic. Who prepared it does not decide it."""

    async def act(file: CaseFile) -> None:
        await separation.check(file, officer.actor)
        procedure.decide(file, officer.actor, result, reason or None)
        handovers.begin(file, officer.actor)

    return await _do(office, officer, "decide", case_id, if_version, act)


async def give_opinion(
    office: Office, officer: Officer, task_id: str, case_id: str, if_version: int, result: str, opinion: str
) -> CaseView:
    """Answer one department's task by hand, for departments without a system of their own."""

    def act(file: CaseFile) -> None:
        task = next((task for task in file.tasks if task["id"] == task_id and task["step"] == "review"), None)
        if task is None or task["department"] != officer.department:
            raise Refused("not_found")
        answer(file, officer, task, result, opinion)

    return await _do(office, officer, "give_opinion", case_id, if_version, act)


def answer(file: CaseFile, officer: Officer, task: Row, result: str, opinion: str) -> None:
    """One department's opinion on its task, if it is still waited for."""
    if task["state"] not in tasks.LIVE and not parallel.is_deemed(task):
        raise Refused("task_settled")
    parallel.answer(file, officer.actor, task, result, opinion or None)


async def suspend(office: Office, officer: Officer, case_id: str, if_version: int, special: Special) -> CaseView:
    """Begin a special procedure: the lead department on the whole case, another department on its own task."""

    def act(file: CaseFile) -> None:
        specials.begin(file, officer.actor, special, officer.department, _own_task(file, officer))

    return await _do(office, officer, "suspend", case_id, if_version, act)


async def resume(office: Office, officer: Officer, case_id: str, if_version: int, procedure_id: str, result: str) -> CaseView:
    """End a special procedure, with its result; the lead department may end any, another department its own."""

    def act(file: CaseFile) -> None:
        own = {pause.id for pause in file.card.pauses if officer.department in {pause.department, file.row["department"]}}
        if procedure_id not in own:
            raise Refused("not_suspended")
        specials.end(file, officer.actor, procedure_id, result or None)

    return await _do(office, officer, "resume", case_id, if_version, act)


async def ask_extension(office: Office, officer: Officer, case_id: str, if_version: int, asking: extensions.Asking) -> CaseView:
    """Ask for more time; somebody else approves."""
    return await _do(office, officer, "extend", case_id, if_version, lambda file: extensions.ask(file, officer.actor, asking))


async def approve_extension(office: Office, officer: Officer, case_id: str, if_version: int) -> CaseView:
    """Approve the extension that was asked for."""
    return await _do(office, officer, "settle_extension", case_id, if_version, lambda file: extensions.approve(file, officer.actor))


async def refuse_extension(office: Office, officer: Officer, case_id: str, if_version: int, reason: str) -> CaseView:
    """Turn down the extension that was asked for."""
    return await _do(office, officer, "settle_extension", case_id, if_version, lambda file: extensions.refuse(file, officer.actor, reason))


async def forward(office: Office, officer: Officer, case_id: str, if_version: int, opinion: str) -> CaseView:
    """Send a reviewed case up to the level that decides."""
    return await _do(office, officer, "forward", case_id, if_version, lambda file: forwarding.forward(file, officer.actor, opinion or None))


async def deliver(office: Office, officer: Officer, case_id: str, if_version: int, dispatch: handovers.Dispatch) -> CaseView:
    """The result is in the post, or ready at the counter."""
    return await _do(office, officer, "deliver", case_id, if_version, lambda file: handovers.send(file, officer.actor, dispatch))


async def complete(office: Office, officer: Officer, case_id: str, if_version: int, signed_by: str) -> CaseView:
    """The applicant has signed for the result."""
    return await _do(office, officer, "complete", case_id, if_version, lambda file: handovers.sign(file, officer.actor, signed_by))


async def _do(
    office: Office,
    officer: Officer,
    action: str,
    case_id: str,
    if_version: int,
    act: Callable[[CaseFile], Awaitable[None] | None],
    settle: Settle | None = None,
) -> CaseView:
    async with office.database.transaction() as tx:
        async with opened(office, case_id, tx=tx) as file:
            _check(file, officer, action)
            await claims.hold(file, officer, action)
            file.expect(if_version)
            if (doing := act(file)) is not None:
                await doing
            await audited(file, officer.actor, action)
        view = view_case(office, file.row, file.item)
        if settle is not None:
            await settle(tx, view)
        return view


do = _do
"""An act of an officer on a case, for the acts that have modules of their own; `settle` writes something with it, or undoes it."""

_ALSO_FOR_A_PART = frozenset({"give_opinion", "suspend", "resume"})
"""What officers of a department with a part in the case may do too, on their own part."""


def _check(file: CaseFile, officer: Officer, action: str) -> None:
    departments = _departments(file.row, file.tasks)
    if action in _ALSO_FOR_A_PART:
        check_officer(officer, "see_case", file.row, departments)
        if scope_of(officer.role, action) == "none":
            raise Refused("forbidden")
    else:
        check_officer(officer, action, file.row, departments)


def _own_task(file: CaseFile, officer: Officer) -> Row | None:
    """The task that an officer of another department stops; None for the lead department, which stops the whole case."""
    if officer.department == file.row["department"]:
        return None
    own = [task for task in file.tasks if task["department"] == officer.department and task["state"] in tasks.LIVE]
    if not own:
        raise Refused("task_settled")
    return own[0]


def _departments(row: Row, tasks: list[Row]) -> set[str]:
    return {row["department"], *(task["department"] for task in tasks)}
