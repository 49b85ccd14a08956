"""A case on the screen of a counter: what a clerk needs at a glance, nothing from the form."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from handlers import agents, clocks, duedates, proxyviews
from handlers.cards import Card, read_card
from handlers.casefile import open_form
from handlers.caseviews import DepartmentRef, ItemRef, department_ref
from handlers.catalogue import ServiceItem
from handlers.numbers import mask_name
from handlers.office import Office
from handlers.transitions import PUBLIC_STATES, STATE_NAMES
from storage import cases
from storage.database import Row

_LATEST = 50


class CardPart(msgspec.Struct, frozen=True):
    """One department's part in the case."""

    department: DepartmentRef
    step: str
    action: str
    state: str
    result: str | None
    due_on: dt.date | None


class CaseCard(msgspec.Struct, frozen=True):
    """A case at a glance; `supervision` is the card it has earned: none, warning, yellow or red.

    `applicant` is masked, and so is `agent`, who acts for him ("" where nobody does); `agent_over`: his authority is over, and he is handed
    nothing any more. `paused`: a special procedure lasts, and the clocks
    stand still.
    """

    id: str
    number: str
    applicant: str
    agent: str
    agent_over: bool
    item: ItemRef
    department: DepartmentRef
    state: str
    state_name: str
    public_state: str
    submitted_at: dt.datetime | None
    accepted_at: dt.datetime | None
    promised_on: dt.date | None
    legal_on: dt.date | None
    provisional: bool
    paused: bool
    decision: str | None
    supervision: clocks.Level
    supervision_reason: str
    materials: tuple[str, ...]
    tasks: tuple[CardPart, ...]


async def cards_for(office: Office, resident_id: str, case_ids: tuple[str, ...], area: str) -> list[CaseCard]:
    """The cards of a resident's submitted cases in one area: the named ones, or the latest fifty; never somebody else's."""
    rows = [await cases.by_id(office.database, case_id) for case_id in case_ids]
    found: list[Row | None] = [*rows] if case_ids else [*await cases.of_resident(office.database, resident_id, (), None, _LATEST)]
    return [
        await card_of(office, row)
        for row in found
        if row is not None and row["number"] and row["area"] == area and await _is_his(office, row, resident_id)
    ]


async def _is_his(office: Office, row: Row, resident_id: str) -> bool:
    """Also who acted in it: that his authority is over keeps nobody at the counter from finding the case."""
    return await agents.standing_of(office, office.database, row, resident_id) != "stranger"


async def card_of(office: Office, row: Row) -> CaseCard:
    """The card of one submitted case."""
    item = await office.catalogue.version(office.database, row["item_code"], row["item_version"])
    card = read_card(row)
    earned = _supervision(office, row, item, card)
    return CaseCard(
        id=row["id"],
        number=row["number"],
        applicant=applicant_of(open_form(office, row)),
        agent=behalf.agent_name if (behalf := proxyviews.behalf(office, row, card, masked=True)) else "",
        agent_over=behalf is not None and not await agents.holds(office, office.database, row),
        item=ItemRef(item.code, item.name, row["item_version"]),
        department=department_ref(office, row["department"]),
        state=row["state"],
        state_name=STATE_NAMES[row["state"]],
        public_state=PUBLIC_STATES[row["state"]],
        submitted_at=row["submitted_at"],
        accepted_at=row["accepted_at"],
        promised_on=row["promised_on"],
        legal_on=row["legal_on"],
        provisional=row["is_provisional"],
        paused=card.is_paused,
        decision=row["decision"],
        supervision=earned.level if earned else "none",
        supervision_reason=earned.text if earned else "",
        materials=tuple(material.name for material in card.materials),
        tasks=tuple(
            CardPart(department_ref(office, task.department), task.step, task.action, task.state, task.result, task.due_on)
            for task in card.tasks
        ),
    )


def applicant_of(form: dict[str, Any]) -> str:
    """The applicant as papers and counters show him: a person's name masked, a firm's as it hangs over its door."""
    name = str(form.get("applicant_name") or "")
    return name if form.get("credit_code") else mask_name(name)


def _supervision(office: Office, row: Row, item: ServiceItem, card: Card) -> clocks.Card | None:
    """Counted up to the decision; a case that was never accepted has no clock."""
    if row["accepted_at"] is None:
        return None
    promised, legal = duedates.limits(item, card)
    at = row["decided_at"] or row["completed_at"] or office.clock.now()
    return clocks.card(row["accepted_at"], promised, legal, duedates.pauses(card), at, calendar=office.calendar, counting=office.counting)
