"""Supervision at work: every change of a case notes when to look at it next; a sweep looks at what is due and issues the cards.

A sweep's work grows with what is due, not with what is open. Several at once do no harm: a look is taken by whoever moves its row
first, and a card exists once (UNIQUE). A case that is done before the sweep gets no card (监察规则说明).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from handlers import duedates, limits
from handlers.actors import SYSTEM
from handlers.cards import read_card
from handlers.errors import Refused
from handlers.office import Office
from handlers.supervision_clocks import Bound, Earned, Reckoner, Watched
from handlers.supervision_objects import Facts, objects
from handlers.supervision_rules import fill
from storage import audit, supervision_cards, worklist
from storage import supervision as rows
from storage.database import Queries, Row, Transaction
from storage.ids import uuid7

if TYPE_CHECKING:
    import datetime as dt

    from handlers.casefile import CaseFile

log = logging.getLogger(__name__)

BATCH = 200
_UNREADABLE_AGAIN = limits.DAY

Key = tuple[str, str]
"""Object kind and object id."""


async def plan(file: CaseFile, *, fresh: bool = False) -> None:
    """At the close of a case file: note when each of its objects is to be looked at next, and forget those that are done."""
    if file.row["number"] is None:
        return
    found = [] if fresh else await rows.known(file.tx, [file.row["id"]])
    facts = Facts(file.row, file.item, file.card, file.tasks, _is_certified(found))
    await _write(file.tx, facts, _former(found), _looks(file.office, facts, found))


async def replan_all(office: Office) -> int:
    """Plan everything under supervision anew, as after a change of calendar or rules; how many cases were looked through.

    Each moment is moved by itself and only from where it was read: what a change of its case plans meanwhile is newer, and stays.
    """
    done, after = 0, ""
    while ids := await rows.to_plan(office.database, after, BATCH):
        for facts, found in await _load(office, office.database, ids):
            former = _former(found)
            looks = _looks(office, facts, found)
            for key in former.keys() | looks.keys():
                if former.get(key) != looks.get(key):
                    await rows.replan(office.database, (*key, facts.row["id"], looks.get(key)), former.get(key))
        done, after = done + len(ids), ids[-1]
    return done


async def catch_up(office: Office) -> int:
    """Plan anew if calendar, rules or way of counting are not those that the plans were made with; how many cases."""
    wanted = _fingerprint(office)
    if await rows.planned_with(office.database) == wanted:
        return 0
    done = await replan_all(office)
    await rows.plan_with(office.database, wanted)
    return done


async def sweep(office: Office) -> int:
    """Look at everything that is due and issue the cards; how many were issued or wait for their confirmation."""
    issued = 0
    while due := await rows.due(office.database, office.clock.now(), BATCH):
        issued += await _look_at(office, due)
        if len(due) < BATCH:
            break
    return issued


def reckoner(office: Office) -> Reckoner:
    """How this office counts."""
    return Reckoner(office.supervision, office.calendar, office.counting)


async def load(office: Office, db: Queries, case_ids: Sequence[str]) -> dict[str, Facts]:
    """What supervision sees of cases, by their ids; a case that cannot be read is left out, and said in the log."""
    return {facts.row["id"]: facts for facts, _ in await _load(office, db, case_ids)}


def watched(office: Office, facts: Facts) -> dict[Key, Watched]:
    """The objects of a case by kind and id."""
    return {(one.kind, one.id): one for one in objects(facts, office.supervision.limits, office.calendar)}


def placeholders(office: Office, facts: Facts, one: Watched, used: int) -> dict[str, str]:
    """What fills the gaps of a card's text."""
    department = office.catalogue.departments.get(one.department)
    own = one.limits.get("own")
    promised, legal = duedates.limits(facts.item, facts.card)
    return {
        "instance_code": facts.row["number"] or "",
        "instance_name": facts.item.name,
        "commitment_limit": limit_words(promised),
        "approve_limit": limit_words(legal),
        "own_limit": limit_words(own) if own else "",
        "used_days": str(used),
        "used_hours": str(used),
        "step": one.step,
        "department": department.name if department else one.department,
    }


def limit_words(limit: Bound) -> str:
    """A limit as a card says it."""
    if isinstance(limit, limits.Hours):
        return f"{limit.hours} 小时"
    return f"{limit.days} {'个工作日' if limit.unit == 'working' else '天'}"


async def _write(tx: Transaction, facts: Facts, former: Mapping[Key, dt.datetime], looks: Mapping[Key, dt.datetime]) -> None:
    for key in sorted(former.keys() | looks.keys()):  # in the order in which a sweep takes them, so that nobody waits in a circle
        if key not in looks:
            await rows.forget(tx, *key)
        elif former.get(key) != looks[key]:
            await rows.plan(tx, (*key, facts.row["id"], looks[key]))


async def _look_at(office: Office, due: list[Row]) -> int:
    """One batch in one transaction; what a change of its case has moved meanwhile is left to the next look."""
    async with office.database.transaction() as tx:
        loaded = await _load(office, tx, sorted({row["case_id"] for row in due}))
        seen = {facts.row["id"]: (facts, watched(office, facts), _carded(found)) for facts, found in loaded}
        cards = [card for row in sorted(due, key=_key) for card in await _look(office, tx, row, seen.get(row["case_id"]))]
        added = set(await supervision_cards.add(tx, cards))
        for card in cards:
            if card["id"] in added:
                await _issued(tx, card)
        await worklist.rate(tx, sorted({card["case_id"] for card in cards if card["id"] in added}))
        return len(added)


def _looks(office: Office, facts: Facts, found: Iterable[Row]) -> dict[Key, dt.datetime]:
    """When to look at each object that is not done."""
    by, now, carded = reckoner(office), office.clock.now(), _carded(found)
    running = [one for one in objects(facts, by.book.limits, by.calendar) if one.runs]
    looks = {(one.kind, one.id): by.next_look(one, carded.get((one.kind, one.id), ()), now) for one in running}
    return {key: look for key, look in looks.items() if look is not None}


_Seen = tuple[Facts, Mapping[Key, Watched], Mapping[Key, set[str]]]


async def _look(office: Office, tx: Transaction, due: Row, seen: _Seen | None) -> list[Row]:
    """The cards that one object has earned since it was looked at."""
    now, by = office.clock.now(), reckoner(office)
    if seen is None:
        await rows.move(tx, due, now + _UNREADABLE_AGAIN)
        return []
    facts, objects_of, carded = seen
    one, had = objects_of.get(_key(due)), carded.get(_key(due), set())
    if one is None or not one.runs:
        await rows.move(tx, due, None)
        return []
    earned = [found for found in by.earned(one, now) if found.rule.code not in had]
    following = by.next_look(one, had | {found.rule.code for found in earned}, now)
    if not await rows.move(tx, due, following):
        return []
    return [_card(office, facts, one, found) for found in earned]


def _card(office: Office, facts: Facts, one: Watched, found: Earned) -> Row:
    now, rule = office.clock.now(), found.rule
    automatic = rule.edition.issue == "automatic"
    return {
        "id": uuid7(now.timestamp()), "object_kind": one.kind, "object_id": one.id, "case_id": facts.row["id"],
        "item_code": facts.item.code, "department": one.department, "area": facts.row["area"], "staff_id": facts.row["staff_id"],
        "level": rule.level, "rule": rule.code, "rule_version": rule.version,
        "text": fill(rule.edition.text, placeholders(office, facts, one, found.used)),
        "state": "issued" if automatic else "pending", "earned_at": found.at, "issued_at": now if automatic else None, "issued_by": None,
        "feedback_due_on": feedback_due(office, rule.edition.feedback_days) if automatic else None,
    }  # fmt: skip


def feedback_due(office: Office, days: int) -> dt.date | None:
    """By when the unit must answer a card issued now: so many working days, 0 = it need not."""
    return office.calendar.add_workdays(limits.local_date(office.clock.now()), days).day if days else None


async def _issued(tx: Transaction, card: Row) -> None:
    await audit.record(
        tx, at=card["issued_at"] or card["earned_at"], actor_kind=SYSTEM.kind, actor_id=SYSTEM.id, action=f"card.{card['state']}",
        object_kind="supervision_card", object_id=card["id"], outcome="done",
        data={"case": card["case_id"], "level": card["level"], "rule": card["rule"], "version": card["rule_version"]},
    )  # fmt: skip


async def _load(office: Office, db: Queries, case_ids: Sequence[str]) -> list[tuple[Facts, list[Row]]]:
    tasks, found = _grouped(await rows.tasks(db, case_ids)), _grouped(await rows.known(db, case_ids))
    loaded = []
    for row in await rows.cases(db, case_ids):
        known = found.get(row["id"], [])
        try:
            item = await office.catalogue.version(db, row["item_code"], row["item_version"])
        except Refused:
            log.exception("case %s cannot be supervised: its item is not in the catalogue", row["id"])
            continue
        loaded.append((Facts(row, item, read_card(row), tasks.get(row["id"], []), _is_certified(known)), known))
    return loaded


def _is_certified(found: Iterable[Row]) -> bool:
    return any(one["what"] == "certificate" for one in found)


def _key(row: Row) -> Key:
    return row["object_kind"], row["object_id"]


def _former(found: Iterable[Row]) -> dict[Key, dt.datetime]:
    return {_key(row): row["look_at"] for row in found if row["what"] == "due"}


def _carded(found: Iterable[Row]) -> dict[Key, set[str]]:
    """The rules by which each object has a card already."""
    carded: dict[Key, set[str]] = {}
    for row in found:
        if row["what"] == "card":
            carded.setdefault(_key(row), set()).add(row["rule"])
    return carded


def _grouped(found: Iterable[Row]) -> dict[str, list[Row]]:
    cases: dict[str, list[Row]] = {}
    for row in found:
        cases.setdefault(row["case_id"], []).append(row)
    return cases


def _fingerprint(office: Office) -> int:
    """A number that changes with whatever plans depend on beside the cases."""
    text = msgspec.json.encode((office.supervision, office.calendar.years, office.counting))
    return int.from_bytes(hashlib.sha256(text).digest()[:7])
