"""How a bundle goes on: when a part has ended, the next ones begin, or never will. Write, commit, ring: then look at the rows here."""

from __future__ import annotations

import logging

from handlers import bundleparts
from handlers.bundleviews import fates_of, read_plan
from handlers.casefile import opened
from handlers.cases import numbered
from handlers.errors import Refused
from handlers.materials import rows
from handlers.office import Office
from handlers.stages import Plan, is_finished, next_moves
from storage import cases, umbrellas
from storage.database import Queries, Row, Transaction
from storage.errors import Conflict

log = logging.getLogger(__name__)

EVERY = 60.0
"""Seconds after which somebody looks although nobody rang."""

_BATCH = 100


async def keep(office: Office) -> None:
    """Advance what is due, when the bell rings and once a minute, for ever; several processes may do so."""
    with office.bell.listen(umbrellas.TOPIC) as ticket:
        while True:
            try:
                await advance_due(office)
            except Exception:
                log.exception("bundles could not go on; the next round comes in %s s", EVERY)
            await ticket.wait(EVERY)


async def advance_due(office: Office) -> None:
    """One round over the umbrellas of which a part has ended."""
    for umbrella_id in await umbrellas.due(office.database, office.clock.now(), _BATCH):
        try:
            await advance(office, umbrella_id)
        except (Refused, Conflict) as error:
            log.info("umbrella %s waits for the next round: %s", umbrella_id, error)


async def advance(office: Office, umbrella_id: str) -> None:
    """Begin and stop parts as far as the answers allow, each beginning in its own transaction with a number of its own."""
    while await _next(office, office.database, umbrella_id) is not None:
        async with numbered(office) as number, office.database.transaction() as tx:
            await umbrellas.take(tx, umbrella_id)
            if (code := await _next(office, tx, umbrella_id)) is not None:
                await _begin(office, tx, umbrella_id, code, str(number))
    async with office.database.transaction() as tx:
        await _settle(office, tx, umbrella_id)


async def _next(office: Office, db: Queries, umbrella_id: str) -> str | None:
    """The next part that can begin, or go on with a number that has come."""
    _, plan, found = await _read(db, umbrella_id)
    for code in next_moves(plan.parts, fates_of(plan, found)).begin:
        return code
    by_id = {case["id"]: case for case in found}
    return next((part.code for part in plan.parts if bundleparts.may_resume(office, by_id[part.case_id], part, found)), None)


async def _begin(office: Office, tx: Transaction, umbrella_id: str, code: str, number: str) -> None:
    umbrella, plan, found = await _read(tx, umbrella_id)
    part = next(part for part in plan.parts if part.code == code)
    async with opened(office, part.case_id, tx=tx) as file:
        if file.card.waiting:
            bundleparts.begin(file, part, found, number, umbrella["number"])
        else:
            bundleparts.resume(file, part, found, number)
    await cases.set_materials(tx, part.case_id, rows(part.case_id, file.card.materials), fresh=False)


async def _settle(office: Office, tx: Transaction, umbrella_id: str) -> None:
    """Stop what can never begin, and note what is finished; then nothing is left to look at, unless something may begin."""
    await umbrellas.take(tx, umbrella_id)
    umbrella, plan, found = await _read(tx, umbrella_id)
    case_ids = {part.code: part.case_id for part in plan.parts}
    for code, in_vain in next_moves(plan.parts, fates_of(plan, found)).stop.items():
        async with opened(office, case_ids[code], tx=tx) as file:
            bundleparts.stop(file, in_vain, umbrella["number"])
    fates = fates_of(plan, await cases.of_umbrella(tx, umbrella_id))
    finished = umbrella["finished_at"] or (office.clock.now() if is_finished(fates) else None)
    look_at = office.clock.now() if next_moves(plan.parts, fates).begin else None
    await umbrellas.save(tx, {**umbrella, "finished_at": finished, "look_at": look_at})


async def _read(db: Queries, umbrella_id: str) -> tuple[Row, Plan, list[Row]]:
    umbrella = await umbrellas.by_id(db, umbrella_id)
    if umbrella is None:
        raise Refused("not_found")
    return umbrella, read_plan(umbrella), await cases.of_umbrella(db, umbrella_id)
