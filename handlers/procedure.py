"""The procedure of a case after submission, verb by verb on an opened case file; officers and departments' systems use the same verbs."""

from __future__ import annotations

import msgspec

from handlers import duedates, parallel, tasks
from handlers.actors import Actor
from handlers.casefile import CaseFile
from handlers.errors import Refused

LONGEST_CORRECTION = 20_000
"""Bytes of a correction notice: some pages of text."""


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
    task = file.add_task(
        lead, "accept", "受理审查", position=0, state="requested", due_on=tasks.workday_after(file, file.now, PRE_ACCEPTANCE_DAYS)
    )
    file.note("submitted", actor, materials=[material.name for material in file.card.materials])
    tasks.request(file, task)


# Pre-acceptance on line has a limit of its own, by default two working days (电子监察 rules: two working days, then a warning).
PRE_ACCEPTANCE_DAYS = 2


def accept(file: CaseFile, actor: Actor) -> None:
    """One acceptance: both clocks start and every department of the item sets to work."""
    file.act("accept", actor)
    tasks.settle(file, actor, "accept", "accepted", None)
    file.row["accepted_at"] = file.now
    duedates.set_due_dates(file)
    file.note("accepted", actor, promised_on=file.row["promised_on"])
    file.act("review", actor)
    for position, part in enumerate(file.item.parts):
        parallel.start_part(file, part, position)
    parallel.advance(file)


def not_accept(file: CaseFile, actor: Actor, reason: str) -> None:
    """Non-acceptance: the end of the case, with its reason."""
    file.act("not_accept", actor)
    tasks.settle(file, actor, "accept", "not_accepted", reason)
    file.row["reason"] = reason
    file.row["completed_at"] = file.now
    file.note("not_accepted", actor, reason=reason)


def request_correction(file: CaseFile, actor: Actor, correction: Correction) -> None:
    """Ask the resident for everything that is missing or wrong, at once; what is asked for must exist in the item."""
    _check_correction(file, correction)
    file.act("request_correction", actor)
    for task in tasks.live(file, "accept"):
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
    for task in tasks.live(file, "accept"):
        file.change_task(task, state="requested", requested_at=file.now)
        file.send(task["department"], "task.material-added", tasks.request_data(file, task))


def decide(file: CaseFile, actor: Actor, result: str, reason: str | None) -> None:
    """The decision; a refusal says why."""
    if result == "refused" and not reason:
        raise Refused("reason_missing")
    if any(task["step"] == "review" and task["state"] in (*tasks.LIVE, "waiting") for task in file.tasks):
        raise Refused("review_unfinished")
    file.act("decide", actor)
    tasks.settle(file, actor, "decide", result, reason)
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
        if task["state"] in tasks.LIVE:
            file.send(task["department"], "task.withdrawn", {"task": task["id"], "reason": reason})
        if task["state"] in (*tasks.LIVE, "waiting"):
            file.change_task(task, state="void")
    file.row["completed_at"] = file.now
    if file.row["number"] is not None:
        file.note("withdrawn", actor, reason=reason)


def _check_correction(file: CaseFile, correction: Correction) -> None:
    fields = {field.name for field in file.item.form.fields}
    materials = {material.code for material in file.item.materials}
    unknown = [note.name for note in correction.fields if note.name not in fields]
    unknown += [note.material for note in correction.materials if note.material not in materials]
    if unknown or not (correction.fields or correction.materials):
        raise Refused("correction_unknown")
    if len(msgspec.json.encode(correction)) > LONGEST_CORRECTION:
        raise Refused("too_large", {"limit": LONGEST_CORRECTION})
