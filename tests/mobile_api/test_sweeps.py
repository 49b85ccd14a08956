from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from handlers import cases
from handlers import proxies as people
from handlers.caseviews import CaseView
from handlers.office import Office
from mobile_api import sweeps
from storage import nonces
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database, Transaction
from storage.redis import RedisStore
from tests.support.office import open_office
from tests.support.proxies import asked
from tests.support.town import settle_in


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def test_a_draft_lapses_after_a_month_without_a_touch(office: Office):
    async def settle(_tx: Transaction, _view: CaseView) -> None:
        """Nobody waits."""

    clock = office.clock
    assert isinstance(clock, SettableClock)
    resident = await settle_in(office.database, "o1")
    old = await cases.apply(office, resident, cases.Application(item="SJ-03", submit=False), settle)
    clock.advance(days=20)
    young = await cases.apply(office, resident, cases.Application(item="SJ-03", submit=False), settle)
    clock.time += dt.timedelta(days=11)

    lapsed = await sweeps.sweep(office)

    assert lapsed == 1
    assert (await cases.show(office, resident, old.id)).state == "expired"
    assert (await cases.show(office, resident, young.id)).state == "draft"


async def test_nonces_are_forgotten_when_their_requests_would_be_refused_by_date(office: Office):
    clock = office.clock
    assert isinstance(clock, SettableClock)
    await nonces.use(office.database, "key-1", "n" * 16, clock.now())
    clock.advance(minutes=10)  # dated five minutes ahead, it is still fresh
    await sweeps.sweep(office)
    assert not await nonces.use(office.database, "key-1", "n" * 16, clock.now())
    clock.advance(minutes=11)
    await sweeps.sweep(office)
    assert await nonces.use(office.database, "key-1", "n" * 16, clock.now())


async def test_authorities_that_are_over_are_forgotten(office: Office):
    clock = office.clock
    assert isinstance(clock, SettableClock)
    agent = await settle_in(office.database, "o1")
    one = await asked(office, agent)
    await people.revoke(office, agent, one.id)
    clock.time += people.KEPT_SETTLED + dt.timedelta(days=1)
    await sweeps.sweep(office)
    assert await people.mine(office, agent) == []


async def test_the_turn_of_a_process_that_died_with_a_clock_a_day_ahead_is_taken_over_when_it_was_not_renewed(office: Office):
    watch = 0.0
    ahead = SettableClock(office.clock.now() + dt.timedelta(days=1))
    wrong, heir = sweeps.Turn(replace(office, clock=ahead)), sweeps.Turn(office, lambda: watch)
    for _ in range(5):  # as long as it lives it keeps its turn
        assert await wrong.is_ours()
        assert not await heir.is_ours()
        watch += sweeps.EVERY
        ahead.advance(seconds=sweeps.EVERY)
    assert not await heir.is_ours()
    watch += sweeps.EVERY
    assert await heir.is_ours()
