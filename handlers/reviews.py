"""What departments' systems answer, taken into the case: one answer, one effect, inside the inbox's transaction."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from collections.abc import Callable
from typing import Any

import msgspec

from handlers import corrections, handovers, parallel, procedure, specials
from handlers.actors import Actor, department_actor
from handlers.casefile import CaseFile, opened
from handlers.corrections import Correction
from handlers.errors import Refused
from handlers.office import Office
from handlers.specials import Special
from storage import trace
from storage.database import Row, Transaction
from storage.envelopes import Answer

log = logging.getLogger(__name__)

_CROSSED = frozenset({"wrong_state", "already_suspended", "not_suspended", "accepted_by_law"})
"""Refusals which only say that somebody else, at the desk or on the phone, or the law, was first."""


async def record(office: Office, tx: Transaction, answer: Answer) -> None:
    """Let an answer take effect; raises Refused when it never can. One that crossed with another act changes nothing.

    What follows from it belongs to the answer's trace: further messages, notices, log lines.
    """
    with trace.carried(answer.traceparent):
        try:
            async with opened(office, answer.case_id, tx=tx) as file:
                _take_effect(file, _in_our_words(office, answer))
        except Refused as refused:
            if refused.code not in _CROSSED:
                raise
            log.info("%s of %s crossed with another act: %s", answer.kind, answer.department, refused.code)
        else:
            log.info("%s of %s takes effect", answer.kind, answer.department)


def _in_our_words(office: Office, answer: Answer) -> Answer:
    """An answer that is a record of the department's own system, read by its mapping; every other one as it is."""
    if answer.kind != "task.answered":
        return answer
    kind, data = office.department_record(answer.department, answer.data["record"])
    if data["case"] != answer.number:
        raise Refused("record_not_understood", {"reason": "记录中的办件编号与消息不一致"})
    return dataclasses.replace(answer, kind=kind, data=data)


def _take_effect(file: CaseFile, answer: Answer) -> None:
    if file.row["state"] in {"withdrawn", "expired", "not_accepted"}:
        return  # the answer crossed with the end of the case: nothing is left to do
    task = _task(file, answer)
    if task["state"] in {"done", "void"} and not _may_come_late(task, answer.kind):
        return  # settled at the desk in the meantime: the first to answer counts
    _EFFECTS[answer.kind](file, department_actor(answer.department), task, answer.data)


def _may_come_late(task: Row, kind: str) -> bool:
    """A certificate comes after the decision; an opinion past its limit is kept, without effect."""
    return kind == "certificate.issued" or (kind == "task.decided" and task["step"] == "review")


def _task(file: CaseFile, answer: Answer) -> Row:
    task = next((task for task in file.tasks if task["id"] == answer.data.get("task")), None)
    if task is None or task["department"] != answer.department:
        raise Refused("task_not_found")
    return task


def _accepted(file: CaseFile, actor: Actor, task: Row, _data: dict[str, Any]) -> None:
    if task["step"] == "accept":
        procedure.accept(file, actor)
    elif task["state"] == "requested":
        file.change_task(task, state="in_progress")


def _progressed(file: CaseFile, actor: Actor, task: Row, data: dict[str, Any]) -> None:
    parallel.progress(file, actor, task, data["text"])


def _correction_requested(file: CaseFile, actor: Actor, task: Row, data: dict[str, Any]) -> None:
    if task["step"] != "accept":
        raise Refused("correction_too_late")
    wanted = {name: data[name] for name in ("reason", "fields", "materials") if name in data}
    corrections.request_correction(file, actor, msgspec.convert(wanted, Correction))


def _suspended(file: CaseFile, actor: Actor, task: Row, data: dict[str, Any]) -> None:
    until = data.get("until_on")
    special = Special(data["procedure"], data["reason"], until_on=dt.date.fromisoformat(until) if until else None)
    specials.begin(file, actor, special, task["department"], task)


def _resumed(file: CaseFile, actor: Actor, task: Row, _data: dict[str, Any]) -> None:
    specials.resume(file, actor, task)


def _decided(file: CaseFile, actor: Actor, task: Row, data: dict[str, Any]) -> None:
    result, opinion = data["result"], data.get("opinion")
    if task["step"] == "review" and result in {"agreed", "disagreed"}:
        parallel.answer(file, actor, task, result, opinion)
    elif task["step"] == "decide" and result in {"granted", "refused"}:
        procedure.decide(file, actor, result, opinion)
        handovers.begin(file, actor)
    elif task["step"] == "accept" and result == "not_accepted":
        procedure.not_accept(file, actor, opinion or "不符合受理条件")
    else:
        raise Refused("result_unknown")


def _certificate_issued(file: CaseFile, actor: Actor, _task: Row, data: dict[str, Any]) -> None:
    file.keep_certificate(data["certificate_type"], data["number"])
    file.note("certificate_issued", actor, tell=False, certificate_type=data["certificate_type"], valid_to_on=data.get("valid_to_on"))


_EFFECTS: dict[str, Callable[[CaseFile, Actor, Row, dict[str, Any]], None]] = {
    "task.accepted": _accepted,
    "task.progressed": _progressed,
    "task.correction-requested": _correction_requested,
    "task.suspended": _suspended,
    "task.resumed": _resumed,
    "task.decided": _decided,
    "certificate.issued": _certificate_issued,
}
