"""Special procedures (hearing, inspection, test, expert review, publicity): the clock stands still while one lasts."""

from __future__ import annotations

import datetime as dt

import msgspec

from handlers import duedates
from handlers.actors import Actor
from handlers.cards import CardPause
from handlers.casefile import CaseFile
from handlers.errors import Refused
from storage.database import Row


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
    duedates.set_due_dates(file)
    file.note("resumed", actor, promised_on=file.row["promised_on"])
