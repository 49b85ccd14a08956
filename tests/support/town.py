"""A small real town: an office with every part in place but nothing on offer, and residents."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from handlers.catalogue import Catalogue
from handlers.keys import Keys
from handlers.media import Laundry
from handlers.office import Office
from handlers.workdays import WorkCalendar
from storage.bell import Bell
from storage.blocks import Blocks
from storage.clock import SettableClock
from storage.database import Database
from storage.files import open_files
from storage.fleeting import Fleeting
from storage.ids import uuid7
from storage.redis import RedisStore


@pytest.fixture
def small_office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    """An office on real stores; its clock stands still at the present."""
    return Office(
        database=database,
        bell=bell,
        clock=SettableClock(dt.datetime.now(dt.UTC)),
        catalogue=Catalogue(items=[], departments=[]),
        calendar=WorkCalendar(),
        keys=Keys.create(tmp_path / "secrets"),
        files=open_files(f"file://{tmp_path}/files"),
        laundry=Laundry(),
        fleeting=Fleeting(store.commands),
        numbers=Blocks(database),
        division="130208108",
        town="示例镇",
        hotline="0315-0000000",
        public_base="http://127.0.0.1:8080",
    )


async def settle_in(database: Database, openid: str, preferences: str = "{}") -> str:
    """A new resident; answers the id."""
    resident = uuid7()
    await database.execute(
        "INSERT INTO resident (id, openid, preferences, created_at) VALUES ($1, $2, $3, $4)",
        resident,
        openid,
        preferences,
        dt.datetime.now(dt.UTC),
    )
    return resident
