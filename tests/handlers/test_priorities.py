"""Who goes first: 老年人权益保障法 art. 58, 残疾人保障法 art. 50, and the other groups of the hall."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import cases, paperdesk, priorities
from handlers.caseviews import CaseView
from handlers.errors import Refused
from handlers.office import Office
from handlers.priorities import Marking
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.handlers.test_debts import application
from tests.support.lives import approver, history, no_answer, officer, row_of
from tests.support.office import CLERK, open_office
from tests.support.town import settle_in


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)
