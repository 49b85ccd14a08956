"""Bundles (一件事): one application for several items, an umbrella with its number over them, and taking it back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import msgspec

from handlers import agents, bundleparts, debts, handovers, procedure
from handlers.access import check_own
from handlers.authority import identity
from handlers.bundleplans import chosen_parts, plan
from handlers.bundleviews import UmbrellaView, view_umbrella
from handlers.cards import CardMaterial
from handlers.casefile import CaseFile, opened, seal_form
from handlers.cases import MOST_A_DAY, Application, new_row, numbered, resident_actor
from handlers.catalogue import Bundle
from handlers.clocks import local_date
from handlers.errors import Refused
from handlers.forms import check_form
from handlers.materials import rows, take_in
from handlers.numbers import umbrella_number
from handlers.office import Office
from handlers.oneform import OneForm, one_form
from handlers.stages import Plan, PlannedPart, next_moves
from handlers.transitions import ACTS
from storage import cases, umbrellas
from storage.database import Row, Transaction
from storage.ids import uuid7

Settle = Callable[[Transaction, UmbrellaView], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Filled:
    """A bundle's one form as it was filled in: what was chosen, the answers, and the plan made of it."""

    bundle: Bundle
    form: OneForm
    answers: dict[str, Any]
    plan: Plan
    wish: handovers.Wish | None
    commitments: tuple[debts.Signing, ...] = ()
    proxy: str = ""

    @property
    def first(self) -> tuple[str, ...]:
        """The parts that begin at once."""
        return next_moves(self.plan.parts, {part.code: "waiting" for part in self.plan.parts}).begin


async def apply(office: Office, resident_id: str, application: Application, settle: Settle) -> UmbrellaView:
    """Apply for a bundle: one form, papers handed in once; the parts of the first stage are submitted at once."""
    filled = await _filled(office, resident_id, application)
    umbrella = _umbrella_row(office, resident_id, filled, await _number(office))
    async with AsyncExitStack() as stack:
        numbers = {code: await stack.enter_async_context(numbered(office)) for code in filled.first}
        tx = await stack.enter_async_context(office.database.transaction())
        shape = filled.form.as_item(office.catalogue.item(filled.plan.parts[0].code))
        papers = {one.material: one for one in await take_in(tx, resident_id, shape, application.materials)}
        await umbrellas.insert(tx, umbrella)
        proxy = await _proxy(office, tx, resident_id, filled.proxy, filled.plan.parts) if filled.proxy else None
        made = [await _make(office, tx, umbrella, filled, part, papers, numbers.get(part.code), proxy) for part in filled.plan.parts]
        view = view_umbrella(office, umbrella, made)
        await settle(tx, view)
    return view


async def show(office: Office, resident_id: str, umbrella_id: str) -> UmbrellaView:
    """One umbrella of this resident, made by him or for him."""
    row = await umbrellas.by_id(office.database, umbrella_id)
    if row is None:
        raise Refused("not_found")
    found = await cases.of_umbrella(office.database, umbrella_id)
    for case in found:  # an authority that followed may be for some of the parts only
        await check_own(office, office.database, case, resident_id)
    return view_umbrella(office, row, found)


async def mine(office: Office, resident_id: str, before: str | None, limit: int) -> tuple[list[UmbrellaView], str | None]:
    """A page of a resident's umbrellas, newest first, and below which id the next begins (None at the end).

    What became of those he had an authority for is no longer his to see, so that a page may be shorter than `limit`.
    """
    rows = await umbrellas.of_resident(office.database, resident_id, before, limit)
    views = []
    for row in rows:
        found = await cases.of_umbrella(office.database, row["id"])
        standings = [await agents.standing_of(office, office.database, case, resident_id) for case in found]
        if "former agent" not in standings:
            views.append(view_umbrella(office, row, found))
    return views, rows[-1]["id"] if len(rows) == limit else None


async def withdraw(office: Office, resident_id: str, umbrella_id: str, reason: str, settle: Settle) -> UmbrellaView:
    """Take back everything that is not decided yet; what is decided stays. One part alone is withdrawn as a case."""
    seen = await show(office, resident_id, umbrella_id)
    open_parts = [part for part in seen.parts if part.state in ACTS["withdraw"].begins]
    # Cases under way are locked before the umbrella, waiting ones after it, as a decision and what follows from it do.
    begun = sorted(part.case_id for part in open_parts if not part.waiting)
    waiting = sorted(part.case_id for part in open_parts if part.waiting)
    async with office.database.transaction() as tx:
        async with AsyncExitStack() as stack:
            files = [await stack.enter_async_context(opened(office, case_id, tx=tx)) for case_id in begun]
            umbrella = await umbrellas.take(tx, umbrella_id)
            files += [await stack.enter_async_context(opened(office, case_id, tx=tx)) for case_id in waiting]
            for file in files:  # his authority may have been revoked since it was shown
                await check_own(office, tx, file.row, resident_id)
            _take_back(files, resident_id, reason)
        view = view_umbrella(office, umbrella or {}, await cases.of_umbrella(tx, umbrella_id))
        await settle(tx, view)
    return view


def _take_back(files: list[CaseFile], resident_id: str, reason: str) -> None:
    still_open = [file for file in files if file.row["state"] in ACTS["withdraw"].begins]
    if not still_open:
        raise Refused("bundle_over")
    for file in still_open:
        procedure.withdraw(file, resident_actor(resident_id), reason or None)


async def _filled(office: Office, resident_id: str, application: Application) -> _Filled:
    bundle = office.catalogue.bundle(application.bundle)
    codes = chosen_parts(bundle, application.parts)
    if not application.submit:
        raise Refused("bundle_no_draft")
    if application.urgent is not None:
        raise Refused("no_green_channel")
    form = one_form(bundle, office.catalogue, codes)
    shape, given = form.as_item(office.catalogue.item(codes[0])), application.form
    if application.on_behalf_of:
        items = [office.catalogue.item(code) for code in codes]
        proxy = await agents.usable(office, office.database, resident_id, application.on_behalf_of, *items)
        given = agents.completed(_identity(office, proxy, form), given)
    answers, errors = check_form(shape, given, local_date(office.clock.now()))
    if errors:
        raise Refused("invalid_form", errors=errors)
    return _Filled(
        bundle,
        form,
        answers,
        plan(bundle, office.catalogue, {code: uuid7() for code in codes}),
        application.delivery,
        application.commitments,
        application.on_behalf_of,
    )


def _identity(office: Office, proxy: Row, form: OneForm) -> dict[str, str]:
    """What the one form says of the applicant when he is the principal, by the names that the one form gives the questions."""
    authority = agents.open_authority(office, proxy)
    known = {
        one.field.name: identity(authority.kind, authority.principal, (field for fields in one.fills.values() for field in fields))
        for one in form.fields
    }
    return {name: next(iter(values.values())) for name, values in known.items() if values}


async def _proxy(office: Office, tx: Transaction, resident_id: str, proxy_id: str, parts: Iterable[PlannedPart]) -> Row:
    items = [office.catalogue.item(part.code) for part in parts]
    return await agents.usable(office, tx, resident_id, proxy_id, *items)


async def _number(office: Office) -> str:
    day = local_date(office.clock.now())
    sequence = await office.numbers.next(f"umbrella:{office.division}:{day:%Y%m%d}")
    if sequence > MOST_A_DAY:
        raise Refused("unavailable", {"retry_after": 3600})
    return umbrella_number(office.division, day, sequence)


def _umbrella_row(office: Office, resident_id: str, filled: _Filled, number: str) -> Row:
    now, umbrella_id = office.clock.now(), uuid7()
    promised = filled.bundle.promised
    return {
        "id": umbrella_id, "number": number, "bundle_code": filled.bundle.code, "resident_id": resident_id,
        "form_sealed": seal_form(office, umbrella_id, filled.answers), "plan": msgspec.json.encode(filled.plan).decode(),
        "created_at": now, "promised_on": office.calendar.add_workdays(local_date(now), promised.days).day,
        "finished_at": None, "look_at": None,
    }  # fmt: skip


async def _make(
    office: Office, tx: Transaction, umbrella: Row, filled: _Filled, part: PlannedPart, papers: Mapping[str, CardMaterial],
    number: str | None, proxy: Row | None,
) -> Row:  # fmt: skip
    """The case of one part: submitted if it has a number, else waiting for its turn with its form and papers."""
    item = office.catalogue.item(part.code)
    row = new_row(office, umbrella["resident_id"], item, filled.form.form_of(part.code, filled.answers))
    row.update(id=part.case_id, umbrella_id=umbrella["id"])
    file = CaseFile(office, tx, row, item, [])
    file.form = filled.form.form_of(part.code, filled.answers)  # sealed for the id that the plan names
    file.card = msgspec.structs.replace(file.card, waiting=True)
    file.hand_in(_papers_of(filled.form, file, papers))
    if proxy is not None:
        agents.attach(file, proxy)
    debts.sign(file, filled.commitments)
    if filled.wish is not None:
        handovers.wish(file, filled.wish)
    if number is not None:
        debts.check_signed(file)
        bundleparts.begin(file, part, (), number, umbrella["number"])
    await file.close(fresh=True)
    await cases.set_materials(tx, part.case_id, rows(part.case_id, file.card.materials), fresh=True)
    return file.row


def _papers_of(form: OneForm, file: CaseFile, papers: Mapping[str, CardMaterial]) -> tuple[CardMaterial, ...]:
    """An item's own materials, from the papers that were handed in once."""
    given = {
        rule.code: CardMaterial(rule.code, rule.name, papers[one.code].source, papers[one.code].uploads)
        for one in form.papers
        if one.code in papers
        for rule in one.fills.get(file.item.code, ())
    }
    given |= {rule.code: CardMaterial(rule.code, rule.name, "form") for rule in file.item.materials if rule.source == "form"}
    return tuple(given[rule.code] for rule in file.item.materials if rule.code in given)
