"""The log-in of staff: who guesses is slowed, who knows gets in, and no answer tells which names exist."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path

import pytest

from handlers import staff
from handlers.errors import Refused
from handlers.office import Office
from handlers.staff import SLOW_AFTER, SLOW_EVERY, one_time_code
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database
from storage.redis import RedisStore
from tests.support.office import open_office

PASSWORD = "a-password-for-tests"


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def attempt(office: Office, password: str, totp: str = "", name: str = "wang") -> str:
    """ "in", or the code of the refusal."""
    try:
        await staff.log_in(office, name, password, totp, "test")
    except Refused as refused:
        return refused.code
    return "in"


async def code_now(office: Office, *, totp: bool = True) -> str:
    """A member of staff with one-time codes; the code of this moment."""
    secret = await staff.add(office, username="wang", name="王芳", role="clerk", password=PASSWORD, totp=totp)
    return one_time_code(base64.b32decode(secret), int(office.clock.now().timestamp()) // 30) if secret else ""


def later(office: Office, time: dt.timedelta) -> None:
    clock = office.clock
    assert isinstance(clock, SettableClock)
    clock.advance(seconds=time.total_seconds())


async def test_wrong_passwords_never_tell_that_the_name_exists(office: Office):
    await code_now(office, totp=False)

    known = [await attempt(office, "wrong") for _ in range(SLOW_AFTER + 3)]
    unknown = [await attempt(office, "wrong", name="nobody") for _ in range(SLOW_AFTER + 3)]

    assert set(known) == set(unknown) == {"login_failed"}


@pytest.mark.parametrize("failures", [SLOW_AFTER - 1, SLOW_AFTER, 3 * SLOW_AFTER])
async def test_the_right_password_and_code_get_in_after_many_wrong_ones_and_clear_the_count(office: Office, failures: int):
    code = await code_now(office)
    for _ in range(failures):
        await attempt(office, "wrong")
    later(office, SLOW_EVERY)

    came = await attempt(office, PASSWORD, code)
    row = await office.database.one("SELECT failed_logins, locked_until_at FROM staff WHERE username = 'wang'")

    assert came == "in"
    assert (row["failed_logins"], row["locked_until_at"]) == (0, None)


async def test_after_five_failures_one_attempt_in_five_seconds_is_looked_at(office: Office):
    await code_now(office, totp=False)
    for _ in range(SLOW_AFTER + 1):
        await attempt(office, "wrong")

    at_once = await attempt(office, PASSWORD)
    later(office, SLOW_EVERY)
    in_time = await attempt(office, PASSWORD)

    assert (at_once, in_time) == ("login_failed", "in")


async def test_every_failure_is_in_the_record_with_whether_it_was_looked_at(office: Office):
    await code_now(office, totp=False)
    for _ in range(SLOW_AFTER + 2):
        await attempt(office, "wrong")

    rows = await office.database.rows("SELECT data FROM audit WHERE action = 'staff.login'")

    assert sorted("true" in row["data"] for row in rows) == [False] + [True] * (SLOW_AFTER + 1)


async def test_a_code_may_be_typed_with_full_width_digits(office: Office):
    code = await code_now(office)

    assert await attempt(office, PASSWORD, "".join(chr(ord(digit) + 0xFEE0) for digit in code)) == "in"


@pytest.mark.parametrize("code", ["", "١٢٣٤٥٦", "验证码", "\udcff", "1" * 5000])
async def test_what_is_no_code_is_a_failed_log_in(office: Office, code: str):
    await code_now(office)

    assert await attempt(office, PASSWORD, code) == "login_failed"


async def test_a_code_is_used_once(office: Office):
    code = await code_now(office)

    assert [await attempt(office, PASSWORD, code), await attempt(office, PASSWORD, code)] == ["in", "login_failed"]
