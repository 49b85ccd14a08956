"""How a part of a bundle begins: filled in with what other parts brought forth, submitted, or the resident asked for the rest."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from handlers import debts
from handlers.actors import SYSTEM
from handlers.cards import CardMaterial, read_card
from handlers.casefile import CaseFile, open_form
from handlers.cases import enter, resident_actor
from handlers.clocks import local_date
from handlers.forms import check_form, check_materials
from handlers.materials import HandedIn, certificates, without
from handlers.office import Office
from handlers.stages import PlannedPart
from storage.database import Row


def begin(file: CaseFile, part: PlannedPart, cases: Sequence[Row], number: str, umbrella_number: str) -> bool:
    """A part's turn has come; whether it was submitted under `number`. `cases` are the rows of its umbrella."""
    file.card = msgspec.structs.replace(file.card, waiting=False)
    _fill(file, part, cases)
    file.hand_in(_with_certificates(file, part))
    if missing := _missing(file):
        file.note("part_asks", SYSTEM, text="、".join(missing), number=umbrella_number)
        return False
    enter(file, resident_actor(file.row["resident_id"]), number)
    return True


def resume(file: CaseFile, part: PlannedPart, cases: Sequence[Row], number: str) -> bool:
    """A number has come that a part was waiting for: it is submitted if nothing else is missing."""
    if not _fill(file, part, cases) or _missing(file):
        return False
    enter(file, resident_actor(file.row["resident_id"]), number)
    return True


def may_resume(office: Office, case: Row, part: PlannedPart, cases: Sequence[Row]) -> bool:
    """Whether a part that asks its resident for a number could have it from another part by now."""
    if case["state"] != "draft" or read_card(case).waiting:
        return False
    come = {field for field, issuer in part.fields.items() if _issuer(cases, issuer) is not None}
    return bool(come - open_form(office, case).keys())


def stop(file: CaseFile, in_vain: Sequence[str], umbrella_number: str) -> None:
    """A part will not begin, because what it needs was not granted; the resident is told why."""
    catalogue = file.office.catalogue
    names = "、".join(catalogue.items[code].name if code in catalogue.items else code for code in in_vain)
    reason = f"需要先办成的“{names}”没有办成"
    file.act("expire", SYSTEM)
    file.row.update(reason=reason, completed_at=file.now)
    file.note("part_stopped", SYSTEM, reason=reason, number=umbrella_number)


def _fill(file: CaseFile, part: PlannedPart, cases: Sequence[Row]) -> bool:
    """Put the numbers of the other parts' certificates into the form; whether there was one to put in."""
    form = file.form
    found = {
        field: _number(file, case)
        for field, issuer in part.fields.items()
        if field not in form and (case := _issuer(cases, issuer)) is not None
    }
    if found:
        file.form = {**form, **found}
    return bool(found)


def _issuer(cases: Sequence[Row], code: str) -> Row | None:
    return next((case for case in cases if case["item_code"] == code and read_card(case).issued), None)


def _number(file: CaseFile, case: Row) -> str:
    sealed = read_card(case).issued[-1].number_sealed
    return file.office.keys.sealer.unseal(sealed, f"cases.card.issued:{case['id']}").decode()


def _with_certificates(file: CaseFile, part: PlannedPart) -> tuple[CardMaterial, ...]:
    """The papers handed in, and those that the office has itself because another part issued them, in the item's order."""
    given = {one.material: one for one in file.card.materials}
    made = {rule.code: CardMaterial(rule.code, rule.name, "certificate") for rule in file.item.materials if rule.code in part.papers}
    return tuple(one for rule in file.item.materials if (one := given.get(rule.code) or made.get(rule.code)) is not None)


def _missing(file: CaseFile) -> list[str]:
    """What the resident has to add before the part can be submitted, by the names he knows."""
    names = {f"/form/{field.name}": field.label for field in file.item.form.fields}
    names |= {f"/materials/{rule.code}": rule.name for rule in file.item.materials}
    item = without(file.item, {one.material for one in certificates(file.card.materials)})
    given = [
        HandedIn(one.material, tuple(upload.id for upload in one.uploads), one.source == "commitment")
        for one in file.card.materials
        if one.source not in {"form", "certificate"}
    ]
    errors = [*check_form(file.item, file.form, local_date(file.now))[1], *check_materials(item, given)]
    return [*(names.get(error.pointer, error.pointer) for error in errors), *debts.unsigned(file)]
