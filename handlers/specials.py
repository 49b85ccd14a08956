"""Special procedures (hearing, inspection, test, expert review, publicity): the clocks stand still while one lasts.

Each is a row with a limit of its own, which is supervised; its days do not count towards the limits (行政许可法 art. 45). Several may
overlap, one a task and others on the whole case. The card keeps the pauses that the clocks read.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec

from handlers import clocks, documents, duedates, limits, partdates
from handlers.actors import Actor
from handlers.cards import CardPause
from handlers.casefile import CaseFile
from handlers.catalogue import ServiceItem
from handlers.errors import Refused
from handlers.supervision_objects import NOTICES, procedure_limit
from storage import specials
from storage.database import Row
from storage.ids import uuid7

BY_LAW = frozenset({"听证", "招标", "拍卖", "检验", "检测", "检疫", "鉴定", "专家评审"})
"""The procedures outside the limit that the law itself names (行政许可法 art. 45)."""

BY_RULE = frozenset({"现场勘验", "现场核查", "实地核查", "入户调查", "民主评议", "考试", "公示", "公告"})
"""Those that e-supervision knows besides (电子监察: 特别程序)."""

_LAW = "《中华人民共和国行政许可法》第四十五条"


class Special(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A special procedure as it is begun: its name, why, on what basis, and when it is expected to end."""

    procedure: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    basis: Annotated[str, msgspec.Meta(max_length=200)] = ""
    until_on: dt.date | None = None


def names(item: ServiceItem) -> list[str]:
    """The procedures that may be begun in a case of this item, the item's own first; no public notice where that counts in the limit."""
    own = [one.name for one in item.special_procedures]
    counts = NOTICES if item.announcement is not None and item.announcement.counts_in_limit else frozenset[str]()
    return list(dict.fromkeys([*own, *sorted(_parts(item)), *sorted(BY_LAW), *sorted(BY_RULE - counts)]))


def begin(file: CaseFile, actor: Actor, special: Special, department: str, task: Row | None = None) -> None:
    """A special procedure begins, told in writing with its expected end; on one task, or on the whole case."""
    file.act("suspend", actor)
    if special.procedure not in names(file.item):
        raise Refused("procedure_unknown", {"possible": "、".join(names(file.item))})
    if _is_open(file, special.procedure, task):
        raise Refused("already_suspended")
    due_on = _due_on(file, special)
    pause = CardPause(task["id"] if task else "", special.procedure, file.now, None, uuid7(), department, due_on)
    file.card = msgspec.structs.replace(file.card, pauses=(*file.card.pauses, pause))
    if task is not None:
        file.change_task(task, state="suspended")
    partdates.follow(file)
    basis = special.basis or _LAW
    row = _row(file, pause, special.reason, basis)
    file.write(lambda tx: specials.begin(tx, row))
    file.note(
        "suspended", actor, reason=special.reason, procedure=special.procedure, until_on=due_on, basis=basis,
        document=documents.special(file, len(file.card.pauses)),
    )  # fmt: skip


def end(file: CaseFile, actor: Actor, pause_id: str, result: str | None) -> None:
    """A special procedure is over, with its result; the clocks go on once no other lasts."""
    pause = next((one for one in file.card.pauses if one.id == pause_id and one.end is None), None)
    if pause is None:
        raise Refused("not_suspended")
    file.act("resume", actor)
    _close(file, pause, result)
    on = None if any(one.end is None for one in file.card.pauses) else file.row["promised_on"]
    file.note("resumed", actor, procedure=pause.name, promised_on=on, result=result)


def resume(file: CaseFile, actor: Actor, task: Row) -> None:
    """A department ends the procedure that it began on its task."""
    pause = next((one for one in file.card.pauses if one.task == task["id"] and one.end is None), None)
    if pause is None:
        raise Refused("not_suspended")
    end(file, actor, pause.id, None)


def end_all(file: CaseFile, actor: Actor) -> None:
    """A decision or a withdrawal leaves no procedure open: the clock must not stand still for a case that is done."""
    for pause in file.card.pauses:
        if pause.end is None:
            _close(file, pause, "随办件结束")
            file.note("resumed", actor, tell=False, procedure=pause.name)


def _close(file: CaseFile, pause: CardPause, result: str | None) -> None:
    ended = tuple(msgspec.structs.replace(one, end=file.now) if one is pause else one for one in file.card.pauses)
    file.card = msgspec.structs.replace(file.card, pauses=ended)
    task = next((task for task in file.tasks if task["id"] == pause.task and task["state"] == "suspended"), None)
    if task is not None:
        file.change_task(task, state="in_progress")
    now = file.now
    file.write(lambda tx: specials.end(tx, pause.id, now, result))
    duedates.set_due_dates(file)


def _is_open(file: CaseFile, name: str, task: Row | None) -> bool:
    """On a task one procedure at a time; on the whole case several, each once."""
    if task is not None:
        return bool(task["state"] == "suspended")
    return any(pause.end is None and not pause.task and pause.name == name for pause in file.card.pauses)


def _due_on(file: CaseFile, special: Special) -> dt.date:
    """When the procedure must be over: by what is laid down for it and not later than announced; none is without an end (art. 45)."""
    today = clocks.local_date(file.now)
    if special.until_on is not None and special.until_on < today:
        raise Refused("until_in_the_past")
    town = file.office.supervision.limits.procedure
    limit = procedure_limit(file.item, special.procedure, town)
    longest = limits.add_days(today, limit.days, limit.unit, file.office.calendar)
    if special.until_on is None or limit is town:
        return special.until_on or longest
    return min(special.until_on, longest)


def _parts(item: ServiceItem) -> set[str]:
    return {part for one in item.special_procedures for part in one.name.split("/") if part}


def _row(file: CaseFile, pause: CardPause, reason: str, basis: str) -> Row:
    return {
        "id": pause.id, "case_id": file.row["id"], "task_id": pause.task or None, "department": pause.department, "name": pause.name,
        "basis": basis, "reason": reason, "began_at": pause.start, "due_on": pause.due_on, "told_at": file.now,
    }  # fmt: skip
