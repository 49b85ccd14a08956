"""A whole town for the tutorial: server, WeChat stand-in and departments, all real, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.wechat import Platform, platform
from tests.support.wholetown import Town, open_town

__all__ = ["platform"]


@pytest.fixture
async def town(database_url: str, valkey_url: str, platform: Platform, tmp_path: Path) -> AsyncIterator[Town]:
    """The town with every department at work; `town.departments` can be told to misbehave."""
    async with open_town(database_url, valkey_url, platform, tmp_path) as opened:
        yield opened
