"""The procedure of a case after submission, verb by verb on an opened case file; officers and departments' systems use the same verbs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from handlers import clocks
from handlers.actors import SYSTEM, Actor
from handlers.cards import Card, CardPause, CardUpload
from handlers.casefile import CaseFile
from handlers.catalogue import Part, ServiceItem
from handlers.errors import Refused
from handlers.workdays import WorkCalendar
from storage.database import Row

LONGEST_CORRECTION = 20_000
"""Bytes of a correction notice: some pages of text."""

LIVE = ("requested", "in_progress", "correction", "suspended")


class FieldNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be corrected in one field of the form."""

    name: str
    message: str


class MaterialNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be corrected in one material."""

    material: str
    message: str


class Correction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A correction notice: one list, complete (行政许可法 art. 32)."""

    reason: str
    fields: tuple[FieldNote, ...] = ()
    materials: tuple[MaterialNote, ...] = ()


def begin(file: CaseFile, actor: Actor) -> None:
    """After submission: the receipt is in the history, and the lead department is asked whether it accepts."""
    lead = file.row["department"]
    task = file.add_task(lead, "accept", "受理审查", position=0, state="requested", due_on=_after(file, file.now, PRE_ACCEPTANCE_DAYS))
    file.note("submitted", actor, materials=[material.name for material in file.card.materials])
    _request(file, task)


# Pre-acceptance on line has a limit of its own, by default two working days (电子监察 rules: two working days, then a warning).
PRE_ACCEPTANCE_DAYS = 2


def accept(file: CaseFile, actor: Actor) -> None:
    """One acceptance: both clocks start and every department of the item sets to work."""
    file.act("accept", actor)
    _settle(file, actor, "accept", "accepted", None)
    file.row["accepted_at"] = file.now
    set_due_dates(file)
    file.note("accepted", actor, promised_on=file.row["promised_on"])
    file.act("review", actor)
    for position, part in enumerate(file.item.parts):
        _start_part(file, part, position)
    advance(file)


def not_accept(file: CaseFile, actor: Actor, reason: str) -> None:
    """Non-acceptance: the end of the case, with its reason."""
    file.act("not_accept", actor)
    _settle(file, actor, "accept", "not_accepted", reason)
    file.row["reason"] = reason
    file.row["completed_at"] = file.now
    file.note("not_accepted", actor, reason=reason)


def request_correction(file: CaseFile, actor: Actor, correction: Correction) -> None:
    """Ask the resident for everything that is missing or wrong, at once; what is asked for must exist in the item."""
    _check_correction(file, correction)
    file.act("request_correction", actor)
    for task in _live(file, "accept"):
        file.change_task(task, state="correction")
    file.row["correction"] = msgspec.json.encode(correction).decode()
    file.note(
        "correction_requested", actor, reason=correction.reason,
        fields=[note.name for note in correction.fields], materials=[note.material for note in correction.materials],
    )  # fmt: skip


def corrected(file: CaseFile, actor: Actor) -> None:
    """The resident has mended what was asked: back to the one who asked."""
    file.act("correct", actor)
    file.row["correction"] = None
    file.note("corrected", actor)
    for task in _live(file, "accept"):
        file.change_task(task, state="requested", requested_at=file.now)
        file.send(task["department"], "task.material-added", _request_data(file, task))


def answer(file: CaseFile, actor: Actor, task: Row, result: str, opinion: str | None) -> None:
    """One department's opinion in the parallel review; the last one in moves the case on."""
    _finish(file, actor, task, result, opinion)
    file.note("task_answered", actor, department_name=_name(file, task["department"]), result=result, text=opinion)
    advance(file)


def progress(file: CaseFile, actor: Actor, task: Row, text: str) -> None:
    """A department tells how far it is."""
    if task["state"] == "requested":
        file.change_task(task, state="in_progress")
    file.note("progressed", actor, department_name=_name(file, task["department"]), text=text)


def suspend(file: CaseFile, actor: Actor, task: Row, procedure: str, reason: str, until_on: dt.date | None) -> None:
    """A special procedure begins (hearing, inspection, expert review): told in writing, with its expected end."""
    if file.row["accepted_at"] is None:
        raise Refused("suspension_too_early")  # no clock runs yet that could stand still
    if task["state"] == "suspended":
        raise Refused("already_suspended")
    pause = CardPause(task["id"], procedure, file.now)
    file.card = msgspec.structs.replace(file.card, pauses=(*file.card.pauses, pause))
    file.change_task(task, state="suspended")
    file.note("suspended", actor, reason=reason, procedure=procedure, until_on=until_on)


def resume(file: CaseFile, actor: Actor, task: Row) -> None:
    """The special procedure is over and the clock goes on; its days do not count (行政许可法 art. 45)."""
    if task["state"] != "suspended":
        raise Refused("not_suspended")
    ended = (
        msgspec.structs.replace(pause, end=file.now) if pause.task == task["id"] and pause.end is None else pause
        for pause in file.card.pauses
    )
    file.card = msgspec.structs.replace(file.card, pauses=tuple(ended))
    file.change_task(task, state="in_progress")
    set_due_dates(file)
    file.note("resumed", actor, promised_on=file.row["promised_on"])


def decide(file: CaseFile, actor: Actor, result: str, reason: str | None) -> None:
    """The decision; a refusal says why."""
    if result == "refused" and not reason:
        raise Refused("reason_missing")
    if any(task["step"] == "review" and task["state"] in (*LIVE, "waiting") for task in file.tasks):
        raise Refused("review_unfinished")
    file.act("decide", actor)
    _settle(file, actor, "decide", result, reason)
    file.row.update(decision=result, reason=reason, decided_at=file.now)
    file.note("decided", actor, reason=reason, decision=result)


def complete(file: CaseFile, actor: Actor) -> None:
    """The case is done: its result is with the resident."""
    file.act("complete", actor)
    file.row["completed_at"] = file.now
    file.note("completed", actor, decision=file.row["decision"])


def withdraw(file: CaseFile, actor: Actor, reason: str | None) -> None:
    """The resident takes the application back; every department still at work is told."""
    file.act("withdraw", actor)
    for task in file.tasks:
        if task["state"] in LIVE:
            file.send(task["department"], "task.withdrawn", {"task": task["id"], "reason": reason})
        if task["state"] in (*LIVE, "waiting"):
            file.change_task(task, state="void")
    file.row["completed_at"] = file.now
    if file.row["number"] is not None:
        file.note("withdrawn", actor, reason=reason)


def advance(file: CaseFile) -> None:
    """Move on as far as the answers allow: serial parts one after the other, then the decision (join rule: all)."""
    reviews = [task for task in file.tasks if task["step"] == "review"]
    if any(task["state"] in LIVE for task in reviews):
        return
    waiting = next((task for task in reviews if task["state"] == "waiting"), None)
    if waiting is not None:
        file.change_task(waiting, state="requested", requested_at=file.now)
        _announce(file, waiting)
    elif not any(task["step"] == "decide" for task in file.tasks):
        _announce(
            file, file.add_task(file.row["department"], "decide", "作出决定", position=0, state="requested", due_on=file.row["promised_on"])
        )


def set_due_dates(file: CaseFile) -> None:
    """Both clocks, counted anew; while a special procedure lasts the dates stay as they were (decision 15)."""
    promised, legal = due_dates(file.row, file.card, file.item, file.office.calendar)
    if promised.due_on is not None and legal.due_on is not None:
        file.row.update(promised_on=promised.due_on, legal_on=legal.due_on, is_provisional=promised.provisional or legal.provisional)


def due_dates(row: Row, card: Card, item: ServiceItem, calendar: WorkCalendar) -> tuple[clocks.DueDate, clocks.DueDate]:
    """Promised and legal due date of an accepted case, with their explanation."""
    accepted = clocks.local_date(row["accepted_at"])
    pauses = [clocks.Suspension(pause.start, pause.end, pause.name) for pause in card.pauses]
    return clocks.due_date(accepted, item.promised, pauses, calendar), clocks.due_date(accepted, item.legal, pauses, calendar)


def _start_part(file: CaseFile, part: Part, position: int) -> None:
    state = "waiting" if part.mode == "serial" else "requested"
    task = file.add_task(part.department, "review", part.action, position=position, state=state, due_on=_after(file, file.now, part.days))
    if state == "requested":
        _announce(file, task)


def _announce(file: CaseFile, task: Row) -> None:
    file.note("task_started", SYSTEM, department_name=_name(file, task["department"]), text=task["action"])
    _request(file, task)


def _request(file: CaseFile, task: Row) -> None:
    file.send(task["department"], "task.requested", _request_data(file, task))


def _request_data(file: CaseFile, task: Row) -> dict[str, Any]:
    return {
        "task": task["id"],
        "step": task["step"],
        "action": task["action"],
        "due_on": task["due_on"],
        "item": {"code": file.item.code, "name": file.item.name, "version": file.row["item_version"]},
        "form": file.form,
        "materials": [
            {
                "material": material.material, "name": material.name, "source": material.source,
                "files": [_file(one) for one in material.uploads],
            }
            for material in file.card.materials
        ],
        "opinions": [
            {"department": done["department"], "result": done["result"], "opinion": done["opinion"]}
            for done in file.tasks
            if done["step"] == "review" and done["state"] == "done"
        ],
    }  # fmt: skip


def _file(upload: CardUpload) -> dict[str, Any]:
    return {"upload": upload.id, "sha256": upload.sha256, "size": upload.size, "media_type": upload.media_type}


def _settle(file: CaseFile, actor: Actor, step: str, result: str, opinion: str | None) -> None:
    for task in _live(file, step):
        _finish(file, actor, task, result, opinion)


def _finish(file: CaseFile, actor: Actor, task: Row, result: str, opinion: str | None) -> None:
    """A result ends the special procedure too: the clock must not stand still for a task that is done."""
    if task["state"] == "suspended":
        resume(file, actor, task)
    file.change_task(task, state="done", result=result, opinion=opinion, answered_at=file.now)


def _live(file: CaseFile, step: str) -> list[Row]:
    return [task for task in file.tasks if task["step"] == step and task["state"] in LIVE]


def _after(file: CaseFile, moment: dt.datetime, days: int) -> dt.date:
    return file.office.calendar.add_workdays(clocks.local_date(moment), days).day


def _name(file: CaseFile, code: str) -> str:
    return file.office.catalogue.departments[code].name


def _check_correction(file: CaseFile, correction: Correction) -> None:
    fields = {field.name for field in file.item.form.fields}
    materials = {material.code for material in file.item.materials}
    unknown = [note.name for note in correction.fields if note.name not in fields]
    unknown += [note.material for note in correction.materials if note.material not in materials]
    if unknown or not (correction.fields or correction.materials):
        raise Refused("correction_unknown")
    if len(msgspec.json.encode(correction)) > LONGEST_CORRECTION:
        raise Refused("too_large", {"limit": LONGEST_CORRECTION})
