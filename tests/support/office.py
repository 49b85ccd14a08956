"""A whole office on given stores, with the tables of the sample town, and people and cases in it; for tests below HTTP."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path

import msgspec

from backoffice import registry
from config.settings import HERE
from handlers import cases, sessions
from handlers.access import Officer
from handlers.casefile import opened
from handlers.cases import Application
from handlers.caseviews import CaseView
from handlers.handovers import Wish
from handlers.items import publish
from handlers.keys import Keys
from handlers.materials import HandedIn
from handlers.media import Laundry
from handlers.office import Office
from handlers.workdays import WorkCalendar
from mobile_api.journey.sample import fill_form
from mobile_api.tables import Inspection, load_tables
from storage.bell import Bell
from storage.blocks import Blocks
from storage.clock import SettableClock
from storage.database import Database, Transaction
from storage.files import open_files
from storage.fleeting import Fleeting
from storage.ids import uuid7
from storage.redis import RedisStore
from tests.support.town import settle_in

MORNING = dt.datetime(2026, 2, 13, 1, 30, tzinfo=dt.UTC)
DIVISION = "130208108"
CLERK = Officer("clerk-1", "clerk", "", "便民大厅", DIVISION)


async def open_office(database: Database, bell: Bell, store: RedisStore, folder: Path) -> Office:
    """An office at half past nine on 2026-02-13; its clock is a SettableClock."""
    clock = SettableClock(MORNING)
    return Office(
        database=database,
        bell=bell,
        clock=clock,
        catalogue=await publish(database, clock, sample_tables().catalogue),
        calendar=WorkCalendar(sample_tables().years),
        keys=Keys.create(folder / "keys"),
        files=open_files(f"file://{folder}/files"),
        laundry=Laundry(),
        fleeting=Fleeting(store.commands),
        numbers=Blocks(database),
        division=DIVISION,
        town="示例镇",
        hotline="0315-0000000",
        public_base="https://xn.gov.cn",
        supervision=sample_tables().rulebook,
        commitments=sample_tables().commitments,
        message_check=registry.vouch,
    )


@cache
def sample_tables() -> Inspection:
    """Read once: the tables do not change, and publishing makes a copy."""
    return load_tables(HERE)


async def resident_with_session(office: Office, openid: str) -> tuple[str, str]:
    """A resident logged in on one phone: (resident id, session id)."""
    resident = await settle_in(office.database, openid)
    return resident, (await sessions.open_session(office, resident, "resident", "phone")).session_id


async def submitted_case(office: Office, resident: str, item_code: str = "GA-05", delivery: Wish | None = None) -> CaseView:
    """A case handed in with a form in which every field is filled and one file for each material."""
    item = office.catalogue.items[item_code]
    needed = [rule for rule in item.materials if rule.source == "upload" and rule.required]
    materials = tuple([HandedIn(rule.code, (await ready_upload(office, resident),)) for rule in needed])
    form = fill_form(msgspec.to_builtins(item.form.fields), office.clock.now().date())
    return await cases.apply(office, resident, Application(item=item_code, form=form, materials=materials, delivery=delivery), _settled)


async def ready_upload(office: Office, owner: str) -> str:
    """The row of a checked upload; its bytes are of no interest here."""
    upload = uuid7()
    await office.database.execute(
        "INSERT INTO upload (id, owner_id, state, name, media_type, size, pages, digest, created_at) "
        "VALUES ($1, $2, 'ready', '身份证.jpg', 'image/jpeg', 1000, 1, $3, $4)",
        upload,
        owner,
        "0" * 64,
        office.clock.now(),
    )
    return upload


async def raise_receipt_version(office: Office, case_id: str) -> None:
    """Void the paper handed out so far."""
    async with opened(office, case_id) as file:
        file.row["receipt_version"] += 1


async def _settled(_tx: Transaction, _view: CaseView) -> None:
    """Nobody waits for an answer to be kept."""
