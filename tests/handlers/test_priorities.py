"""Who goes first: 老年人权益保障法 art. 58, 残疾人保障法 art. 50, and the other groups of the hall."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from handlers import paperdesk, priorities
from handlers.access import Officer
from handlers.errors import Refused
from handlers.office import Office
from handlers.priorities import Marking
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.support.lives import approver, history, officer, row_of
from tests.support.office import CLERK, open_office, submitted_case
from tests.support.town import settle_in

TODAY = dt.date(2026, 2, 13)


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


@pytest.mark.parametrize(
    ("number", "elder"),
    [
        ("110105196102130021", True),  # 65 today
        ("110105196102140021", False),  # 65 tomorrow
        ("11010519491231002X", True),
        ("110105200001010021", False),
        ("1101051949", False),
        ("", False),
    ],
)
def test_an_identity_number_says_who_is_65_or_older(number: str, elder: bool):  # noqa: FBT001 - a column of the table
    assert priorities.is_elder({"id_number": number}, TODAY) is elder


async def test_an_elders_case_goes_first_by_itself(office: Office):
    case = await submitted_case(office, await settle_in(office.database, "o1"), "GA-05")

    assert case.priority is not None
    assert (case.priority.group, case.priority.evidence) == ("elder", "身份证号码")
    assert (await row_of(office, case))["priority"] == priorities.FIRST


@pytest.mark.parametrize("who", [CLERK, officer("GA")])
async def test_a_clerk_or_officer_puts_a_case_first_and_says_what_shows_it(office: Office, who: Officer):
    case = await submitted_case(office, await settle_in(office.database, "o1"), "GA-05")
    with pytest.raises(Refused, match="evidence_missing"):
        await paperdesk.mark(office, who, case.id, case.version, Marking("disabled"))

    first = await paperdesk.mark(office, who, case.id, case.version, Marking("disabled", "出示残疾人证"))
    back = await paperdesk.mark(office, who, case.id, first.version, Marking(""))

    assert first.priority is not None
    assert (first.priority.name, first.priority.evidence) == ("残疾人", "出示残疾人证")
    assert (back.priority, (await row_of(office, case))["priority"]) == (None, priorities.ORDINARY)
    assert [one.data["evidence"] for one in await history(office, case) if one.type == "prioritised"] == ["出示残疾人证", ""]


async def test_an_approver_puts_nobody_first(office: Office):
    case = await submitted_case(office, await settle_in(office.database, "o1"), "GA-05")

    with pytest.raises(Refused, match="forbidden"):
        await paperdesk.mark(office, approver("GA"), case.id, case.version, Marking("disabled", "出示残疾人证"))
