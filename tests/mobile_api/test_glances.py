"""A case looked at again is not read again, and no look outlives the case it shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from handlers import cases
from handlers.caseviews import CaseView
from handlers.errors import Refused
from handlers.office import Office
from mobile_api.glances import AGE, Glances
from mobile_api.web.operation import Answer
from storage.bell import Bell
from storage.database import Database, Transaction
from storage.redis import RedisStore, carry_bell, connect
from tests.support.office import open_office, raise_receipt_version, submitted_case
from tests.support.town import settle_in

OpenDatabase = Callable[..., Awaitable[Database]]


class Phone:
    """A resident's phone at one process of the office: what it sees, and how often that process had to read."""

    def __init__(self, office: Office, resident: str) -> None:
        self.office = office
        self.resident = resident
        self.time = 1000.0
        self.reads = 0
        self.glances = Glances(office.bell, lambda: self.time)

    async def look(self, case_id: str, resident: str = "") -> Answer[CaseView]:
        who = resident or self.resident

        async def read() -> CaseView:
            self.reads += 1
            return await cases.show(self.office, who, case_id)

        return await self.glances.look(who, case_id, read)


@pytest.fixture
async def phone(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Phone:
    office = await open_office(database, bell, store, tmp_path)
    return Phone(office, await settle_in(database, "openid-glances"))


@asynccontextmanager
async def carried(store: RedisStore, *bells: Bell) -> AsyncIterator[None]:
    """The bells of several processes, carried through Redis."""
    tasks = [asyncio.create_task(carry_bell(store, bell)) for bell in bells]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_second_look_is_the_same_without_a_read(phone: Phone) -> None:
    view = await submitted_case(phone.office, phone.resident)
    first, second = await phone.look(view.id), await phone.look(view.id)
    assert phone.reads == 1
    assert msgspec.json.encode(first.body) == msgspec.json.encode(second.body) == msgspec.json.encode(view)
    assert first.etag == second.etag == view.version


async def test_a_change_is_seen_at_once_in_the_process_that_made_it(phone: Phone) -> None:
    view = await submitted_case(phone.office, phone.resident)
    await phone.look(view.id)
    await raise_receipt_version(phone.office, view.id)
    assert (await phone.look(view.id)).etag == view.version + 1


async def test_a_change_undone_is_not_seen(phone: Phone) -> None:
    view = await submitted_case(phone.office, phone.resident)
    await phone.look(view.id)
    with pytest.raises(Refused, match="not_finished"):
        await cases.evaluate(phone.office, phone.resident, view.id, cases.Evaluation(5), _nobody_waits)
    assert (await phone.look(view.id)).etag == view.version
    assert phone.reads == 1


async def test_a_change_while_the_case_is_read_is_seen_by_the_next_look(phone: Phone) -> None:
    view = await submitted_case(phone.office, phone.resident)

    async def read_and_be_overtaken() -> CaseView:
        read = await cases.show(phone.office, phone.resident, view.id)
        await raise_receipt_version(phone.office, view.id)
        return read

    overtaken = await phone.glances.look(phone.resident, view.id, read_and_be_overtaken)
    assert overtaken.etag == view.version
    assert (await phone.look(view.id)).etag == view.version + 1


async def test_a_change_elsewhere_is_seen_within_the_age_although_no_bell_was_heard(
    phone: Phone, database_url: str, open_database: OpenDatabase
) -> None:
    view = await submitted_case(phone.office, phone.resident)
    await phone.look(view.id)
    await raise_receipt_version(await _elsewhere(phone, database_url, open_database, Bell()), view.id)
    phone.time += AGE - 0.01
    assert (await phone.look(view.id)).etag == view.version
    phone.time += 0.02
    assert (await phone.look(view.id)).etag == view.version + 1


async def test_a_change_elsewhere_is_seen_as_soon_as_the_bell_comes_through_redis(
    phone: Phone, database_url: str, open_database: OpenDatabase, valkey_url: str, store: RedisStore
) -> None:
    view, bell, other_store = await submitted_case(phone.office, phone.resident), Bell(), await connect(valkey_url)
    elsewhere = await _elsewhere(phone, database_url, open_database, bell)
    async with carried(store, phone.office.bell), carried(other_store, bell), asyncio.timeout(10):
        with phone.office.bell.listen("are you there") as ticket:
            while not await ticket.wait(0.05):
                bell.ring("are you there")
        assert (await phone.look(view.id)).etag == view.version
        await raise_receipt_version(elsewhere, view.id)
        while (await phone.look(view.id)).etag == view.version:
            await asyncio.sleep(0.01)
    await other_store.close()


async def test_somebody_elses_case_stays_unseen_although_it_is_remembered(phone: Phone) -> None:
    view = await submitted_case(phone.office, phone.resident)
    await phone.look(view.id)
    stranger = await settle_in(phone.office.database, "openid-stranger")
    with pytest.raises(Refused, match="not_found"):
        await phone.look(view.id, stranger)
    assert (await phone.look(view.id)).etag == view.version
    assert phone.reads == 2


async def test_what_is_too_old_is_forgotten(phone: Phone) -> None:
    views = [await submitted_case(phone.office, phone.resident) for _ in range(3)]
    for view in views:
        await phone.look(view.id)
        phone.time += AGE * 0.75
    assert list(phone.glances._glances) == [f"case:{view.id}" for view in views[1:]]


async def test_nothing_is_remembered_once_rings_may_have_been_lost(phone: Phone) -> None:
    view = await submitted_case(phone.office, phone.resident)
    await phone.look(view.id)
    phone.office.bell.sound_all()
    await phone.look(view.id)
    assert phone.reads == 2


async def test_a_read_that_fails_leaves_nothing_behind(phone: Phone) -> None:
    with pytest.raises(Refused, match="not_found"):
        await phone.look("no-such-case")
    assert not phone.glances._glances
    assert not phone.glances._reading


async def _elsewhere(phone: Phone, database_url: str, open_database: OpenDatabase, bell: Bell) -> Office:
    """The same office in another process: a database connection and a bell of its own."""
    return replace(phone.office, database=await open_database(database_url, bell), bell=bell)


async def _nobody_waits(_tx: Transaction, _view: CaseView) -> None:
    """The answer is not kept."""
