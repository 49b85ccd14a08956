"""One department's task: asked for, finished, found. What a department is sent is put together here."""

from __future__ import annotations

import datetime as dt
from typing import Any

from handlers import agents, clocks, guards, specials
from handlers.actors import SYSTEM, Actor
from handlers.cards import CardUpload
from handlers.casefile import CaseFile
from storage.database import Row

LIVE = guards.LIVE
"""The states of a task that a department works on."""

DEEMED = "逾期未答复，视为同意"
"""How the opinion of a department begins whose silence counted as agreement."""


def announce(file: CaseFile, task: Row) -> None:
    """Ask the department of a task to set to work on it, and tell the resident."""
    file.note("task_started", SYSTEM, department_name=department_name(file, task["department"]), text=task["action"])
    request(file, task)


def request(file: CaseFile, task: Row) -> None:
    """Ask the department of a task to set to work on it."""
    file.send(task["department"], "task.requested", request_data(file, task))


def request_data(file: CaseFile, task: Row) -> dict[str, Any]:
    """What a department needs for its task: form, materials with files it may fetch, opinions given so far."""
    return {
        "task": task["id"],
        "step": task["step"],
        "action": task["action"],
        "due_on": task["due_on"],
        "item": _item(file),
        **_applicant(file),
        "form": file.form,
        "materials": [
            {
                "material": material.material, "name": material.name, "source": material.source,
                "files": [_file(file, task, one) for one in material.uploads],
            }
            for material in file.card.materials
        ],
        "opinions": [
            {"department": done["department"], "result": done["result"], "opinion": done["opinion"]}
            for done in file.tasks
            if done["step"] == "review" and done["state"] == "done"
        ],
    }  # fmt: skip


def _applicant(file: CaseFile) -> dict[str, Any]:
    """Who acts for the applicant, where somebody does (the national exchange row has agent fields); the applicant is in the form."""
    agent = file.card.agent
    if agent is None:
        return {}
    person = agents.agent_of(file.office, file.row["id"], agent)
    acting = {"kind": agent.kind, "name": person.name, "id_number": person.number, "relation": agent.relation}
    return {"applicant": {"agent": acting}}


def _item(file: CaseFile) -> dict[str, Any]:
    facts = {"code": file.item.code, "name": file.item.name, "version": file.row["item_version"]}
    return facts if file.item.certificate_type is None else {**facts, "certificate_type": file.item.certificate_type}


def _file(file: CaseFile, task: Row, upload: CardUpload) -> dict[str, Any]:
    facts = {"upload": upload.id, "sha256": upload.sha256, "size": upload.size, "media_type": upload.media_type}
    return {**facts, "grant": file.grant(task, upload.id)}


def settle(file: CaseFile, actor: Actor, step: str, result: str, opinion: str | None) -> None:
    """Give every task of a step that is still open this result."""
    for task in live(file, step):
        finish(file, actor, task, result, opinion)


def finish(file: CaseFile, actor: Actor, task: Row, result: str, opinion: str | None) -> None:
    """A result ends the special procedure too: the clock must not stand still for a task that is done."""
    if task["state"] == "suspended":
        specials.resume(file, actor, task)
    answered_by = actor.id if actor.kind == "staff" else None
    file.change_task(task, state="done", result=result, opinion=opinion, answered_at=file.now, answered_by=answered_by)


def live(file: CaseFile, step: str) -> list[Row]:
    """The tasks of a step that are still open."""
    return [task for task in file.tasks if task["step"] == step and task["state"] in LIVE]


def workday_after(file: CaseFile, moment: dt.datetime, days: int) -> dt.date:
    """The day by which so many working days have passed."""
    return file.office.calendar.add_workdays(clocks.local_date(moment), days).day


def department_name(file: CaseFile, code: str) -> str:
    """A department by its name."""
    return file.office.catalogue.departments[code].name
