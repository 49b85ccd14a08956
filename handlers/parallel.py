"""The review by several departments at once (并联审批): parts with their own limits, opinions, and when the decision may begin."""

from __future__ import annotations

import logging

from handlers import forwarding, joins, partdates, tasks
from handlers.actors import SYSTEM, Actor
from handlers.casefile import CaseFile, opened
from handlers.catalogue import Part
from handlers.clocks import local_date
from handlers.errors import Refused
from handlers.office import Office
from storage import opinions
from storage.database import Row
from storage.errors import Conflict

log = logging.getLogger(__name__)

NO_LONGER_NEEDED = "牵头部门已不再等待此项意见"
_LATE = "逾期后答复"
_RESULTS = {"agreed": "同意", "disagreed": "不同意"}
_BATCH = 100


def start_part(file: CaseFile, part: Part, position: int) -> None:
    """Add one department's part; `advance` begins it when its turn has come."""
    file.add_task(part.department, "review", part.action, position=position, state="waiting", due_on=None)


def answer(file: CaseFile, actor: Actor, task: Row, result: str, opinion: str | None) -> None:
    """One department's opinion; the one that completes the review moves the case on. What comes too late is only recorded."""
    if task["state"] not in tasks.LIVE:
        _record_late(file, actor, task, result, opinion)
        return
    tasks.finish(file, actor, task, result, opinion)
    file.note("task_answered", actor, department_name=tasks.department_name(file, task["department"]), result=result, text=opinion)
    advance(file)


def progress(file: CaseFile, actor: Actor, task: Row, text: str) -> None:
    """A department tells how far it is."""
    if task["state"] == "requested":
        file.change_task(task, state="in_progress")
    file.note("progressed", actor, department_name=tasks.department_name(file, task["department"]), text=text)


def advance(file: CaseFile) -> None:
    """Move on as far as the answers allow: the parts whose turn has come, then the decision by the item's join rule."""
    if file.row["state"] != "in_review":
        return
    parts, own = file.item.parts, _own(file)
    for place, task in own.items():
        if joins.ready(parts, {other: one["state"] for other, one in own.items()}, place):
            _begin(file, task, parts[place])
    if joins.joined(file.item.join, [task["result"] for task in own.values()]) and not _is_in_first_review(file):
        if file.item.join == "any":
            dismiss(file)
        forwarding.reviewed(file)


def dismiss(file: CaseFile) -> None:
    """Nobody waits any longer for the parts that are still open: their departments are told, the parts are void."""
    for task in _own(file).values():
        if task["state"] in tasks.LIVE:
            file.send(task["department"], "task.withdrawn", {"task": task["id"], "reason": NO_LONGER_NEEDED})
        if task["state"] in (*tasks.LIVE, "waiting"):
            file.change_task(task, state="void")


def deem(file: CaseFile, task_id: str) -> None:
    """A department's silence counts as agreement, where the item says so and names the rule; everybody is told."""
    task = next((one for one in _own(file).values() if one["id"] == task_id), None)
    if task is None or task["state"] not in {"requested", "in_progress"} or not _is_silent(file, task):
        raise Refused("task_settled")
    basis = file.item.parts[task["position"]].silent_basis
    text = f"{tasks.DEEMED}（{basis}）"
    tasks.finish(file, SYSTEM, task, "agreed", text)
    file.note("task_deemed", SYSTEM, department_name=tasks.department_name(file, task["department"]), text=text)
    urged = {"task": task["id"], "due_on": task["due_on"], "text": f"{text}；仍可补送意见，仅作记录"}
    file.send(task["department"], "task.urged", urged)
    advance(file)


def is_deemed(task: Row) -> bool:
    """Whether silence was this task's answer, and no late opinion has been recorded yet."""
    opinion = task["opinion"] or ""
    return task["state"] == "done" and opinion.startswith(tasks.DEEMED) and _LATE not in opinion


async def sweep(office: Office) -> int:
    """One round over the departments whose silence counts; how many parts were deemed agreed."""
    deemed = 0
    for row in await opinions.silent(office.database, local_date(office.clock.now()), _BATCH):
        try:
            async with opened(office, row["case_id"]) as file:
                deem(file, row["id"])
            deemed += 1
        except (Refused, Conflict) as error:
            log.info("task %s was answered in time: %s", row["id"], error)
    return deemed


def _own(file: CaseFile) -> dict[int, Row]:
    """The tasks of the item's parts by their places; the town's own first review of a 上报件 is none of them."""
    return {task["position"]: task for task in file.tasks if task["step"] == "review" and task["position"] < len(file.item.parts)}


def _is_in_first_review(file: CaseFile) -> bool:
    return any(task["step"] == "review" and task["position"] >= len(file.item.parts) and task["state"] in tasks.LIVE for task in file.tasks)


def _begin(file: CaseFile, task: Row, part: Part) -> None:
    """The part's own limit runs from the day on which the department is asked."""
    file.change_task(task, state="requested", requested_at=file.now, due_on=tasks.workday_after(file, file.now, part.days))
    file.change_task(task, deemed_on=partdates.deemed_on(part, partdates.due_on(file, task)))
    tasks.announce(file, task)


def _is_silent(file: CaseFile, task: Row) -> bool:
    """Counted again here: the holidays of a year may have become known, or a special procedure may have begun, since it was noted."""
    deemed_on = partdates.deemed_on(partdates.part_of(file.item, task), partdates.due_on(file, task))
    return deemed_on is not None and local_date(file.now) >= deemed_on


def _record_late(file: CaseFile, actor: Actor, task: Row, result: str, opinion: str | None) -> None:
    """An opinion nobody waits for any more is kept once for the lead department to read, without effect."""
    dismissed = task["state"] == "void" and task["opinion"] is None
    if not (dismissed or is_deemed(task)):
        return
    said = f"{_LATE}：{_RESULTS[result]}" + (f"，{opinion}" if opinion else "")
    before = f"{task['opinion']}；" if task["opinion"] else ""
    file.change_task(task, opinion=before + said)
    department_name = tasks.department_name(file, task["department"])
    file.note("late_opinion", actor, tell=False, department_name=department_name, result=result, text=opinion)
