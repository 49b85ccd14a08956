"""What people see of a bundle they applied for: the umbrella with its number, and each part with where it stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from handlers.cards import read_card
from handlers.caseviews import DepartmentRef, department_ref
from handlers.office import Office
from handlers.stages import Fate, Plan, PlannedPart, is_finished
from handlers.transitions import PUBLIC_STATES, STATE_NAMES
from storage.database import Row

WAITS = "等待前面的事项办成"
ASKS = "轮到本事项，需要您补充后提交"


class BundleRef(msgspec.Struct, frozen=True):
    """A bundle by code and name."""

    code: str
    name: str


class PartView(msgspec.Struct, frozen=True):
    """One part. `waiting`: its turn has not come; `waits_for` names the parts it needs that are not granted yet."""

    case_id: str
    number: str | None
    code: str
    name: str
    department: DepartmentRef
    stage: int
    waiting: bool
    waits_for: tuple[str, ...]
    state: str
    state_name: str
    public_state: str
    promised_on: dt.date | None
    decision: str | None
    reason: str | None


class UmbrellaView(msgspec.Struct, frozen=True, tag_field="kind", tag="bundle"):
    """A bundle applied for, whole: its one number (统一受理码), its one date, its parts in the order of their stages."""

    id: str
    number: str
    bundle: BundleRef
    department: DepartmentRef
    public_state: str
    created_at: dt.datetime
    promised_on: dt.date
    finished_at: dt.datetime | None
    parts: tuple[PartView, ...]


def view_umbrella(office: Office, row: Row, cases: Sequence[Row]) -> UmbrellaView:
    """An umbrella row with the rows of its cases."""
    plan = read_plan(row)
    by_code = {case["item_code"]: case for case in cases}
    fates = fates_of(plan, cases)
    bundle = office.catalogue.bundles.get(row["bundle_code"])
    parts = tuple(_part(office, part, by_code[part.code], fates) for part in plan.parts)
    return UmbrellaView(
        id=row["id"],
        number=row["number"],
        bundle=BundleRef(row["bundle_code"], bundle.name if bundle else row["bundle_code"]),
        department=department_ref(office, bundle.lead if bundle else ""),
        public_state=_public(parts, finished=is_finished(fates)),
        created_at=row["created_at"],
        promised_on=row["promised_on"],
        finished_at=row["finished_at"],
        parts=parts,
    )


def read_plan(row: Row) -> Plan:
    """The plan of an umbrella row."""
    return msgspec.json.decode(row["plan"], type=Plan)


def fates_of(plan: Plan, cases: Sequence[Row]) -> dict[str, Fate]:
    """What has become of every part, by its case."""
    by_id = {case["id"]: case for case in cases}
    return {part.code: _fate(by_id[part.case_id]) for part in plan.parts}


def _fate(case: Row) -> Fate:
    if case["decision"] == "granted":
        return "granted"
    if case["decision"] == "refused" or case["state"] in {"not_accepted", "withdrawn", "expired"}:
        return "ended"
    return "waiting" if case["state"] == "draft" and read_card(case).waiting else "going"


def _part(office: Office, part: PlannedPart, case: Row, fates: dict[str, Fate]) -> PartView:
    item = office.catalogue.items.get(part.code)
    waiting, asks = fates[part.code] == "waiting", case["state"] == "draft" and fates[part.code] == "going"
    return PartView(
        case_id=case["id"],
        number=case["number"],
        code=part.code,
        name=item.name if item else part.code,
        department=department_ref(office, case["department"]),
        stage=part.stage,
        waiting=waiting,
        waits_for=tuple(code for code in part.needs if fates[code] != "granted") if waiting else (),
        state=case["state"],
        state_name=WAITS if waiting else ASKS if asks else STATE_NAMES[case["state"]],
        public_state="with_office" if waiting else "needs_you" if asks else PUBLIC_STATES[case["state"]],
        promised_on=case["promised_on"],
        decision=case["decision"],
        reason=case["reason"],
    )


def _public(parts: Sequence[PartView], *, finished: bool) -> str:
    if any(part.public_state == "needs_you" for part in parts):
        return "needs_you"
    return "completed" if finished else "with_office"
