"""What is taken along: every submitted case once, oldest first, and nothing personal."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from handlers import exports
from handlers.exports import ExportedCase
from handlers.office import Office
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.support.office import MORNING, open_office, resident_with_session, submitted_case

EVER = (dt.datetime(1949, 10, 1, tzinfo=dt.UTC), dt.datetime(2199, 12, 31, tzinfo=dt.UTC))


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def taken(cases: AsyncIterator[ExportedCase]) -> list[ExportedCase]:
    return [case async for case in cases]


async def test_every_submitted_case_is_there_once_across_pages(office: Office, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exports, "_PAGE", 2)
    zhang, _ = await resident_with_session(office, "zhang")
    made = [await submitted_case(office, zhang) for _ in range(5)]

    found = await taken(exports.cases(office, *EVER))

    assert [case.number for case in found] == [case.number for case in made]
    assert (found[0].item, found[0].state, found[0].public_state) == ("GA-05", "submitted", "with_office")
    assert found[0].submitted_at == MORNING


async def test_a_span_begins_with_its_first_moment_and_ends_before_its_last(office: Office):
    zhang, _ = await resident_with_session(office, "zhang")
    await submitted_case(office, zhang)
    moment = dt.timedelta(microseconds=1)

    assert len(await taken(exports.cases(office, MORNING, MORNING + moment))) == 1
    assert await taken(exports.cases(office, EVER[0], MORNING)) == []
    assert await taken(exports.cases(office, MORNING + moment, EVER[1])) == []


async def test_nothing_of_the_form_and_nobodys_id_goes_along(office: Office):
    zhang, _ = await resident_with_session(office, "zhang")
    await submitted_case(office, zhang)

    [line] = [msgspec.json.encode(case).decode() for case in await taken(exports.cases(office, *EVER))]

    assert zhang not in line
    assert "张三" not in line
    assert "13800138000" not in line
