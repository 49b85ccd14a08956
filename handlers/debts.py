"""Papers that may follow: owed after urgent aid, tolerated as missing (容缺受理), or replaced by a signed commitment (告知承诺).

They are on the case's card and, from acceptance on, in the table `debt`. What becomes of them follows from what the case has become:
`follow` is called at every close of a case file. What people do about them is in handlers/papers.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import msgspec

from handlers import documents, tolerance
from handlers.actors import SYSTEM
from handlers.agents import agent_of
from handlers.cards import Card, CardDebt, CardMaterial, CardSignature
from handlers.catalogue import MaterialRule, ServiceItem
from handlers.complaints import complaint
from handlers.errors import Refused
from handlers.limits import local_date
from handlers.office import Office
from handlers.workdays import WorkCalendar
from storage import debts as stored
from storage.database import Row
from storage.ids import uuid7

if TYPE_CHECKING:
    from handlers.casefile import CaseFile

AFTER_CHECK_DAYS = 60
"""Natural days from a positive decision to the check of what was promised (告知承诺: 决定后两个月内核查)."""

KIND_NAMES = {"tolerated": "容缺受理承诺书", "commitment": "告知承诺书"}

_OVER = frozenset({"not_accepted", "withdrawn", "expired"})
_MOOT = "办件已经终结"


class Signing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A commitment as the phone sends it: which text was shown, and the name typed under it."""

    version: Annotated[str, msgspec.Meta(max_length=40)]
    signed_by: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]


def sign(file: CaseFile, signings: Iterable[Signing]) -> None:
    """Keep signatures on the card, the name sealed; only the text that is in force today can be signed."""
    for one in signings:
        text = file.office.commitments.texts.get(one.version)
        if text is None or file.office.commitments.current(text.kind, local_date(file.now)) != text:
            raise Refused("commitment_text_changed")
        name = one.signed_by.strip()
        sealed = file.office.keys.sealer.seal(name.encode(), _context(file.row["id"]))
        others = tuple(kept for kept in file.card.signatures if kept.version != one.version)
        file.card = msgspec.structs.replace(file.card, signatures=(*others, CardSignature(one.version, file.now, sealed)))


def owe(file: CaseFile) -> None:
    """At submission and correction: what is missing or promised becomes a debt, against the signature that it needs."""
    wanted = _wanted(file)
    check_signed(file)
    kept = [one for one in file.card.debts if one.material not in wanted or one.settled_at is not None]
    known = {one.material: one for one in file.card.debts if one.settled_at is None}
    made = []
    for code, (kind, rule) in wanted.items():
        before = known.get(code)
        made.append(before if before is not None and before.kind == kind else _debt(file, kind, rule))
    codes = {one.material for one in made}
    file.card = msgspec.structs.replace(file.card, debts=(*(one for one in kept if one.material not in codes), *made))


def unsigned(file: CaseFile) -> list[str]:
    """The names of the commitments that still have to be signed, by the applicant himself, before the case can be submitted."""
    found = ((kind, _signature(file, kind)) for kind in _promises(file))
    return [KIND_NAMES[kind] for kind, signature in found if signature is None or _is_strange(file, signature)]


def owe_after(file: CaseFile) -> None:
    """At a decision that comes first: every required paper that is not there is owed, and its own clock starts (救急难: 5 个工作日)."""
    given = _given(file.card.materials)
    for rule in file.item.materials:
        known = next((one for one in file.card.debts if one.material == rule.code), None)
        if tolerance.is_asked(rule) and tolerance.may_be_owed(rule) and rule.code not in given and known is None:
            file.card = msgspec.structs.replace(file.card, debts=(*file.card.debts, _debt(file, "owed", rule)))
    change(file, [msgspec.structs.replace(one, due_on=None) for one in file.card.debts if one.kind == "owed" and one.settled_at is None])


def follow(file: CaseFile) -> None:
    """What follows for the papers from what the case has become: dates, papers that came in, the end of it all."""
    before = file.card.debts
    if before:
        change(file, [_followed(file, one) for one in before])
        tell_dates(file, {one.material for one in before if one.due_on is None})
        case_id, debts = file.row["id"], file.card.debts
        file.write(lambda tx: stored.save(tx, case_id, [msgspec.structs.asdict(one) for one in debts if one.due_on is not None]))
    file.row["is_owing"] = is_owing(file.row, file.card)


def is_owing(row: Row, card: Card) -> bool:
    """Whether a paper is still to come in: "decided, papers owed" is not done (绿色通道: 后补手续)."""
    return (
        row["accepted_at"] is not None and not _is_over(row, card) and any(is_open(one) for one in card.debts if one.kind != "commitment")
    )


def is_open(debt: CardDebt) -> bool:
    """Whether nobody has settled it; it may have lapsed."""
    return debt.settled_at is None


def change(file: CaseFile, debts: Iterable[CardDebt]) -> None:
    """Put these in the place of the debts of the same materials."""
    new = {one.material: one for one in debts}
    file.card = msgspec.structs.replace(file.card, debts=tuple(new.get(one.material, one) for one in file.card.debts))


def tolerated_until(
    accepted_on: dt.date, days: int, promised_on: dt.date | None, legal_on: dt.date | None, calendar: WorkCalendar
) -> dt.date:
    """By when a tolerated paper comes in: so many working days after acceptance, for 0 the promised day; never past the legal limit.

    化州 2025: 补正期限不超过法定时限.
    """
    wanted = calendar.add_workdays(accepted_on, days).day if days else promised_on or accepted_on
    return min(wanted, legal_on) if legal_on else wanted


def signer(office: Office, case_id: str, signature: CardSignature) -> str:
    """The name as it was typed under a commitment."""
    return office.keys.sealer.unseal(signature.name_sealed, _context(case_id)).decode()


def _wanted(file: CaseFile) -> dict[str, tuple[str, MaterialRule]]:
    """What would follow later if the case went in as it is: material -> kind of debt and its rule."""
    given = _given(file.card.materials)
    promised = {one.material for one in file.card.materials if one.source == "commitment"}
    found: dict[str, tuple[str, MaterialRule]] = {}
    for rule in file.item.materials:
        if rule.code in promised:
            found[rule.code] = ("commitment", rule)
        elif tolerance.is_asked(rule) and rule.code not in given and (kind := _may(file, rule)):
            found[rule.code] = (kind, rule)
    return found


def _may(file: CaseFile, rule: MaterialRule) -> str:
    """As what a missing paper may follow, "" if it may not."""
    if file.card.urgency is not None:
        return "owed" if tolerance.may_be_owed(rule) else ""
    return "tolerated" if tolerance.may_follow(rule) else ""


def _promises(file: CaseFile) -> list[str]:
    """The kinds of commitments that the case needs a signature for."""
    return sorted({kind for kind, _ in _wanted(file).values() if kind != "owed"})


def _given(materials: Iterable[CardMaterial]) -> set[str]:
    return {one.material for one in materials if one.uploads or one.source == "certificate"}


def check_signed(file: CaseFile) -> None:
    """Every promise is signed, by the applicant's own name as the form has it (书面承诺)."""
    for kind in _promises(file):
        signature = _signature(file, kind)
        if signature is None:
            raise Refused("commitment_unsigned", errors=[complaint("/commitments", "commitment_unsigned")])
        if _is_strange(file, signature):
            raise Refused("signature_differs", errors=[complaint("/commitments", "signature_differs")])


def _is_strange(file: CaseFile, signature: CardSignature) -> bool:
    """Whether it is signed by another name than the applicant's in the form, or that of who acts for him."""
    applicant = str(file.form.get("applicant_name", "")).strip()
    agent = file.card.agent
    names = {applicant, *([agent_of(file.office, file.row["id"], agent).name] if agent else ())}
    return bool(applicant) and signer(file.office, file.row["id"], signature) not in names


def _signature(file: CaseFile, kind: str) -> CardSignature | None:
    texts = file.office.commitments.texts
    fitting = [one for one in file.card.signatures if one.version in texts and texts[one.version].kind == kind]
    return max(fitting, key=lambda one: one.at, default=None)


def _debt(file: CaseFile, kind: str, rule: MaterialRule) -> CardDebt:
    signature = _signature(file, kind) if kind != "owed" else None
    version, at = (signature.version, signature.at) if signature else ("", file.now)
    return CardDebt(uuid7(), rule.code, rule.name, kind, version, at)


def _followed(file: CaseFile, debt: CardDebt) -> CardDebt:
    """One debt as the case leaves it."""
    if not is_open(debt):
        return debt
    if _is_over(file.row, file.card):
        return msgspec.structs.replace(debt, settled_at=file.now, result=debt.result or "waived", note=debt.note or _MOOT)
    if debt.material in _given(file.card.materials):
        return msgspec.structs.replace(debt, settled_at=file.now, result="supplied")
    if file.row["accepted_at"] is not None and (debt.due_on is None or debt.kind == "commitment"):
        return _dated(file, debt)
    return debt


def _dated(file: CaseFile, debt: CardDebt) -> CardDebt:
    """With its date; a tolerated or owed paper has it from acceptance or decision, a promise is checked after the decision."""
    row = file.row
    if debt.kind == "commitment":
        checked_on = local_date(row["decided_at"] or row["accepted_at"]) + dt.timedelta(days=AFTER_CHECK_DAYS)
        return msgspec.structs.replace(debt, due_on=checked_on)
    begun = msgspec.structs.replace(debt, counted_from=local_date(file.now if debt.kind == "owed" else row["accepted_at"]))
    return msgspec.structs.replace(begun, due_on=counted(begun, row, file.item, file.office.calendar))


def counted(debt: CardDebt, row: Row, item: ServiceItem, calendar: WorkCalendar) -> dt.date:
    """By when an owed or tolerated paper comes in, by this calendar."""
    begun = debt.counted_from or local_date(row["accepted_at"])
    if debt.kind == "owed":
        return calendar.add_workdays(begun, item.owed_days).day
    days = next((rule.supply_days for rule in item.materials if rule.code == debt.material), 0)
    return tolerated_until(begun, days, row["promised_on"], row["legal_on"], calendar)


def _is_over(row: Row, card: Card) -> bool:
    return row["state"] in _OVER or row["decision"] == "refused" or card.revoked is not None


def tell_dates(file: CaseFile, new: set[str]) -> None:
    """The list of papers whose dates are `new`, by their materials, goes to the applicant (化州 2025: 出具清单)."""
    dated = [one for one in file.card.debts if one.material in new and one.due_on and is_open(one) and one.kind != "commitment"]
    if dated:
        text, until_on = "、".join(one.name for one in dated), min(one.due_on for one in dated if one.due_on)
        file.note("papers_owed", SYSTEM, text=text, until_on=until_on, document=documents.papers(file))


def _context(case_id: str) -> str:
    return f"cases.card.signed:{case_id}"
