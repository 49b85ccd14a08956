"""What people and clocks do about papers that may follow: supply, remind, lapse, waive, check a promise, decide first, revoke."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Annotated, Literal

import msgspec

from handlers import debts, documents, handovers, procedure, separation, tasks
from handlers.access import check_own
from handlers.actors import SYSTEM, Actor
from handlers.cards import CardDebt, CardMaterial, CardRevocation
from handlers.casefile import CaseFile, opened
from handlers.cases import Settle, resident_actor
from handlers.caseviews import CaseView, view_case
from handlers.errors import Refused
from handlers.limits import local_date
from handlers.materials import HandedIn, rows, take_in
from handlers.office import Office
from storage import cases
from storage import debts as stored
from storage.errors import Conflict

log = logging.getLogger(__name__)

REMIND_DAYS = 2
"""Working days before a paper lapses on which its applicant is reminded (化州 2025: 到期前提醒)."""

_BATCH = 100


class Supply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Papers that were owed, with their files."""

    materials: Annotated[tuple[HandedIn, ...], msgspec.Meta(min_length=1, max_length=100)]


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the check of a promise found: `kept` or `broken`, for which material, and what was looked at."""

    material: Annotated[str, msgspec.Meta(max_length=16)]
    result: Literal["kept", "broken"]
    note: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which paper need not come in after all, and why."""

    material: Annotated[str, msgspec.Meta(max_length=16)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


async def supply(office: Office, resident_id: str, case_id: str, handed_in: Supply, settle: Settle) -> CaseView:
    """The applicant hands in what he owes, or a paper in the place of his promise; a lapsed one too, until an officer has settled it."""
    async with office.database.transaction() as tx:
        async with opened(office, case_id, tx=tx) as file:
            await check_own(office, tx, file.row, resident_id)
            await _take_papers(file, resident_id, handed_in.materials)
            _supplied(file, resident_actor(resident_id), {one.material for one in handed_in.materials})
        view = view_case(office, file.row, file.item)
        await settle(tx, view)
    return view


def waive(file: CaseFile, actor: Actor, waiver: Waiver) -> None:
    """A paper is no longer asked for; a promise is not waived but checked."""
    debt = _open(file, waiver.material, {"owed", "tolerated"})
    debts.change(file, [msgspec.structs.replace(debt, settled_at=file.now, result="waived", note=waiver.reason)])
    file.note("paper_waived", actor, reason=waiver.reason, text=debt.name)
    _finish(file)


def check(file: CaseFile, actor: Actor, finding: Finding) -> None:
    """The check after a promise (事后核查): kept, or broken, which stays on the record (失信记录) and is told."""
    if file.row["accepted_at"] is None:
        raise Refused("paper_not_owed")
    debt = _open(file, finding.material, {"commitment"})
    debts.change(file, [msgspec.structs.replace(debt, settled_at=file.now, result=finding.result, note=finding.note)])
    file.note(f"promise_{finding.result}", actor, reason=finding.note, text=debt.name, version=debt.text_version)


async def decide_first(file: CaseFile, actor: Actor, reason: str) -> None:
    """Urgent aid: granted now, its papers follow (绿色通道: 先行救助、后补手续). The departments that were asked are told."""
    await separation.check(file, actor)
    debts.owe_after(file)
    procedure.decide(file, actor, "granted", reason, act="decide_first")
    handovers.begin(file, actor)


async def revoke(file: CaseFile, actor: Actor, reason: str) -> None:
    """Take a decision back whose papers lapsed or whose promise was broken (行政许可法 art. 69); told with the ways to object."""
    await separation.check(file, actor)
    if file.row["decision"] != "granted" or file.card.revoked is not None or not any(map(is_default, file.card.debts)):
        raise Refused("nothing_to_revoke")
    if file.row["state"] != "completed":
        file.act("revoke", actor)
        file.row["completed_at"] = file.now
    file.card = msgspec.structs.replace(file.card, revoked=CardRevocation(file.now, reason))
    remedy = documents.remedy(local_date(file.now), file.office.calendar).text
    file.note("revoked", actor, reason=reason, document=documents.revocation(file), remedy=remedy)


def is_default(debt: CardDebt) -> bool:
    """Whether somebody did not do as he signed: the paper lapsed and nobody waived it, or the promise was broken."""
    return debt.result == "broken" or (debt.lapsed_at is not None and debt.result in {None, "lapsed"})


def remind(file: CaseFile) -> None:
    """Tell the applicant before his papers lapse, once."""
    until = file.office.calendar.add_workdays(local_date(file.now), REMIND_DAYS).day
    due = [one for one in _owed(file) if one.lapsed_at is None and one.reminded_at is None and one.due_on and one.due_on <= until]
    if not due:
        raise Refused("paper_not_owed")
    debts.change(file, [msgspec.structs.replace(one, reminded_at=file.now) for one in due])
    file.note("papers_due", SYSTEM, text=_names(due), until_on=min(one.due_on for one in due if one.due_on))


def lapse(file: CaseFile) -> None:
    """Papers that did not come in time: the applicant is told, an officer decides what follows (拒绝、撤销或者免交)."""
    late = [one for one in _owed(file) if one.lapsed_at is None and one.due_on and one.due_on < local_date(file.now)]
    if not late:
        raise Refused("paper_not_owed")
    debts.change(file, [msgspec.structs.replace(one, lapsed_at=file.now, result="lapsed") for one in late])
    file.note("papers_lapsed", SYSTEM, text=_names(late))


async def sweep(office: Office) -> int:
    """One round; how many cases were told something. A paper that comes in at the same moment stays supplied."""
    today = local_date(office.clock.now())
    soon = office.calendar.add_workdays(today, REMIND_DAYS).day
    told = await _each(office, await stored.to_lapse(office.database, today, _BATCH), lapse)
    return told + await _each(office, await stored.to_remind(office.database, soon, _BATCH), remind)


async def _each(office: Office, case_ids: Iterable[str], act: Callable[[CaseFile], None]) -> int:
    told = 0
    for case_id in case_ids:
        try:
            async with opened(office, case_id) as file:
                act(file)
            told += 1
        except (Refused, Conflict) as error:
            log.info("the papers of case %s came in meanwhile: %s", case_id, error)
    return told


async def _take_papers(file: CaseFile, resident_id: str, handed_in: tuple[HandedIn, ...]) -> None:
    """Only what is owed, and with files: a promise does not settle a promise."""
    wanted = {one.material for one in file.card.debts if debts.is_open(one)}
    if not {one.material for one in handed_in} <= wanted or any(not one.uploads for one in handed_in):
        raise Refused("paper_not_owed")
    codes = {one.material for one in handed_in}
    rules = tuple(rule for rule in file.item.materials if rule.code in codes)
    taken = await take_in(file.tx, resident_id, msgspec.structs.replace(file.item, materials=rules), handed_in)
    file.hand_in(_in_order(file, taken))
    await cases.set_materials(file.tx, file.row["id"], rows(file.row["id"], file.card.materials), fresh=False)


def _in_order(file: CaseFile, taken: tuple[CardMaterial, ...]) -> tuple[CardMaterial, ...]:
    """The new papers among the others, in the item's order."""
    given = {one.material: one for one in (*file.card.materials, *taken)}
    return tuple(given[rule.code] for rule in file.item.materials if rule.code in given)


def _supplied(file: CaseFile, actor: Actor, codes: set[str]) -> None:
    names = [rule.name for rule in file.item.materials if rule.code in codes]
    file.note("papers_supplied", actor, text="、".join(names))
    for task in file.tasks:
        if task["state"] in tasks.LIVE and task["state"] != "correction":
            file.send(task["department"], "task.material-added", tasks.request_data(file, task))
    debts.follow(file)
    _finish(file)


def _finish(file: CaseFile) -> None:
    """What was decided and delivered while papers were owed is complete when the last one is settled."""
    delivered = file.card.delivery is not None and file.card.delivery.delivered_at is not None
    if file.row["state"] in {"decided", "delivering"} and delivered and not debts.is_owing(file.row, file.card):
        procedure.complete(file, SYSTEM)


def _owed(file: CaseFile) -> list[CardDebt]:
    return [one for one in file.card.debts if debts.is_open(one) and one.kind != "commitment"]


def _open(file: CaseFile, material: str, kinds: set[str]) -> CardDebt:
    debt = next((one for one in file.card.debts if one.material == material and debts.is_open(one) and one.kind in kinds), None)
    if debt is None:
        raise Refused("paper_not_owed")
    return debt


def _names(found: Iterable[CardDebt]) -> str:
    return "、".join(one.name for one in found)
