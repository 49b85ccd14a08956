"""The example that a department's programmer copies, at a real town: it does its work and loses nothing, whatever happens."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import json
import os
import sys
from asyncio.subprocess import PIPE
from functools import partial
from typing import Any

import pytest
from redis import asyncio as aioredis
from redis import exceptions

from backoffice import link_acts
from backoffice.partner_keys import add_hmac_key
from mobile_api.journey.client import Client
from tests.examples.conftest import CODE, Outsider, refused_commands
from tests.support.processes import until
from tests.support.tree import ROOT
from tests.support.wholetown import Town, application_for

pytestmark = pytest.mark.timeout(120)

LANES = (f"{{{CODE}.0}}", f"{{{CODE}.1}}")
WHOLE = ["accepted", "progressed", "decided", "completed"]
"""What the lead department's three answers bring about in a case of one department."""


async def apply(resident: Client, key: str, item: str = "SJ-03") -> str:
    case = await resident.call("POST", "/cases", json=await application_for(resident, item), key=key, expect=(201,))
    return str(case["id"])


async def effects(town: Town, case_id: str) -> list[str]:
    """The events that CODE's answers brought about in a case, in order."""
    rows = await town.stores.office.database.rows(
        "SELECT type FROM case_event WHERE case_id = $1 AND actor_kind = 'department' AND actor_id = $2 ORDER BY seq", case_id, CODE
    )
    return [row["type"] for row in rows]


async def set_aside(town: Town) -> list[Any]:
    return await town.stores.office.database.rows("SELECT reason FROM set_aside")


async def settled(town: Town, outsider: Outsider) -> None:
    """Wait until nothing is on its way in either direction."""

    async def quiet() -> bool:
        row = await town.stores.office.database.one("SELECT count(*) AS n FROM outbox WHERE department = $1 AND confirmed_at IS NULL", CODE)
        assert row is not None
        return row["n"] == 0 and outsider.unconfirmed() == 0

    await town.until(quiet, "an end of all messages")


@pytest.mark.parametrize("name", ["department_redis.py", "department_pull.mjs"])
def test_an_example_is_short_and_knows_nothing_of_ours(name: str):
    text = (ROOT / "examples" / name).read_text(encoding="utf-8")
    rooms = ("backoffice", "config", "handlers", "mobile_api", "notifications", "sandbox", "storage")
    assert len(text.splitlines()) < 120
    assert [room for room in rooms if f"import {room}" in text or f"from {room}" in text] == []


async def test_it_accepts_and_decides_with_no_more_rights_than_its_own(town: Town, outsider: Outsider, redis: aioredis.Redis):
    await redis.execute_command("ACL LOG", "RESET")
    await outsider.start()
    resident = await town.resident("zhang")
    case_id = await apply(resident, "first")

    await town.follow(resident, case_id, until="case.completed")
    await settled(town, outsider)

    assert await effects(town, case_id) == WHOLE
    assert await set_aside(town) == []
    assert await refused_commands(redis, f"department-{CODE}") == []


async def test_it_gives_its_opinion_in_another_departments_case(town: Town, outsider: Outsider):
    await outsider.start()
    resident = await town.resident("zhang")
    case_id = await apply(resident, "first", "MZ-01")

    await town.follow(resident, case_id, until="case.completed")

    assert await effects(town, case_id) == ["progressed", "task_answered"]


async def test_nothing_is_lost_or_doubled_by_kills_and_copies_and_an_empty_redis(town: Town, outsider: Outsider, redis: aioredis.Redis):
    resident = await town.resident("zhang")
    cases = []
    for number in range(6):
        await outsider.start()
        with await outsider.held():
            cases.append(await apply(resident, f"case-{number}"))
            await until(partial(has_read, redis), "a command that was read and not taken in")
            await outsider.kill()
        if number in {0, 1, 3}:
            await copy_everything(redis)
        if number in {1, 4}:
            await redis.flushall()
    await outsider.start()
    for case_id in cases:
        await town.follow(resident, case_id, until="case.completed")
    await settled(town, outsider)

    assert [await effects(town, case_id) for case_id in cases] == [WHOLE] * len(cases)
    assert set(outsider.numbers().values()) == {(2, 3)}
    assert await set_aside(town) == []


async def test_restored_from_a_backup_it_gets_what_it_forgot_and_counts_on_from_what_the_town_knows(town: Town, outsider: Outsider):
    resident = await town.resident("zhang")
    await outsider.start()
    first = await apply(resident, "before")
    await town.follow(resident, first, until="case.completed")
    await settled(town, outsider)
    await outsider.stop()
    outsider.forget()  # a backup from before its first case
    since = town.stores.office.clock.now() - dt.timedelta(hours=1)
    assert await link_acts.replay_since(town.stores.office, CODE, since) == 2
    await outsider.start()
    second = await apply(resident, "after")
    await town.follow(resident, second, until="case.completed")
    await settled(town, outsider)

    assert [await effects(town, case_id) for case_id in (first, second)] == [WHOLE, WHOLE]
    assert set(outsider.numbers().values()) == {(2, 3)}
    assert {row["reason"].split("：")[0] for row in await set_aside(town)} == {"sequence"}  # what it says again under used numbers


async def has_read(redis: aioredis.Redis) -> bool:
    """Whether the program has commands in its hands that it has not acknowledged."""
    try:
        pending: list[Any] = [await redis.xpending(f"q:{lane}", "g") for lane in LANES]
    except exceptions.ResponseError:  # it has not come so far as to make its groups
        return False
    return any(one["pending"] for one in pending)


async def copy_everything(redis: aioredis.Redis) -> None:
    """Every command that waits is there once more, as after a resending that was not needed."""
    for lane in LANES:
        for _, fields in await redis.xrange(f"q:{lane}"):
            await redis.xadd(f"q:{lane}", fields)


async def test_a_paper_is_fetched_with_the_signed_request_of_the_page(town: Town, outsider: Outsider):
    await outsider.start()
    resident = await town.resident("zhang")
    await apply(resident, "first")
    await until(partial(outsider.has_begun, 1), "work")
    await until(lambda: bool(outsider.files()), "a message with files")
    paper = outsider.files()[0]
    key_id, secret = await add_hmac_key(town.stores.office, CODE)
    environment = {"TOWN_URL": town.base_url, "EXCHANGE_KEY": key_id, "EXCHANGE_SECRET": secret}

    async def asked(grant: str, **more: str) -> tuple[int | None, bytes]:
        words = ["examples/signed.py", "GET", f"/exchange/v1/files/{grant}"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, stdout=PIPE, cwd=ROOT, env={**os.environ, **environment, **more}
        )
        out, _ = await process.communicate()
        return process.returncode, out

    code, received = await asked(paper["grant"])
    nobody, _ = await asked(paper["grant"], EXCHANGE_SECRET="00" * 32)
    other, problem = await asked("no-such-grant")

    assert (code, hashlib.sha256(received).hexdigest(), len(received)) == (0, paper["sha256"], paper["size"])
    assert nobody == 1
    assert (other, json.loads(problem)["code"]) == (1, "grant_not_valid")
