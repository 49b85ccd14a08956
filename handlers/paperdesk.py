"""Papers that may follow, as officers handle them: deciding first, checking promises, waiving, revoking, priority; and the ledger."""

from __future__ import annotations

from handlers import cursors, papers, priorities
from handlers.access import Officer
from handlers.casefile import CaseFile
from handlers.caseviews import CaseView
from handlers.debtviews import LedgerLine, ledger_line
from handlers.desk import do
from handlers.errors import Refused
from handlers.office import Office
from handlers.policy import scope_of
from storage import debts


async def decide_first(office: Office, officer: Officer, case_id: str, if_version: int, reason: str) -> CaseView:
    """Grant urgent aid before its papers are there."""
    if not reason.strip():
        raise Refused("reason_missing")
    return await do(
        office, officer, "decide_first", case_id, if_version, lambda file: papers.decide_first(file, officer.actor, reason.strip())
    )


async def waive(office: Office, officer: Officer, case_id: str, if_version: int, waiver: papers.Waiver) -> CaseView:
    """A paper need not come in after all."""
    return await do(office, officer, "waive_paper", case_id, if_version, lambda file: papers.waive(file, officer.actor, waiver))


async def check(office: Office, officer: Officer, case_id: str, if_version: int, finding: papers.Finding) -> CaseView:
    """What the check of a promise found."""
    return await do(office, officer, "check_promise", case_id, if_version, lambda file: papers.check(file, officer.actor, finding))


async def revoke(office: Office, officer: Officer, case_id: str, if_version: int, reason: str) -> CaseView:
    """Take back a decision whose papers did not come or whose promise was broken."""
    if not reason.strip():
        raise Refused("reason_missing")
    return await do(office, officer, "revoke", case_id, if_version, lambda file: papers.revoke(file, officer.actor, reason.strip()))


async def mark(office: Office, officer: Officer, case_id: str, if_version: int, marking: priorities.Marking) -> CaseView:
    """Put a case first, or back in its place."""

    def act(file: CaseFile) -> None:
        priorities.mark(file, officer.actor, marking)

    return await do(office, officer, "set_priority", case_id, if_version, act)


async def ledger(office: Office, officer: Officer, shown: str, after: str | None, limit: int) -> list[LedgerLine]:
    """A page of the ledger of papers (容缺台账): those of the cases that this officer may see, the earliest date first."""
    scope = scope_of(officer.role, "see_case")
    if scope == "none":
        raise Refused("forbidden")
    department = officer.department if scope == "department" else None
    rows = await debts.ledger(office.database, officer.area, department, shown, cursors.place(after), limit)
    return [ledger_line(office, row) for row in rows]


def cursor(line: LedgerLine) -> str:
    """Where the next page begins."""
    return cursors.mark(line.due_on, line.id)
