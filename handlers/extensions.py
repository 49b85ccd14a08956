"""Extensions of the limits: asked before they run out, approved by somebody else, told with the reason (行政许可法 art. 42)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from handlers import clocks, documents, duedates
from handlers.actors import Actor
from handlers.cards import CardExtension
from handlers.casefile import CaseFile
from handlers.catalogue import ServiceItem
from handlers.errors import Refused
from storage import extensions
from storage.database import Row
from storage.ids import uuid7

LICENCE_DAYS = 10
"""Working days that the law itself allows to a licence of which the item says nothing (行政许可法 art. 42)."""


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By how many more days, and why; the days are of the kind in which the item's legal limit counts."""

    days: Annotated[int, msgspec.Meta(ge=1, le=3660)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


JOINT_DAYS = 15
"""Working days that the law allows to a licence on which several departments work (行政许可法 art. 42(2): 联合办理)."""


def most(item: ServiceItem) -> int:
    """By how many days the legal limit of an item may be extended at all; 0 = not."""
    if item.extension is not None:
        return max(item.extension.to - item.legal.days, 0)
    if item.type != "行政许可" or item.legal.unit != "working":
        return 0
    return JOINT_DAYS if item.parts else LICENCE_DAYS


def approved_by(item: ServiceItem) -> str:
    """Whose approval an extension needs, as the item or the law has it (行政许可法 art. 42)."""
    if item.extension is not None:
        return item.extension.approver
    return "本级人民政府负责人" if item.parts else "本机关负责人"


async def ask(file: CaseFile, actor: Actor, asking: Asking) -> None:
    """Ask for an extension; the limits stay as they are until it is approved."""
    file.act("extend", actor)
    _check(file, asking.days)
    if await extensions.asked(file.tx, file.row["id"]) is not None:
        raise Refused("extension_already_asked")
    await extensions.ask(file.tx, (uuid7(), file.row["id"], asking.days, asking.reason, actor.id, file.now))
    file.note("extension_asked", actor, reason=asking.reason, tell=False, days=asking.days)


async def approve(file: CaseFile, actor: Actor) -> None:
    """Grant what was asked: both dates move, and the resident is told why. A promise that is broken already stays broken."""
    file.act("extend", actor)
    row = await _asked(file)
    _check_other(row, actor)
    _check(file, row["days"])
    today = clocks.local_date(file.now)
    promised, _ = duedates.due_dates(file.row, file.card, file.item, file.office)
    kept = promised.due_on is None or today <= promised.due_on
    file.card = msgspec.structs.replace(file.card, extensions=(*file.card.extensions, CardExtension(row["days"], today, kept)))
    duedates.set_due_dates(file)
    await extensions.settle(file.tx, row["id"], actor.id, file.now, granted=True)
    file.note(
        "extended", actor, reason=row["reason"], days=row["days"], promised_on=file.row["promised_on"], legal_on=file.row["legal_on"],
        document=documents.extension(file),
    )  # fmt: skip


async def refuse(file: CaseFile, actor: Actor, reason: str) -> None:
    """Turn the request down: everything stays as it is."""
    file.act("extend", actor)
    row = await _asked(file)
    _check_other(row, actor)
    await extensions.settle(file.tx, row["id"], actor.id, file.now, granted=False)
    file.note("extension_refused", actor, reason=reason, tell=False, days=row["days"])


async def _asked(file: CaseFile) -> Row:
    row = await extensions.asked(file.tx, file.row["id"])
    if row is None:
        raise Refused("extension_not_asked")
    return row


def _check_other(row: Row, actor: Actor) -> None:
    """Who asks does not approve (岗位分离)."""
    if row["asked_by"] == actor.id:
        raise Refused("separation")


def _check(file: CaseFile, days: int) -> None:
    """Before the limit runs out only, and never beyond what the item allows (行政许可法 art. 42)."""
    _, legal = duedates.due_dates(file.row, file.card, file.item, file.office)
    if legal.due_on is not None and clocks.local_date(file.now) > legal.due_on:
        raise Refused("extension_too_late")
    left = most(file.item) - sum(one.days for one in file.card.extensions)
    if days > left:
        raise Refused("extension_too_long", {"days": left})
