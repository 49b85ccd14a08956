"""Access tokens: what is refused, and what those who wait are told when the log-in ends."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import jwt
import pytest

from handlers import sessions
from handlers.errors import Refused
from handlers.office import Office
from handlers.sessions import Opened
from mobile_api.identity import ISSUER, LIFETIME, Identity
from storage.bell import Bell
from storage.clock import SettableClock
from storage.redis import RedisStore
from tests.conftest import OpenDatabase
from tests.support.office import open_office
from tests.support.town import settle_in


@pytest.fixture
async def office(sqlite_url: str, open_database: OpenDatabase, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(await open_database(sqlite_url), bell, store, tmp_path)


@pytest.fixture
async def opened(office: Office) -> Opened:
    return await sessions.open_session(office, await settle_in(office.database, "zhang"), "resident", "phone")


def _later(office: Office, time: dt.timedelta) -> None:
    clock = office.clock
    assert isinstance(clock, SettableClock)
    clock.advance(seconds=time.total_seconds())


@pytest.mark.parametrize("token", ["\udcff", "\xff", "a.b.c", "", "．．", ".", "eyJhbGciOiJub25lIn0.e30.", "\udcff.\udcff.\udcff"])
async def test_what_is_no_token_is_nobody(office: Office, token: str):
    with pytest.raises(Refused, match="not_logged_in"):
        await Identity(office).authenticate(token)


async def test_a_token_signed_by_somebody_else_is_nobody(office: Office, opened: Opened):
    issued = jwt.decode(Identity(office).issue(opened).access_token, options={"verify_signature": False})
    forged = jwt.encode(issued, "0" * 32, algorithm="HS256", headers={"kid": office.keys.token_current})

    assert issued["iss"] == ISSUER
    with pytest.raises(Refused, match="not_logged_in"):
        await Identity(office).authenticate(forged)


async def test_a_token_is_good_until_it_is_too_old(office: Office, opened: Opened):
    identity = Identity(office)
    token = identity.issue(opened).access_token

    before = await identity.still(token)
    _later(office, LIFETIME)

    assert (before, await identity.still(token)) == (True, False)


async def test_who_asks_afresh_sees_a_log_out_of_this_very_moment(office: Office, opened: Opened):
    identity = Identity(office)
    token = identity.issue(opened).access_token
    caller = await identity.authenticate(token)

    await sessions.close(office, caller.account_id, caller.session_id)  # by another process: nobody tells this identity

    assert await identity.still(token, afresh=True) is False


async def test_the_log_out_rings_for_those_who_wait(office: Office, opened: Opened):
    with office.bell.listen(f"account:{opened.account_id}") as ticket:
        await sessions.close(office, opened.account_id, opened.session_id)

        assert await ticket.wait(0.0)
