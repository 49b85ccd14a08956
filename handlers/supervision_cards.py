"""What people do with supervision cards: confirm, drop, revoke, supervise (督办), answer, appeal, settle, and give one by hand.

Every act is one row in the audit record, in the transaction that changes the card; a card is never deleted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from handlers import supervision
from handlers.access import Officer
from handlers.errors import Refused
from handlers.limits import local_date, midnight
from handlers.office import Office
from handlers.policy import scope_of
from handlers.supervision_rules import LEVELS, Level
from storage import audit, cases, supervision_cards, worklist
from storage.database import Row, Transaction
from storage.ids import uuid7
from storage.supervision_cards import Wanted

__all__ = [
    "ACTS", "APPEAL_RESULTS", "LIVE", "STATE_NAMES", "Act", "Manual", "Wanted",
    "appeal", "confirm", "drop", "feedback", "issue_by_hand", "listing", "open_acts", "revoke", "settle_appeal", "show",
    "supervise", "waiting", "wanted",
]  # fmt: skip

STATE_NAMES = {"pending": "待确认", "issued": "已发", "supervised": "督办中", "revoked": "已撤销", "dropped": "不予发牌"}
APPEAL_RESULTS = {"revoked": "申诉成立，撤销", "rejected": "申诉不成立，打回", "reported": "上报"}
LIVE = ("issued", "supervised")
MANUAL_FEEDBACK_DAYS = 3
"""Working days in which a unit answers a card that was given by hand, as for the rules' own."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act on a card: who may (handlers/policy.py), the states it starts from, and its Chinese name."""

    right: str
    begins: tuple[str, ...]
    name: str
    unless: str = ""


ACTS: Mapping[str, Act] = {
    "confirm": Act("settle_card", ("pending",), "确认发牌"),
    "drop": Act("settle_card", ("pending",), "不予发牌"),
    "supervise": Act("settle_card", ("issued",), "督办"),
    "revoke": Act("settle_card", LIVE, "撤销"),
    "settle_appeal": Act("settle_card", LIVE, "处理申诉", "appeal_result"),
    "feedback": Act("answer_card", LIVE, "反馈", "feedback_at"),
    "appeal": Act("answer_card", LIVE, "申诉", "appealed_at"),
}


class Manual(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card given by hand: on which case, for which ground of the rules, and why."""

    case_number: str
    ground: str
    level: Level
    reason: str


async def listing(office: Office, officer: Officer, only: Wanted, before: str | None, limit: int) -> list[Row]:
    """Cards that this officer may see, the newest first: a supervisor those of his area, a unit its own."""
    scope = scope_of(officer.role, "see_card")
    if scope == "none":
        raise Refused("forbidden")
    if scope == "department":
        if only.department not in {"", officer.department}:
            return []
        only = replace(only, department=officer.department)
    return await supervision_cards.listing(office.database, officer.area, only, before, limit)


async def waiting(office: Office, officer: Officer) -> int:
    """How many cards this officer is told of, by the rules' lists of recipients, that he or his unit has still to deal with."""
    scope, role = scope_of(officer.role, "see_card"), officer.role
    levels = [level for level in LEVELS if role in office.supervision.recipients.of(level)]
    settles = scope_of(role, "settle_card") != "none"
    if scope == "none" or not (levels or settles):
        return 0
    department = officer.department if scope == "department" else None
    return await supervision_cards.waiting(office.database, officer.area, department, levels or [""], settles=settles)


async def show(office: Office, officer: Officer, card_id: str) -> Row:
    """One card; "not found" if it is not this officer's to see."""
    row = await supervision_cards.by_id(office.database, card_id)
    if row is None or not _reaches(officer, "see_card", row):
        raise Refused("not_found")
    return row


def open_acts(officer: Officer, row: Row) -> list[str]:
    """The acts open to this officer on a card as it stands."""
    return [name for name, act in ACTS.items() if _reaches(officer, act.right, row) and _fits(name, act, row)]


async def confirm(office: Office, officer: Officer, card_id: str) -> Row:
    """Issue a card that waited for it; the unit's days for its answer begin now."""
    row = await show(office, officer, card_id)
    now = office.clock.now()
    due = supervision.feedback_due(office, _feedback_days(office, row))
    return await _do(
        office, officer, row, "confirm", {"state": "issued", "issued_at": now, "issued_by": officer.id, "feedback_due_on": due}
    )


async def drop(office: Office, officer: Officer, card_id: str, reason: str) -> Row:
    """Do not issue a card that waited for it."""
    return await _settle(office, officer, card_id, "drop", "dropped", reason)


async def revoke(office: Office, officer: Officer, card_id: str, reason: str) -> Row:
    """Take an issued card back; it is kept, and counted apart."""
    return await _settle(office, officer, card_id, "revoke", "revoked", reason)


async def supervise(office: Office, officer: Officer, card_id: str, reason: str) -> Row:
    """Press for the matter itself (督办)."""
    return await _settle(office, officer, card_id, "supervise", "supervised", reason)


async def feedback(office: Office, officer: Officer, card_id: str, text: str) -> Row:
    """The unit's answer to its card, once."""
    row = await show(office, officer, card_id)
    return await _do(office, officer, row, "feedback", {"feedback": text, "feedback_at": office.clock.now()})


async def appeal(office: Office, officer: Officer, card_id: str, text: str) -> Row:
    """The unit says that the card is not right, once."""
    row = await show(office, officer, card_id)
    return await _do(office, officer, row, "appeal", {"appeal": text, "appealed_at": office.clock.now()})


async def settle_appeal(office: Office, officer: Officer, card_id: str, result: str, reason: str) -> Row:
    """Answer an appeal: revoked (the card falls), rejected (it stands) or reported (the county decides)."""
    row = await show(office, officer, card_id)
    values: dict[str, Any] = {"appeal_result": result, "reason": reason, "settled_by": officer.id, "settled_at": office.clock.now()}
    if result == "revoked":
        values["state"] = "revoked"
    return await _do(office, officer, row, "settle_appeal", values)


async def issue_by_hand(office: Office, officer: Officer, manual: Manual) -> Row:
    """A card for what no clock sees, e.g. a refusal without a reason (监察办法 art. 6)."""
    if scope_of(officer.role, "settle_card") == "none":
        raise Refused("forbidden")
    case = await cases.by_number(office.database, manual.case_number)
    if case is None or case["area"] != officer.area:
        raise Refused("not_found")
    ground = next((ground for ground in office.supervision.grounds if ground.code == manual.ground), None)
    if ground is None:
        raise Refused("ground_unknown")
    row = _manual_row(office, officer, case, manual, f"{ground.name}：{manual.reason}"[:300])
    async with office.database.transaction() as tx:
        if not await supervision_cards.add(tx, [row]):
            raise Refused("card_exists")
        await worklist.rate(tx, [case["id"]])
        await _record(tx, office, officer, "issue", row["id"], {"case": case["id"], "ground": ground.code, "level": manual.level})
    return await show(office, officer, row["id"])


def wanted(
    *,
    level: str = "",
    state: str = "",
    kind: str = "",
    department: str = "",
    month: str = "",
    open_appeal: bool = False,
    running: bool = False,
) -> Wanted:
    """Filters of a list, each may be left out; `month` is that in which a card was earned, e.g. "2026-03"."""
    since, before = _month(month) if month else (None, None)
    return Wanted(level, state, department, kind, since, before, int(open_appeal), int(running))


async def _settle(office: Office, officer: Officer, card_id: str, name: str, state: str, reason: str) -> Row:
    row = await show(office, officer, card_id)
    values = {"state": state, "reason": reason, "settled_by": officer.id, "settled_at": office.clock.now()}
    return await _do(office, officer, row, name, values)


async def _do(office: Office, officer: Officer, row: Row, name: str, values: Mapping[str, Any]) -> Row:
    """One act: allowed, possible in the state that the card is in by now, and in the record."""
    act = ACTS[name]
    if not _reaches(officer, act.right, row):
        raise Refused("forbidden")
    if name == "settle_appeal" and row["appealed_at"] is None:
        raise Refused("card_state", _stands(officer, row))
    async with office.database.transaction() as tx:
        changed = await supervision_cards.change(tx, row["id"], act.begins, values, unless=act.unless)
        if changed is not None:
            await worklist.rate(tx, [changed["case_id"]] if changed["case_id"] else [])
            await _record(tx, office, officer, name, row["id"], {"state": changed["state"]})
            return changed
    raise Refused("card_state", _stands(officer, await show(office, officer, row["id"])))


def _month(text: str) -> tuple[dt.datetime, dt.datetime]:
    try:
        first = dt.date.fromisoformat(f"{text}-01")
    except ValueError:
        raise Refused("bad_request") from None
    if first.year in {dt.MINYEAR, dt.MAXYEAR}:  # its first moment, or the one after its last, is none in every time zone
        raise Refused("bad_request")
    return midnight(first), midnight((first + dt.timedelta(days=31)).replace(day=1))


def _fits(name: str, act: Act, row: Row) -> bool:
    if row["state"] not in act.begins or (act.unless and row[act.unless] is not None):
        return False
    return name != "settle_appeal" or row["appealed_at"] is not None


def _stands(officer: Officer, row: Row) -> dict[str, object]:
    possible = "、".join(ACTS[name].name for name in open_acts(officer, row)) or "查看"
    return {"state": STATE_NAMES[row["state"]], "possible": possible}


def _reaches(officer: Officer, right: str, row: Row) -> bool:
    scope = scope_of(officer.role, right)
    if scope == "none" or row["area"] != officer.area:
        return False
    return scope == "area" or row["department"] == officer.department


def _feedback_days(office: Office, row: Row) -> int:
    rule = next((rule for rule in office.supervision.rules if rule.code == row["rule"]), None)
    return rule.editions[row["rule_version"] - 1].feedback_days if rule and row["rule_version"] <= len(rule.editions) else 0


def _manual_row(office: Office, officer: Officer, case: Row, manual: Manual, text: str) -> Row:
    now = office.clock.now()
    due = office.calendar.add_workdays(local_date(now), MANUAL_FEEDBACK_DAYS).day
    return {
        "id": uuid7(now.timestamp()), "object_kind": "case", "object_id": case["id"], "case_id": case["id"],
        "item_code": case["item_code"], "department": case["department"], "area": case["area"], "staff_id": None,
        "level": manual.level, "rule": manual.ground, "rule_version": 0, "text": text, "state": "issued", "earned_at": now,
        "issued_at": now, "issued_by": officer.id, "feedback_due_on": due,
    }  # fmt: skip


async def _record(tx: Transaction, office: Office, officer: Officer, act: str, card_id: str, data: Mapping[str, Any]) -> None:
    await audit.record(
        tx, at=office.clock.now(), actor_kind="staff", actor_id=officer.id, action=f"card.{act}",
        object_kind="supervision_card", object_id=card_id, outcome="done", data=data,
    )  # fmt: skip
