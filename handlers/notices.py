"""What a change of a case means for its resident: a line in the account's events and, where it is worth it, a push to the phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.office import Office
from storage import account_events, notifications
from storage.account_events import News
from storage.database import Transaction

EVENT_TYPES = (
    "case.submitted",
    "case.accepted",
    "case.accepted_by_silence",
    "case.not_accepted",
    "case.correction_requested",
    "case.corrected",
    "case.task_started",
    "case.task_answered",
    "case.task_deemed",
    "case.part_asks",
    "case.part_stopped",
    "case.progressed",
    "case.suspended",
    "case.resumed",
    "case.recounted",
    "case.extended",
    "case.forwarded",
    "case.decided",
    "case.delivering",
    "case.completed",
    "case.withdrawn",
    "case.expired",
    "case.papers_owed",
    "case.papers_due",
    "case.papers_lapsed",
    "case.papers_supplied",
    "case.paper_waived",
    "case.promise_kept",
    "case.promise_broken",
    "case.revoked",
    "code.scanned",
    "proxy.approved",
    "proxy.refused",
    "proxy.confirmed",
    "proxy.revoked",
    "proxy.ended",
)

PUSHED = frozenset(
    {
        "case.accepted",
        "case.accepted_by_silence",
        "case.not_accepted",
        "case.correction_requested",
        "case.part_asks",
        "case.part_stopped",
        "case.extended",
        "case.decided",
        "case.delivering",
        "case.completed",
        "case.expired",
        "case.papers_owed",
        "case.papers_due",
        "case.papers_lapsed",
        "case.promise_broken",
        "case.revoked",
    }
)
"""The events that also go to the phone as a WeChat message; the others wait in the app."""


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What a notice says about its case; `seq` is the number of the case event that it follows from."""

    id: str
    number: str | None
    item_name: str
    state: str
    seq: int


async def tell(tx: Transaction, office: Office, *, resident_id: str, case: CaseFacts, event: str, data: Mapping[str, Any]) -> int:
    """Tell the resident, in the transaction of the change itself; answers the number in the account's line.

    `event` is one of EVENT_TYPES; `data` holds what the words need: department_name, reason, decision, promised_on, text.
    """
    return await tell_all(tx, office, resident_id=resident_id, case=case, news=[(event, data)])


async def tell_all(tx: Transaction, office: Office, *, resident_id: str, case: CaseFacts, news: Sequence[News]) -> int:
    """Tell several things of one change, in this order; answers the number of the last one."""
    if unknown := [event for event, _ in news if event not in EVENT_TYPES]:
        raise ValueError(f"{unknown[0]!r} is no account event: see handlers.notices.EVENT_TYPES")
    now = office.clock.now()
    facts = [(event, {"number": case.number, "item_name": case.item_name, "state": case.state, **data}) for event, data in news]
    last = await account_events.append_all(tx, resident_id, case.id, facts, now)
    for event, fact in facts:
        if event in PUSHED:
            once_key = f"{resident_id}|{case.id}|{event}|{case.seq}"
            await notifications.add(tx, account_id=resident_id, case_id=case.id, event=event, once_key=once_key, data=fact, at=now)
    return last
