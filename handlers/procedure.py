"""A case from submission to its decision, verb by verb on an opened case file; officers and departments' systems use the same verbs.

Other nouns have their own modules: corrections, parallel (the review), specials, extensions, forwarding, handovers.
"""

from __future__ import annotations

import datetime as dt

from handlers import documents, duedates, guards, parallel, specials, tasks
from handlers.actors import SYSTEM, Actor
from handlers.casefile import CaseFile
from handlers.clocks import local_date
from handlers.corrections import PRE_ACCEPTANCE_DAYS
from handlers.errors import Refused


def begin(file: CaseFile, actor: Actor) -> None:
    """After submission: the receipt is in the history, and the lead department is asked whether it accepts."""
    lead, due_on = file.row["department"], tasks.workday_after(file, file.now, PRE_ACCEPTANCE_DAYS)
    task = file.add_task(lead, "accept", "受理审查", position=0, state="requested", due_on=due_on)
    file.note("submitted", actor, materials=[material.name for material in file.card.materials])
    tasks.request(file, task)


def accept(file: CaseFile, actor: Actor) -> None:
    """One acceptance: both clocks start and every department of the item sets to work. After the five days it comes too late to count."""
    if guards.is_silent(file):
        accept_by_silence(file)
        return
    file.act("accept", actor)
    _take_in(file, actor, file.now)
    file.note("accepted", actor, promised_on=file.row["promised_on"], document=documents.acceptance(file))
    _review(file, actor)


def accept_by_silence(file: CaseFile) -> None:
    """Nobody answered in time: the case counts as accepted from the day its papers came in (行政许可法 art. 32(4))."""
    file.act("accept_by_silence", SYSTEM)
    received = max(task["requested_at"] for task in tasks.live(file, "accept"))
    for task in tasks.live(file, "accept"):
        text = f"逾期未答复，依法自 {local_date(received)} 起视为受理"
        file.send(task["department"], "task.urged", {"task": task["id"], "due_on": task["due_on"], "text": text})
    _take_in(file, SYSTEM, received)
    file.note(
        "accepted_by_silence", SYSTEM, promised_on=file.row["promised_on"], received_on=local_date(received),
        document=documents.acceptance(file),
    )  # fmt: skip
    _review(file, SYSTEM)


def not_accept(file: CaseFile, actor: Actor, reason: str, competent: str = "") -> None:
    """Non-acceptance: the end of the case, with its reason, where to go instead, and how to object (行政许可法 art. 32, 38)."""
    file.act("not_accept", actor)
    full = f"{reason.rstrip('。')}。请向{competent}提出" if competent else reason
    tasks.settle(file, actor, "accept", "not_accepted", full)
    file.row["reason"] = full
    file.row["completed_at"] = file.now
    file.note(
        "not_accepted", actor, reason=full, competent=competent or None, document=documents.non_acceptance(file),
        remedy=documents.remedy(local_date(file.now), file.office.calendar).text,
    )  # fmt: skip


def decide(file: CaseFile, actor: Actor, result: str, reason: str | None, act: str = "decide") -> None:
    """The decision; a refusal says why, and how to object (行政许可法 art. 38)."""
    if result == "refused" and not reason:
        raise Refused("reason_missing")
    specials.end_all(file, actor)
    file.act(act, actor)
    parallel.dismiss(file)
    tasks.settle(file, actor, "decide", result, reason)
    file.row.update(decision=result, reason=reason, decided_at=file.now)
    remedy = documents.remedy(local_date(file.now), file.office.calendar).text if result == "refused" else None
    file.note("decided", actor, reason=reason, decision=result, document=documents.decision(file, result), remedy=remedy)


def complete(file: CaseFile, actor: Actor) -> None:
    """The case is done: its result is with the resident."""
    file.act("complete", actor)
    file.row["completed_at"] = file.now
    file.note("completed", actor, decision=file.row["decision"])


def withdraw(file: CaseFile, actor: Actor, reason: str | None) -> None:
    """The resident takes the application back; every department still at work is told."""
    specials.end_all(file, actor)
    file.act("withdraw", actor)
    for task in file.tasks:
        if task["state"] in tasks.LIVE:
            file.send(task["department"], "task.withdrawn", {"task": task["id"], "reason": reason})
        if task["state"] in (*tasks.LIVE, "waiting"):
            file.change_task(task, state="void")
    file.row["completed_at"] = file.now
    if file.row["number"] is not None:
        file.note("withdrawn", actor, reason=reason)


def _take_in(file: CaseFile, actor: Actor, accepted_at: dt.datetime) -> None:
    tasks.settle(file, actor, "accept", "accepted", None)
    file.row["accepted_at"] = accepted_at
    duedates.set_due_dates(file)


def _review(file: CaseFile, actor: Actor) -> None:
    file.act("review", actor)
    for position, part in enumerate(file.item.parts):
        parallel.start_part(file, part, position)
    parallel.advance(file)
