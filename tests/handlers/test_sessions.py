"""Refresh tokens: each is used once, and one out of use ends its log-in however old it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from handlers import sessions
from handlers.errors import Refused
from handlers.office import Office
from handlers.sessions import GRACE, Opened
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database
from storage.redis import RedisStore
from tests.support.office import open_office
from tests.support.town import settle_in


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


@pytest.fixture
async def opened(office: Office) -> Opened:
    return await sessions.open_session(office, await settle_in(office.database, "zhang"), "resident", "phone")


def later(office: Office, time: dt.timedelta) -> None:
    clock = office.clock
    assert isinstance(clock, SettableClock)
    clock.advance(seconds=time.total_seconds())


async def refused(office: Office, token: str) -> bool:
    try:
        await sessions.renew(office, token)
    except Refused as error:
        return error.code == "not_logged_in"
    return False


async def alarms(office: Office) -> int:
    return len(await office.database.rows("SELECT id FROM audit WHERE action = 'session.reuse_detected'"))


async def test_requests_that_race_get_the_same_successor(office: Office, opened: Opened):
    first = await sessions.renew(office, opened.refresh_token)
    later(office, GRACE)

    assert (await sessions.renew(office, opened.refresh_token)).refresh_token == first.refresh_token
    assert await alarms(office) == 0


@pytest.mark.parametrize("rotations", [1, 2, 5])
async def test_a_stolen_token_ends_the_log_in_however_often_it_was_renewed_since(office: Office, opened: Opened, rotations: int):
    token = opened.refresh_token
    for _ in range(rotations):
        token = (await sessions.renew(office, token)).refresh_token
        later(office, GRACE + dt.timedelta(seconds=1))

    stolen, victim = await refused(office, opened.refresh_token), await refused(office, token)

    assert (stolen, victim) == (True, True)
    assert await sessions.standing(office, opened.session_id) is None
    assert await alarms(office) == 1


async def test_a_thief_who_was_first_is_logged_out_with_his_victim(office: Office, opened: Opened):
    thiefs = (await sessions.renew(office, opened.refresh_token)).refresh_token
    thiefs = (await sessions.renew(office, thiefs)).refresh_token

    assert await refused(office, opened.refresh_token)
    assert await refused(office, thiefs)


BROKEN: dict[str, Callable[[str], str]] = {
    "nothing": lambda _: "",
    "no secret": lambda token: token.partition(".")[0],
    "no session": lambda token: token.partition(".")[2],
    "bytes that are no text": lambda token: token[:-1] + "\udcff",
    "a zero": lambda token: "\x00" + token[1:],
    "a line end": lambda token: token + "\n",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_what_is_no_token_is_refused_and_ends_nothing(office: Office, opened: Opened, broken: Callable[[str], str]):
    token = broken(opened.refresh_token)

    assert await refused(office, token)
    assert await sessions.recognise(office, token) is None
    assert await sessions.standing(office, opened.session_id) is not None


async def test_a_pages_token_is_recognised_but_never_exchanged(office: Office, opened: Opened):
    page = await sessions.open_session(office, opened.account_id, "resident", "browser", page=True)

    assert await refused(office, page.refresh_token)
    assert await refused(office, "".join(page.refresh_token.partition("p.")[2:]))  # without its mark it is no token of this log-in
    assert await sessions.recognise(office, opened.refresh_token) is None


async def test_a_pages_token_says_whose_it_is(office: Office, opened: Opened):
    page = await sessions.open_session(office, opened.account_id, "resident", "browser", page=True)

    standing = await sessions.recognise(office, page.refresh_token)

    assert standing is not None
    assert standing.account_id == opened.account_id
    assert await sessions.recognise(office, page.refresh_token[:-2] + "xx") is None
