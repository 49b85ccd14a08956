"""The history of a case in words, and its due dates explained."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from handlers import clocks, duedates, explanations, forwarding, proxyviews
from handlers.actors import ActorKind
from handlers.cards import CardExtension, read_card
from handlers.caseviews import department_ref
from handlers.office import Office
from storage import cases, recount
from storage.database import Row

TITLES = {
    "submitted": "提交申请",
    "accepted": "已受理",
    "accepted_by_silence": "逾期未答复，视为受理",
    "not_accepted": "不予受理",
    "correction_requested": "需要补正材料",
    "corrected": "已补正",
    "task_started": "转部门审查",
    "task_answered": "部门已回复",
    "task_deemed": "部门逾期未答复，视为同意",
    "late_opinion": "部门逾期后答复，仅作记录",
    "part_asks": "一件事：轮到本事项，需要您补充",
    "part_stopped": "一件事：本事项不再办理",
    "progressed": "办理进展",
    "suspended": "进入特别程序",
    "resumed": "特别程序结束",
    "recounted": "到期日重新计算",
    "extension_asked": "申请延长期限",
    "extended": "期限已延长",
    "extension_refused": "延长期限未获批准",
    "forwarded": "初审完成，已转报上级",
    "decided": "作出决定",
    "delivering": "结果送达中",
    "expired": "逾期失效",
    "completed": "办结",
    "withdrawn": "已撤回",
    "evaluated": "已评价",
    "certificate_issued": "电子证照已制发",
    "papers_owed": "材料可以后补",
    "papers_due": "待补材料即将到期",
    "papers_lapsed": "待补材料逾期",
    "papers_supplied": "已补交材料",
    "paper_waived": "材料免予补交",
    "promise_kept": "承诺核查：属实",
    "promise_broken": "承诺核查：不实",
    "revoked": "决定被撤销",
    "urgent_asked": "申请急办",
    "prioritised": "优先办理",
    "assigned": "分派经办人员",
    "handed_over": "移交经办人员",
}

INTERNAL = ("assigned", "handed_over")
"""Who of the staff works on it: the office's own affair, shown at the desk and not to the resident."""

_ACTORS = {"resident": "申请人", "system": "系统"}


class EventActor(msgspec.Struct, frozen=True):
    """Who did it: the resident, the office, or a department by its name; a person's name only masked, of who acts for the applicant."""

    kind: ActorKind
    name: str


class CaseEvent(msgspec.Struct, frozen=True):
    """One line of the history."""

    seq: int
    type: str
    title: str
    at: dt.datetime
    actor: EventActor
    reason: str | None
    data: dict[str, Any]


class DueView(msgspec.Struct, frozen=True):
    """A due date and how it was counted, step by step; null while a special procedure lasts, then `days_left` says what remains.

    `due_at` is the very second, where the town counts by the instant.
    """

    due_on: dt.date | None
    due_at: dt.datetime | None
    days_left: int | None
    provisional: bool
    steps: list[clocks.Step]


class DueDates(msgspec.Struct, frozen=True):
    """Both clocks of a case; null before acceptance. `levels`: the share of town and county in a case that goes up (上报件)."""

    promised: DueView | None
    legal: DueView | None
    levels: list[forwarding.Level] = []


async def history(office: Office, case_id: str, after: int, limit: int, without: Sequence[str] = ()) -> list[CaseEvent]:
    """A page of the history, those of the types `without` left out."""
    found = [(row, msgspec.json.decode(row["data"])) for row in await cases.events(office.database, case_id, after, limit, without)]
    agent = await _agent(office, case_id) if any("behalf" in data for _, data in found) else ""
    return [_event(office, row, data, agent) for row, data in found]


async def due_dates(office: Office, row: Row) -> DueDates:
    """Both due dates, counted again and explained."""
    if row["accepted_at"] is None:
        return DueDates(None, None)
    item = await office.catalogue.version(office.database, row["item_code"], row["item_version"])
    card = read_card(row)
    promised, legal = duedates.due_dates(row, card, item, office)
    more = [one for one in card.extensions if one.promise], card.extensions
    first = clocks.earliest(promised, legal)
    sooner = [explanations.legal_first(legal.due_on)] if first is legal and legal.due_on and promised.due_on else []
    return DueDates(
        _due(row, "promised_on", first, [*_steps(promised, more[0]), *sooner]),
        _due(row, "legal_on", legal, _steps(legal, more[1])),
        forwarding.levels(row, card),
    )


def _steps(due: clocks.DueDate, extensions: Iterable[CardExtension]) -> list[clocks.Step]:
    """The explanation of a limit, with what was granted on top told right after its beginning."""
    first, *rest = due.steps
    return [first, *(explanations.extended(one.on, one.days, due.facts.limit) for one in extensions), *rest]


async def due_dates_of(office: Office, case_id: str) -> DueDates:
    """The same for a case that the caller has been allowed to see already."""
    row = await cases.by_id(office.database, case_id)
    return DueDates(None, None) if row is None else await due_dates(office, row)


def _due(row: Row, name: str, due: clocks.DueDate, steps: list[clocks.Step]) -> DueView:
    """The date that holds is the row's: one that was over when the holidays became known stayed as it was (handlers/calendars.py)."""
    waits = row["is_provisional"] and row["state"] in recount.RUNNING  # the row is behind: it is about to be counted again
    stays = due.due_on is not None and row[name] != due.due_on and not waits
    if stays:
        steps.append(explanations.kept(row[name]))
    return DueView(row[name] if stays else due.due_on, None if stays else due.due_at, due.left, due.provisional, steps)


async def _agent(office: Office, case_id: str) -> str:
    """Who acts for the applicant, as lines of the history name him."""
    row = await cases.by_id(office.database, case_id)
    both = proxyviews.behalf(office, row, read_card(row), masked=True) if row else None
    return f"由{both.agent_name}代办" if both else ""


def _event(office: Office, row: Row, data: dict[str, Any], agent: str) -> CaseEvent:
    kind = row["actor_kind"]
    name = _ACTORS.get(kind) or (department_ref(office, row["organisation"]).name if row["organisation"] else "服务大厅")
    return CaseEvent(
        seq=row["seq"],
        type=row["type"],
        title=TITLES[row["type"]],
        at=row["occurred_at"],
        actor=EventActor(kind, agent if "behalf" in data else name),
        reason=row["reason"],
        data=data,
    )
