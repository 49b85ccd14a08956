"""The only way to somebody's case; it refuses alike for "absent" and "not yours" (contract: 404, not 403)."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.actors import Actor
from handlers.agents import standing_of
from handlers.errors import Refused
from handlers.office import Office
from handlers.policy import Scope, scope_of
from storage import cases
from storage.database import Queries, Row


@dataclass(frozen=True, slots=True)
class Officer:
    """A member of staff as the policy table sees him."""

    id: str
    role: str
    department: str
    hall: str
    area: str

    @property
    def actor(self) -> Actor:
        """How his acts are signed."""
        return Actor("staff", self.id, self.department or self.hall)


async def own_case(office: Office, resident_id: str, case_id: str) -> Row:
    """A case of this resident, made by him or for him."""
    row = await cases.by_id(office.database, case_id)
    if row is None:
        raise Refused("not_found")
    await check_own(office, office.database, row, resident_id)
    return row


async def check_own(office: Office, db: Queries, row: Row, resident_id: str) -> None:
    """Refuse a case that is somebody else's; who acted in it until his authority was over is told so ("proxy_over")."""
    standing = await standing_of(office, db, row, resident_id)
    if standing == "former agent":
        raise Refused("proxy_over")
    if standing == "stranger":
        raise Refused("not_found")


def check_officer(officer: Officer, action: str, row: Row, departments: set[str]) -> None:
    """Refuse what the policy table does not give this officer: unseen cases are "not found", seen ones "forbidden".

    What has no number was never handed in: a resident's draft is nobody's business.
    """
    if row["number"] is None or not _within(scope_of(officer.role, "see_case"), officer, row, departments):
        raise Refused("not_found")
    if action != "see_case" and not _within(scope_of(officer.role, action), officer, row, {row["department"]}):
        raise Refused("forbidden")


def _within(scope: Scope, officer: Officer, row: Row, departments: set[str]) -> bool:
    if scope == "none" or row["area"] != officer.area:
        return False
    return scope == "area" or officer.department in departments
