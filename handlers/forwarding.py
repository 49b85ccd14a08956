"""Sending a case up (上报件): the town reviews first, the county decides, and each level has its own clock."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from handlers import clocks, explanations, guards, tasks
from handlers.actors import SYSTEM, Actor
from handlers.cards import Card, CardTask
from handlers.casefile import CaseFile
from handlers.partdates import FIRST_REVIEW_DAYS, first_review_due
from storage.database import Row

FIRST_REVIEW = "初审并报上级决定"
_LAST = 900  # behind every part of the item


class Level(msgspec.Struct, frozen=True):
    """The share of one level of government: by when, done when, and why then."""

    level: Literal["town", "county"]
    due_on: dt.date
    done_at: dt.datetime | None
    step: clocks.Step


def reviewed(file: CaseFile) -> None:
    """Every part is in: the decision is asked for, or first the town's own review of what the county decides."""
    if not guards.is_decided_above(file):
        _ask_decision(file)
    elif file.row["state"] == "in_review":
        first = _first_review(file)
        if first is None:
            _ask_first_review(file)
        else:
            _send_up(file, SYSTEM, first["opinion"])


def forward(file: CaseFile, actor: Actor, opinion: str | None) -> None:
    """The town's review is done and the case goes up, with its opinion."""
    guards.may_be_sent_up(file)
    first = _first_review(file)
    if first is not None and first["state"] in guards.LIVE:
        tasks.finish(file, actor, first, "agreed", opinion)
    _send_up(file, actor, opinion)


def levels(row: Row, card: Card) -> list[Level]:
    """The clock of each level, explained; empty for a case that stays in the town."""
    first = next((task for task in card.tasks if task.step == "review" and task.action == FIRST_REVIEW), None)
    if first is None and row["state"] != "forwarded":
        return []
    decision = next((task for task in card.tasks if task.step == "decide"), None)
    town = [_town(first)] if first is not None and first.due_on is not None else []
    return [*town, _county(row["promised_on"], decision.answered_at if decision else None)]


def _town(first: CardTask) -> Level:
    on = first.due_on or dt.date.max
    rule, rule_en = (
        f"自受理之日起 {FIRST_REVIEW_DAYS} 个工作日内且不超过承诺时限",
        "twenty working days from acceptance, within the promise",
    )
    return Level("town", on, first.answered_at, explanations.level(on, "镇级初审", "First review by the town", rule, rule_en))


def _county(on: dt.date, done_at: dt.datetime | None) -> Level:
    rule, rule_en = "自转报之日起，在承诺时限剩余的时间内", "what is left of the promise when the case is sent up"
    return Level("county", on, done_at, explanations.level(on, "县级决定", "Decision by the county", rule, rule_en))


def _ask_first_review(file: CaseFile) -> None:
    promised_on = file.row["promised_on"]
    due_on = first_review_due(file.row["accepted_at"], promised_on, file.card, file.office.calendar) or promised_on
    lead = file.row["department"]
    tasks.announce(file, file.add_task(lead, "review", FIRST_REVIEW, position=_LAST, state="requested", due_on=due_on))


def _first_review(file: CaseFile) -> Row | None:
    return next((task for task in file.tasks if task["step"] == "review" and task["action"] == FIRST_REVIEW), None)


def _send_up(file: CaseFile, actor: Actor, opinion: str | None) -> None:
    file.act("forward", actor)
    file.note("forwarded", actor, text=opinion, promised_on=file.row["promised_on"])
    _ask_decision(file)


def _ask_decision(file: CaseFile) -> None:
    if not any(task["step"] == "decide" for task in file.tasks):
        lead, due_on = file.row["department"], file.row["promised_on"]
        tasks.announce(file, file.add_task(lead, "decide", "作出决定", position=0, state="requested", due_on=due_on))
