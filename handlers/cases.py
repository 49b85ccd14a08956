"""Cases as the resident handles them: apply, look, correct, withdraw, evaluate."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec

from handlers import agents, casesearch, corrections, debts, guards, handovers, priorities, procedure, tolerance
from handlers.access import check_own, own_case
from handlers.actors import Actor
from handlers.cards import Card, write_card
from handlers.casefile import CaseFile, opened, seal_form
from handlers.caseviews import CaseView, view_case
from handlers.catalogue import ServiceItem
from handlers.clocks import local_date
from handlers.errors import Refused
from handlers.forms import check_form
from handlers.materials import HandedIn, rows, take_in
from handlers.numbers import case_number
from handlers.office import Office
from handlers.transitions import wrong_state
from storage import cases
from storage.database import Row, Transaction
from storage.ids import uuid7

MOST_A_DAY = 99_999
"""A case number has five digits for the day."""

LARGEST_DRAFT = 65_536
"""Bytes of a draft's form; a filled form is some kilobytes."""

Settle = Callable[[Transaction, CaseView], Awaitable[None]]


class Application(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a resident hands in: the item, its form and its materials. `submit` false keeps it as a draft.

    Instead of an item a bundle (一件事), with the optional `parts` that are wanted; form and materials are then those of the one form.
    `commitments`: the texts of GET /commitments that were signed; `urgent`: urgent aid is asked for, its papers may follow.
    `on_behalf_of`: an authority of GET /me/proxies, when the applicant is somebody else; his name and number may then be left out.
    """

    item: str = ""
    bundle: str = ""
    parts: tuple[str, ...] = ()
    form: dict[str, Any] = {}
    materials: tuple[HandedIn, ...] = ()
    submit: bool = True
    delivery: handovers.Wish | None = None
    commitments: tuple[debts.Signing, ...] = ()
    urgent: priorities.Urging | None = None
    on_behalf_of: Annotated[str, msgspec.Meta(max_length=36)] = ""


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A changed form and materials; what is left out stays as it is."""

    form: dict[str, Any] | None = None
    materials: tuple[HandedIn, ...] | None = None
    commitments: tuple[debts.Signing, ...] = ()


class Evaluation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rating of five levels, 5 the best (国办发〔2019〕51号)."""

    level: Annotated[int, msgspec.Meta(ge=1, le=5)]
    tags: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=20)], ...], msgspec.Meta(max_length=10)] = ()
    text: Annotated[str, msgspec.Meta(max_length=1000)] = ""


def resident_actor(resident_id: str) -> Actor:
    """How a resident's acts are signed."""
    return Actor("resident", resident_id)


async def apply(office: Office, resident_id: str, application: Application, settle: Settle) -> CaseView:
    """A new application, submitted at once or kept as a draft; `settle` keeps the answer in the same transaction."""
    item = office.catalogue.item(application.item)
    form = await _form_of(office, resident_id, item, application)
    async with numbered(office, wanted=application.submit) as number, office.database.transaction() as tx:
        materials = await take_in(
            tx, resident_id, _lenient(item, submit=application.submit, urgent=application.urgent is not None), application.materials
        )
        file = CaseFile(office, tx, new_row(office, resident_id, item, form), item, [])
        file.hand_in(materials)
        if application.on_behalf_of:
            agents.attach(file, await agents.usable(office, tx, resident_id, application.on_behalf_of, item))
        _promise(file, resident_id, application)
        if application.delivery is not None:
            handovers.wish(file, application.delivery)
        if number is not None:
            enter(file, resident_actor(resident_id), number)
        await file.close(fresh=True)
        await cases.set_materials(tx, file.row["id"], rows(file.row["id"], materials), fresh=True)
        view = view_case(office, file.row, item)
        await settle(tx, view)
    return view


async def submit(office: Office, resident_id: str, case_id: str, settle: Settle, if_version: int | None = None) -> CaseView:
    """Submit a draft."""
    async with numbered(office) as number, office.database.transaction() as tx:
        async with opened(office, case_id, tx=tx) as file:
            await check_own(office, tx, file.row, resident_id)
            file.expect(if_version)
            guards.turn_has_come(file)
            file.form = _checked_form(office, file.item, agents.as_principals(file, file.form))
            handed_in = tuple(
                HandedIn(one.material, tuple(u.id for u in one.uploads), one.source == "commitment")
                for one in file.card.materials
                if one.source != "certificate"
            )
            item = _lenient(file.item, submit=True, urgent=file.card.urgency is not None)
            file.hand_in(await take_in(tx, resident_id, item, handed_in, file.card.materials))
            enter(file, resident_actor(resident_id), str(number))
        view = view_case(office, file.row, file.item)
        await settle(tx, view)
    return view


async def change_draft(office: Office, resident_id: str, case_id: str, if_version: int, change: Change) -> CaseView:
    """Change a draft."""
    async with office.database.transaction() as tx:
        async with opened(office, case_id, tx=tx) as file:
            await check_own(office, tx, file.row, resident_id)
            file.expect(if_version)
            if file.row["state"] != "draft":
                raise wrong_state(file.row["state"], "resident")
            if change.form is not None:
                file.form = _small(change.form)
            debts.sign(file, change.commitments)
            await _replace_materials(file, resident_id, change.materials, submit=False)
        return view_case(office, file.row, file.item)


async def correct(
    office: Office, resident_id: str, case_id: str, change: Change, settle: Settle, if_version: int | None = None
) -> CaseView:
    """Hand in what a correction notice asked for."""
    if not change.form and not change.materials:
        raise Refused("nothing_corrected")
    async with office.database.transaction() as tx:
        async with opened(office, case_id, tx=tx) as file:
            await check_own(office, tx, file.row, resident_id)
            file.expect(if_version)
            new = _new_in(file, change)
            if change.form is not None:
                file.form = _checked_form(office, file.item, agents.as_principals(file, {**file.form, **change.form}))
            await _replace_materials(file, resident_id, _merged(file, change.materials), submit=True)
            debts.sign(file, change.commitments)
            debts.owe(file)
            corrections.corrected(file, resident_actor(resident_id), new)
            if change.form is not None:
                casesearch.index(file)
        view = view_case(office, file.row, file.item)
        await settle(tx, view)
    return view


async def withdraw(office: Office, resident_id: str, case_id: str, reason: str, settle: Settle, if_version: int | None = None) -> CaseView:
    """Take an application back."""
    async with office.database.transaction() as tx:
        async with opened(office, case_id, tx=tx) as file:
            await check_own(office, tx, file.row, resident_id)
            file.expect(if_version)
            procedure.withdraw(file, resident_actor(resident_id), reason or None)
        view = view_case(office, file.row, file.item)
        await settle(tx, view)
    return view


async def evaluate(office: Office, resident_id: str, case_id: str, evaluation: Evaluation, settle: Settle) -> CaseView:
    """Rate a finished case, once (GB/T 39734-2020: one item, one rating)."""
    async with office.database.transaction() as tx:
        async with opened(office, case_id, tx=tx) as file:
            await check_own(office, tx, file.row, resident_id)
            if file.row["state"] not in {"decided", "delivering", "completed", "not_accepted"}:
                raise Refused("not_finished")
            if not await cases.add_evaluation(tx, _evaluation_row(file, evaluation)):
                raise Refused("already_evaluated")
            file.card = msgspec.structs.replace(file.card, evaluation=evaluation.level)
            file.note("evaluated", resident_actor(resident_id), tell=False, level=evaluation.level)
        view = view_case(office, file.row, file.item)
        await settle(tx, view)
    return view


async def show(office: Office, resident_id: str, case_id: str) -> CaseView:
    """One case of this resident."""
    row = await own_case(office, resident_id, case_id)
    return view_case(office, row, await office.catalogue.version(office.database, row["item_code"], row["item_version"]))


async def mine(office: Office, resident_id: str, states: list[str], before: str | None, limit: int) -> list[Row]:
    """A page of a resident's cases, newest first."""
    return await cases.of_resident(office.database, resident_id, states, before, limit)


def _checked_form(office: Office, item: ServiceItem, form: dict[str, Any]) -> dict[str, Any]:
    clean, errors = check_form(item, form, local_date(office.clock.now()))
    if errors:
        raise Refused("invalid_form", errors=errors)
    return clean


async def _form_of(office: Office, resident_id: str, item: ServiceItem, application: Application) -> dict[str, Any]:
    """The form of a new application as it is kept; applied for somebody else, it is his."""
    form = application.form if application.submit else _small(application.form)
    if application.on_behalf_of:
        proxy = await agents.usable(office, office.database, resident_id, application.on_behalf_of, item)
        form = agents.filled_in(office, proxy, item, form)
    return _checked_form(office, item, form) if application.submit else form


def _small(form: dict[str, Any]) -> dict[str, Any]:
    """A draft may be incomplete, but not a store for anything at all."""
    if len(msgspec.json.encode(form)) > LARGEST_DRAFT:
        raise Refused("too_large", {"limit": LARGEST_DRAFT})
    return form


def _lenient(item: ServiceItem, *, submit: bool, urgent: bool = False) -> ServiceItem:
    """For a draft nothing is required yet, for urgent aid only what may not be owed; what is handed in must still belong to the item."""
    if submit and not urgent:
        return item
    rules = (
        msgspec.structs.replace(rule, required=submit and not tolerance.may_be_owed(rule) and rule.required) for rule in item.materials
    )
    return msgspec.structs.replace(item, materials=tuple(rules))


def _promise(file: CaseFile, resident_id: str, application: Application) -> None:
    """What the applicant signs and asks for with his application."""
    debts.sign(file, application.commitments)
    if application.urgent is not None:
        priorities.urge(file, resident_actor(resident_id), application.urgent)


@asynccontextmanager
async def numbered(office: Office, *, wanted: bool = True) -> AsyncIterator[str | None]:
    """A case number, None if none is wanted; it goes back when the submission is refused, so that refusals use up none."""
    if not wanted:
        yield None
        return
    day = local_date(office.clock.now())
    name = f"case:{office.division}:{day:%Y%m%d}"
    sequence = await office.numbers.next(name)
    if sequence > MOST_A_DAY:
        raise Refused("unavailable", {"retry_after": 3600})
    try:
        yield case_number(office.division, day, sequence)
    except Refused:
        office.numbers.give_back(name, sequence)
        raise


def new_row(office: Office, resident_id: str, item: ServiceItem, form: dict[str, Any]) -> Row:
    """The row of a case that begins as a draft."""
    now, case_id = office.clock.now(), uuid7()
    empty = dict.fromkeys(
        (
            "number",
            "correction",
            "decision",
            "reason",
            "submitted_at",
            "accepted_at",
            "decided_at",
            "completed_at",
            "promised_on",
            "legal_on",
        )
    )
    return {
        **empty, "id": case_id, "resident_id": resident_id, "item_code": item.code, "item_version": item.version,
        "department": item.department, "area": office.division, "state": "draft", "version": 1, "events": 0,
        "form_sealed": seal_form(office, case_id, form), "card": write_card(Card()), "receipt_version": 1,
        "created_at": now, "updated_at": now, "is_provisional": False, "umbrella_id": None,
        "priority": 0, "corrections": 0, "is_owing": False, "is_by_agent": False,
    }  # fmt: skip


def enter(file: CaseFile, actor: Actor, number: str) -> None:
    """Hand a draft in under a case number."""
    file.act("submit", actor)
    file.row["number"] = number
    file.row["submitted_at"] = file.now
    debts.owe(file)
    priorities.recognise(file)
    casesearch.index(file)
    procedure.begin(file, actor)


def _new_in(file: CaseFile, change: Change) -> tuple[str, ...]:
    """What a correction brings that was not there before, by the names that `Card.handed_in` uses."""
    form = file.form
    fields = [f"field:{name}" for name, value in (change.form or {}).items() if form.get(name) != value]
    return (*fields, *(f"material:{one.material}" for one in change.materials or ()))


def _merged(file: CaseFile, materials: tuple[HandedIn, ...] | None) -> tuple[HandedIn, ...] | None:
    """New materials take the place of the old ones of the same kind; the others stay."""
    if materials is None:
        return None
    new = {one.material for one in materials}
    old = [
        HandedIn(one.material, tuple(upload.id for upload in one.uploads), one.source == "commitment")
        for one in file.card.materials
        if one.material not in new and one.source not in {"form", "certificate"}
    ]
    return (*old, *materials)


async def _replace_materials(file: CaseFile, resident_id: str, materials: tuple[HandedIn, ...] | None, *, submit: bool) -> None:
    if materials is None:
        return
    item = _lenient(file.item, submit=submit, urgent=file.card.urgency is not None)
    taken = await take_in(file.tx, resident_id, item, materials, file.card.materials)
    file.hand_in(taken)
    await cases.set_materials(file.tx, file.row["id"], rows(file.row["id"], taken), fresh=False)


def _evaluation_row(file: CaseFile, evaluation: Evaluation) -> tuple[Any, ...]:
    tags = msgspec.json.encode(evaluation.tags).decode()
    return (uuid7(), file.row["id"], file.item.code, file.row["department"], evaluation.level, tags, evaluation.text, file.now)
