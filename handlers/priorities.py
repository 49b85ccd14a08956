"""Who goes first (优先办理): people whom the rules name, and cases that are urgent; `cases.priority` orders the desk's inbox."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import msgspec

from handlers.actors import Actor
from handlers.cards import CardPriority, CardUrgency
from handlers.casefile import CaseFile
from handlers.errors import Refused
from handlers.limits import local_date
from handlers.transitions import wrong_state

Group = Literal["", "elder", "disabled", "pregnant", "military", "minor"]

GROUPS = {
    "elder": "65 周岁以上老年人",
    "disabled": "残疾人",
    "pregnant": "孕产妇",
    "military": "现役军人、退役军人和军属",
    "minor": "困境未成年人",
}
"""The groups that go first in a hall, and where that is written: 老年人权益保障法 art. 58, 残疾人保障法 art. 50, 军人地位和权益保障法,
未成年人保护法, 母婴优先 by the hall's own rule."""

ORDINARY, FIRST, URGENT = 0, 1, 2
ELDER_YEARS = 65

_OPEN = frozenset({"submitted", "correction_requested", "accepted", "in_review", "forwarded"})


class Marking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The group, "" to take the mark away; `evidence`: what the officer saw, such as the number of no document but its name."""

    group: Group
    evidence: Annotated[str, msgspec.Meta(max_length=100)] = ""


class Urging(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Urgent aid is asked for: why it cannot wait."""

    reason: Annotated[str, msgspec.Meta(min_length=2, max_length=500)]


def mark(file: CaseFile, actor: Actor, marking: Marking) -> None:
    """An officer or clerk puts a case first, and says what shows it; the claim of the applicant alone does not."""
    if file.row["state"] not in _OPEN:
        raise wrong_state(file.row["state"], actor.kind)
    if marking.group and not marking.evidence.strip():
        raise Refused("evidence_missing")
    kept = CardPriority(marking.group, marking.evidence.strip()) if marking.group else None
    _keep(file, kept)
    file.note("prioritised", actor, tell=False, text=GROUPS.get(marking.group, "取消优先"), evidence=marking.evidence.strip())


def recognise(file: CaseFile) -> None:
    """At submission: the hours of urgent aid run from now; an identity number says by itself who is 65 or older."""
    if file.card.urgency is not None:
        hurry(file)
    if file.card.priority is None and is_elder(file.form, local_date(file.now)):
        _keep(file, CardPriority("elder", "身份证号码"))


def urge(file: CaseFile, actor: Actor, urging: Urging) -> None:
    """The applicant asks for urgent aid: only where the item has a green channel; its hours run at once (绿色通道: 24 或 48 小时)."""
    if not file.item.green_channel:
        raise Refused("no_green_channel")
    hurry(file)
    file.note("urgent_asked", actor, reason=urging.reason, tell=False, hours=file.item.urgent_hours)


def hurry(file: CaseFile) -> None:
    """The hours of urgent aid run from now: the office has what it needs."""
    until = file.now + dt.timedelta(hours=file.item.urgent_hours)
    file.card = msgspec.structs.replace(file.card, urgency=CardUrgency(file.now, until))
    _keep(file, file.card.priority)


def _keep(file: CaseFile, priority: CardPriority | None) -> None:
    file.card = msgspec.structs.replace(file.card, priority=priority)
    file.row["priority"] = URGENT if file.card.urgency else FIRST if priority else ORDINARY


def is_elder(form: dict[str, Any], today: dt.date) -> bool:
    """A number of 18 digits has the day of birth in it (GB 11643)."""
    number = str(form.get("id_number", ""))
    if len(number) != 18 or not number[6:14].isdigit():  # noqa: PLR2004 - GB 11643
        return False
    month_day = int(number[10:14])
    age = today.year - int(number[6:10]) - (today.month * 100 + today.day < month_day)
    return age >= ELDER_YEARS
