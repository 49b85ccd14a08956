"""Whatever people and clocks do with papers that may follow, in any order: what is owed is never forgotten, and never asked for twice."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from handlers import desk, paperdesk, papers
from handlers.caseviews import CaseView
from handlers.errors import Refused
from handlers.office import Office
from handlers.papers import Waiver
from storage import debts as stored
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.support.lives import approver, clock_of, now, row_of
from tests.support.office import open_office
from tests.support.papers import HURRY, RELIEF, TOLERATED, accepted, supply
from tests.support.town import settle_in

STEPS = 25


@pytest.fixture
async def office(sqlite_database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(sqlite_database, bell, store, tmp_path)


@pytest.fixture
async def sqlite_database(sqlite_url: str, open_database: Callable[..., Awaitable[Database]]) -> Database:
    """The rule is the same on both; what is SQL is tested in test_debts."""
    return await open_database(sqlite_url)


async def act(office: Office, resident: str, case: CaseView, chance: random.Random) -> str:
    """Somebody does something, or some days pass; what it was."""
    who = approver("MZ")
    does: dict[str, Callable[[], Awaitable[object]]] = {
        "supply": lambda: supply(office, resident, case, "hardship_proof"),
        "waive": lambda: paperdesk.waive(office, who, case.id, case.version, Waiver("hardship_proof", "已核实")),
        "decide first": lambda: paperdesk.decide_first(office, who, case.id, case.version, "先行救助"),
        "grant": lambda: desk.decide(office, who, case.id, case.version, "granted", ""),
        "refuse": lambda: desk.decide(office, who, case.id, case.version, "refused", "不符合条件"),
        "revoke": lambda: paperdesk.revoke(office, who, case.id, case.version, "逾期未补"),
        "sweep": lambda: papers.sweep(office),
    }
    clock_of(office).time += dt.timedelta(days=chance.choice((0, 0, 1, 3, 9)))
    name = chance.choices(list(does), weights=(1, 1, 3, 2, 1, 2, 12))[0]
    with suppress(Refused):
        await does[name]()
    return name


@pytest.mark.parametrize("seed", range(12))
async def test_a_case_is_never_complete_while_a_paper_is_owed_and_the_table_says_what_the_card_says(office: Office, seed: int):
    chance, resident = random.Random(seed), await settle_in(office.database, "o1")
    more = {"urgent": HURRY} if seed % 2 else {"commitments": (TOLERATED,)}
    case = await accepted(office, resident, RELIEF, without="hardship_proof", **more)
    walked = []
    for _ in range(STEPS):
        walked.append(await act(office, resident, case, chance))
        case = await now(office, case)
        (debt,), row = case.debts, await row_of(office, case)
        (kept,) = await stored.of_case(office.database, case.id)
        assert row["is_owing"] == debt.open, walked
        assert not (case.state == "completed" and row["is_owing"]), walked
        assert (kept["settled_at"] is None, kept["due_on"]) == (debt.open, debt.due_on), walked
        assert case.revocation is None or case.decision == "granted", walked
    assert not (case.decision == "granted" and case.state != "completed" and not case.owing), walked
