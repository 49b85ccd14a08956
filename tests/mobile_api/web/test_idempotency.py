"""The same act sent again is done once, and answered the same."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from storage.database import Database
from tests.support.web import Door, as_

URL = "/api/v1/things"


async def create(client: aiohttp.ClientSession, key: str, name: str = "thing", who: str = "resident") -> aiohttp.ClientResponse:
    return await client.post(URL, json={"name": name}, headers=as_(who, **{"Idempotency-Key": key}))


async def made(database: Database, name: str = "thing") -> int:
    row = await database.one("SELECT value FROM counter WHERE name = $1", name)
    return row["value"] if row else 0


async def code(answer: aiohttp.ClientResponse) -> str:
    text: str = (await answer.json(content_type=None))["code"]
    return text


async def test_the_same_request_again_gets_the_same_answer_to_the_byte(keeping: aiohttp.ClientSession, database: Database):
    first, again = await create(keeping, "k"), await create(keeping, "k")
    assert (first.status, await first.read()) == (again.status, await again.read()) == (201, await first.read())
    for name in ("Location", "ETag", "Content-Type"):
        assert first.headers[name] == again.headers[name]
    assert ("Idempotency-Replayed" in first.headers, again.headers.get("Idempotency-Replayed")) == (False, "true")
    assert await made(database) == 1


async def test_another_key_is_another_act(keeping: aiohttp.ClientSession, database: Database):
    assert [(await create(keeping, key)).status for key in ("k", "l")] == [201, 201]
    assert await made(database) == 2


async def test_a_key_belongs_to_one_account(keeping: aiohttp.ClientSession, database: Database):
    assert [(await create(keeping, "k", who=who)).status for who in ("resident", "other")] == [201, 201]
    assert await made(database) == 2


async def test_a_key_sent_with_another_body_is_refused(keeping: aiohttp.ClientSession, database: Database):
    await create(keeping, "k")
    answer = await create(keeping, "k", "something else")
    assert (answer.status, await code(answer)) == (422, "idempotency_key_reused")
    assert await made(database, "something else") == 0


@pytest.mark.parametrize("key", [None, "", " ", "schlüssel", "x" * 129])
async def test_a_key_that_is_required_must_be_a_proper_one(client: aiohttp.ClientSession, key: str | None):
    headers = as_("resident") if key is None else as_("resident", **{"Idempotency-Key": key})
    answer = await client.post(URL, json={"name": "thing"}, headers=headers)
    assert (answer.status, await code(answer)) == (400, "idempotency_key_missing")


async def test_a_refusal_is_not_kept(keeping: aiohttp.ClientSession, database: Database):
    answer = await keeping.post(URL, json={"name": 1}, headers=as_("resident", **{"Idempotency-Key": "k"}))
    assert answer.status == 422
    assert (await create(keeping, "k")).status == 201


async def test_twenty_at_once_make_one(keeping: aiohttp.ClientSession, database: Database):
    answers = await asyncio.gather(*[create(keeping, "k") for _ in range(20)])
    assert {answer.status for answer in answers} <= {201, 409}
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers if answer.status == 201) == 1
    assert await made(database) == 1


async def test_while_the_first_is_at_work_the_second_is_told_to_wait(client: aiohttp.ClientSession, door: Door):
    headers = as_("resident", **{"Idempotency-Key": "k"})
    first = asyncio.create_task(client.post("/api/v1/wait", headers=headers))
    await door.entered.wait()
    second = await client.post("/api/v1/wait", headers=headers)
    assert (second.status, await code(second), second.headers["Retry-After"]) == (409, "idempotency_in_flight", "1")
    other = await client.post("/api/v1/wait", headers=headers, data=b"something else")
    assert (other.status, await code(other)) == (422, "idempotency_key_reused")
    door.open.set()
    assert (await first).status == 200
    again = await client.post("/api/v1/wait", headers=headers)
    assert (again.status, again.headers["Idempotency-Replayed"]) == (200, "true")


async def test_without_a_key_an_act_that_only_accepts_one_is_simply_done(client: aiohttp.ClientSession, door: Door):
    door.open.set()
    for _ in range(2):
        assert "Idempotency-Replayed" not in (await client.post("/api/v1/wait", headers=as_("resident"))).headers


async def test_what_another_process_finished_meanwhile_is_undone_here_and_answered_from_there(
    keeping: aiohttp.ClientSession, second: aiohttp.ClientSession, database: Database, door: Door
):
    late = asyncio.create_task(create(keeping, "k", "late"))
    await door.entered.wait()
    elsewhere = await create(second, "k", "late")
    door.open.set()
    here = await late
    assert (elsewhere.status, here.status, here.headers["Idempotency-Replayed"]) == (201, 201, "true")
    assert await here.read() == await elsewhere.read()
    assert await made(database, "late") == 1
