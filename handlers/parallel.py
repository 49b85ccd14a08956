"""The review by several departments at once (并联审批): parts, opinions, and when the decision may begin."""

from __future__ import annotations

from handlers import tasks
from handlers.actors import SYSTEM, Actor
from handlers.casefile import CaseFile
from handlers.catalogue import Part
from storage.database import Row


def start_part(file: CaseFile, part: Part, position: int) -> None:
    """Open one department's part; a serial one waits for its turn."""
    state = "waiting" if part.mode == "serial" else "requested"
    task = file.add_task(
        part.department, "review", part.action, position=position, state=state, due_on=tasks.workday_after(file, file.now, part.days)
    )
    if state == "requested":
        _announce(file, task)


def answer(file: CaseFile, actor: Actor, task: Row, result: str, opinion: str | None) -> None:
    """One department's opinion in the parallel review; the last one in moves the case on."""
    tasks.finish(file, actor, task, result, opinion)
    file.note("task_answered", actor, department_name=tasks.department_name(file, task["department"]), result=result, text=opinion)
    advance(file)


def progress(file: CaseFile, actor: Actor, task: Row, text: str) -> None:
    """A department tells how far it is."""
    if task["state"] == "requested":
        file.change_task(task, state="in_progress")
    file.note("progressed", actor, department_name=tasks.department_name(file, task["department"]), text=text)


def advance(file: CaseFile) -> None:
    """Move on as far as the answers allow: serial parts one after the other, then the decision (join rule: all)."""
    reviews = [task for task in file.tasks if task["step"] == "review"]
    if any(task["state"] in tasks.LIVE for task in reviews):
        return
    waiting = next((task for task in reviews if task["state"] == "waiting"), None)
    if waiting is not None:
        file.change_task(waiting, state="requested", requested_at=file.now)
        _announce(file, waiting)
    elif not any(task["step"] == "decide" for task in file.tasks):
        _announce(
            file, file.add_task(file.row["department"], "decide", "作出决定", position=0, state="requested", due_on=file.row["promised_on"])
        )


def _announce(file: CaseFile, task: Row) -> None:
    file.note("task_started", SYSTEM, department_name=tasks.department_name(file, task["department"]), text=task["action"])
    tasks.request(file, task)
