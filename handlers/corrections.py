"""Correction notices (补正): one list, complete, once; what is asked again must concern what newly came in."""

from __future__ import annotations

import datetime as dt

import msgspec

from handlers import clocks, documents, priorities, tasks
from handlers.actors import SYSTEM, Actor
from handlers.casefile import CaseFile
from handlers.errors import Refused

LONGEST_CORRECTION = 20_000
"""Bytes of a correction notice: some pages of text."""

PRE_ACCEPTANCE_DAYS = 2
"""Working days for the look before acceptance on line (电子监察 rules: two working days, then a warning)."""

LAPSED = "逾期未补正，申请已退回，可备齐材料后重新申请"


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


def request_correction(file: CaseFile, actor: Actor, correction: Correction) -> None:
    """Ask the resident for everything that is missing or wrong, at once; what is asked for must exist in the item."""
    _check_correction(file, correction)
    file.act("request_correction", actor)
    _check_once(file, correction)
    until_on = file.office.calendar.first_workday(clocks.local_date(file.now) + dt.timedelta(days=file.item.correction_days))
    for task in tasks.live(file, "accept"):
        file.change_task(task, state="correction", due_on=until_on)
    file.row["correction"] = msgspec.json.encode(correction).decode()
    file.row["corrections"] += 1
    file.note(
        "correction_requested", actor, reason=correction.reason, until_on=until_on, document=documents.correction(file),
        fields=[note.name for note in correction.fields], materials=[note.material for note in correction.materials],
    )  # fmt: skip


def corrected(file: CaseFile, actor: Actor, handed_in: tuple[str, ...] = ()) -> None:
    """The resident has mended what was asked: back to the one who asked. `handed_in` names what is new: see `asked`.

    The hours of urgent aid begin anew, as the days of the look before acceptance do: meanwhile the office waited.
    """
    file.act("correct", actor)
    file.row["correction"] = None
    file.card = msgspec.structs.replace(file.card, handed_in=handed_in)
    if file.card.urgency is not None:
        priorities.hurry(file)
    file.note("corrected", actor)
    for task in tasks.live(file, "accept"):
        file.change_task(task, state="requested", requested_at=file.now, due_on=tasks.workday_after(file, file.now, PRE_ACCEPTANCE_DAYS))
        file.send(task["department"], "task.material-added", tasks.request_data(file, task))


def lapse(file: CaseFile) -> None:
    """A correction that nobody answered in its time: the application is sent back, and everybody is told (逾期未补正退件)."""
    asked = tasks.live(file, "accept")
    if any(task["due_on"] is None or clocks.local_date(file.now) <= task["due_on"] for task in asked):
        raise Refused("correction_still_open")
    file.act("expire", SYSTEM)
    for task in asked:
        file.send(task["department"], "task.withdrawn", {"task": task["id"], "reason": LAPSED})
        file.change_task(task, state="void")
    file.row["completed_at"] = file.now
    file.note("expired", SYSTEM, reason=LAPSED)


def asked(correction: Correction) -> set[str]:
    """What a notice asks for, by the names that `Card.handed_in` uses."""
    return {f"field:{note.name}" for note in correction.fields} | {f"material:{note.material}" for note in correction.materials}


def _check_once(file: CaseFile, correction: Correction) -> None:
    """What was known at the first notice may not be asked for in a second one (行政许可法 art. 32(4): 一次告知)."""
    if file.row["corrections"] and not asked(correction) <= set(file.card.handed_in):
        raise Refused("correction_repeated")


def _check_correction(file: CaseFile, correction: Correction) -> None:
    fields = {field.name for field in file.item.form.fields}
    materials = {material.code for material in file.item.materials}
    unknown = [note.name for note in correction.fields if note.name not in fields]
    unknown += [note.material for note in correction.materials if note.material not in materials]
    if unknown or not (correction.fields or correction.materials):
        raise Refused("correction_unknown")
    if len(msgspec.json.encode(correction)) > LONGEST_CORRECTION:
        raise Refused("too_large", {"limit": LONGEST_CORRECTION})
