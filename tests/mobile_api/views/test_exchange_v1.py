"""The departments' door over HTTPS: who is let in, what is answered, and what strangers try."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from backoffice import partner_keys
from backoffice.border import CONTENT_TYPE as JOSE
from backoffice.border import BorderKey, open_protected, protect
from backoffice.crossing import Border
from handlers import cases
from handlers.cases import Application
from handlers.caseviews import CaseView
from handlers.materials import HandedIn
from handlers.office import Office
from mobile_api.journey.sample import fill_form, photo
from mobile_api.web.operation import JSON
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database, Transaction
from storage.redis import RedisStore
from tests.support.exchange import answer
from tests.support.office import open_office, submitted_case
from tests.support.partners import ACKNOWLEDGEMENTS, FILES, MESSAGES, STATE, Partner, linked, partner, served
from tests.support.town import settle_in
from tests.support.uploads import hand_in


@dataclass
class Door:
    """A town that serves two departments: SJ by pull, GA by queue, each with a key."""

    office: Office
    url: str
    sj: Partner
    ga: Partner

    @property
    def clock(self) -> SettableClock:
        clock = self.office.clock
        assert isinstance(clock, SettableClock)
        return clock

    async def case(self, name: str = "o1") -> CaseView:
        """A submitted case of SJ."""
        return await submitted_case(self.office, await settle_in(self.office.database, name), "SJ-03")


@pytest.fixture
async def door(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> AsyncIterator[Door]:
    office = linked(await open_office(database, bell, store, tmp_path), SJ="pull")
    async with served(office) as url, aiohttp.ClientSession() as http:
        yield Door(office, url, await partner(office, url, "SJ", http), await partner(office, url, "GA", http))


async def no_answer(_tx: Transaction, _view: CaseView) -> None:
    """Nobody waits."""


def said(message: dict[str, Any], sequence: int, kind: str, **data: Any) -> bytes:
    """An answer to a message."""
    envelope = message["envelope"]
    task = {"case": envelope["data"]["case"], "task": envelope["data"]["task"]}
    return answer(envelope["partitionkey"], task["case"], sequence, department="SJ", type=f"cn.gov.town.{kind}.v1", data={**task, **data})


async def test_a_message_is_read_by_position_answered_and_confirmed(door: Door) -> None:
    case = await door.case()
    [message], position = await door.sj.read()
    receipt = await door.sj.post(said(message, 1, "task.accepted"))

    assert (message["position"], position) == (1, 1)
    assert message["envelope"]["data"]["step"] == "accept"
    assert receipt["results"] == [{"status": "taken", "id": f"SJ-{case.id[-8:]}-1"}]
    assert receipt["confirmations"] == [{"case_id": case.id, "sequence": 1}]
    assert await door.sj.acknowledge(1) == 1
    [decide], _ = await door.sj.read(after=1)
    assert decide["envelope"]["data"]["step"] == "decide"
    status, state = await door.sj.send("GET", "/exchange/v1/state")
    assert (status, state["department"], state["link"], state["position"], state["acknowledged"]) == (200, "SJ", "pull", 2, 1)
    assert state["heard_at"] is not None


async def test_the_bytes_of_a_message_are_the_same_at_every_reading(door: Door) -> None:
    await door.case()
    first = await door.sj.fetch("GET", f"{MESSAGES}?after=0")
    again = await door.sj.fetch("GET", f"{MESSAGES}?after=0")
    assert first[2] == again[2]


async def test_each_message_of_a_batch_gets_its_own_answer(door: Door) -> None:
    await door.case()
    [message], _ = await door.sj.read()
    accepted, later = said(message, 1, "task.accepted"), said(message, 3, "task.progressed", text="快了")

    receipt = await door.sj.post(later, b'{"specversion":"0.3"}', accepted)
    repeated = await door.sj.post(accepted)

    assert [one["status"] for one in receipt["results"]] == ["early", "set_aside", "taken"]
    assert "specversion" in receipt["results"][1]["reason"]
    assert "2 号" in receipt["results"][0]["reason"]
    assert [one["status"] for one in repeated["results"]] == ["known"]
    assert repeated["confirmations"] == receipt["confirmations"]


async def test_a_single_event_is_taken_as_it_is(door: Door) -> None:
    await door.case()
    [message], _ = await door.sj.read()
    body = said(message, 1, "task.accepted")
    headers = {**door.sj.sign("POST", MESSAGES, body), "Content-Type": "application/cloudevents+json"}
    status, receipt = await door.sj.send("POST", MESSAGES, body, headers)
    assert (status, receipt["results"][0]["status"]) == (200, "taken")


async def test_what_the_office_refuses_is_set_aside_with_its_reason_and_says_so_again(door: Door) -> None:
    await door.case()
    [message], _ = await door.sj.read()
    wrong = said(message, 1, "task.decided", result="granted")
    for _ in range(2):
        [result] = (await door.sj.post(wrong))["results"]
        assert (result["status"], result["reason"][:5]) == ("set_aside", "结论不适用")


async def test_a_case_it_has_no_part_in_is_none_of_its_business(door: Door) -> None:
    case = await submitted_case(door.office, await settle_in(door.office.database, "o1"), "GA-05")
    body = answer(case.id, str(case.number), 1, department="SJ")
    [result] = (await door.sj.post(body))["results"]
    assert result["status"] == "set_aside"
    assert "没有参与" in result["reason"]


async def test_one_department_cannot_speak_for_another(door: Door) -> None:
    await door.case()
    [message], _ = await door.sj.read()
    [result] = (await door.ga.post(said(message, 1, "task.accepted")))["results"]
    assert result["status"] == "set_aside"
    assert "source" in result["reason"]
    [result] = (await door.sj.post(said(message, 1, "task.accepted")))["results"]
    assert result["status"] == "taken"


async def test_a_waiting_reader_is_woken_by_the_bell(door: Door) -> None:
    reading = asyncio.create_task(door.sj.read(wait=30))
    await asyncio.wait({reading}, timeout=0.2)
    assert not reading.done()
    await door.case()
    async with asyncio.timeout(10):
        assert [one["position"] for one in (await reading)[0]] == [1]


async def test_a_department_with_another_link_is_told_which(door: Door) -> None:
    for method, target, body in (("GET", MESSAGES, b""), ("POST", ACKNOWLEDGEMENTS, b'{"position":0}')):
        status, problem = await door.ga.send(method, target, body)
        assert (status, problem["code"]) == (409, "link_other")
        assert "Redis" in problem["detail"]
    assert (await door.ga.send("GET", STATE))[1]["link"] == "queue"


async def test_a_position_that_was_never_given_is_refused_aloud(door: Door) -> None:
    await door.case()
    await door.sj.read()
    for method, target, body in (("GET", f"{MESSAGES}?after=2", b""), ("POST", ACKNOWLEDGEMENTS, b'{"position":2}')):
        status, problem = await door.sj.send(method, target, body)
        assert (status, problem["code"]) == (409, "position_unknown")


async def test_a_paused_link_says_why(door: Door) -> None:
    await door.sj.send("GET", STATE)
    await door.office.database.execute("UPDATE exchange_link SET state = 'paused', reason = '系统升级' WHERE department = 'SJ'")
    status, problem = await door.sj.send("GET", MESSAGES)
    assert (status, problem["code"]) == (409, "link_paused")
    assert "系统升级" in problem["detail"]


async def test_files_come_by_grant_and_are_what_the_message_promised(door: Door) -> None:
    resident = await settle_in(door.office.database, "o1")
    item = door.office.catalogue.items["SJ-03"]
    needed = [rule.code for rule in item.materials if rule.source == "upload" and rule.required]
    uploads = {code: await hand_in(door.office, resident, photo(code)) for code in needed}
    form = fill_form([{"name": one.name, **_plain(one)} for one in item.form.fields], door.clock.now().date())
    materials = tuple(HandedIn(code, (upload.id,)) for code, upload in uploads.items())
    await cases.apply(door.office, resident, Application(item="SJ-03", form=form, materials=materials), no_answer)

    [message], _ = await door.sj.read()
    files = [file for material in message["envelope"]["data"]["materials"] for file in material["files"]]
    assert len(files) == len(needed)
    for file in files:
        status, headers, content = await door.sj.fetch("GET", f"/exchange/v1/files/{file['grant']}")
        digest = hashlib.sha256(content)
        assert (status, digest.hexdigest(), len(content)) == (200, file["sha256"], file["size"])
        assert headers["ETag"] == f'"{file["sha256"]}"'
        assert headers["Repr-Digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
        status, problem = await door.ga.send("GET", FILES + file["grant"])
        assert (status, problem["code"]) == (404, "grant_not_valid")


def _plain(field: Any) -> dict[str, Any]:
    return {name: getattr(field, name) for name in field.__struct_fields__}


@pytest.mark.parametrize("grant", ["unknown", "..%2F..%2Fmessages", "%00", "..%5c..%5c", "a" * 3000, "%F0%9F%92%A9"])
async def test_no_trick_with_a_path_finds_a_file(door: Door, grant: str) -> None:
    status, problem = await door.sj.send("GET", FILES + grant)
    assert (status, problem["code"]) in {(404, "grant_not_valid"), (404, "not_found")}


async def test_beyond_the_inner_network_messages_are_protected_both_ways(door: Door) -> None:
    office = linked(door.office, beyond="SJ", SJ="pull")
    theirs, ours = BorderKey.of(bytes(32)), Border(office).keys
    await partner_keys.add_public_key(office, "SJ", "verify", theirs.signing_jwk)
    await partner_keys.add_public_key(office, "SJ", "encrypt", theirs.opening_jwk)
    async with served(office) as url:
        sj = replace(door.sj, base_url=url)
        await door.case()
        [message], _ = await sj.read()
        token = message["protected"].encode()
        opened = open_protected(token, ours.jwks()["keys"], {theirs.opening_jwk["kid"]: theirs}, is_encrypted=True)
        plain = said({"envelope": json.loads(opened)}, 1, "task.accepted")
        assert ours.current is not None
        sealed = protect(plain, theirs, ours.current.opening_jwk)

        refused = [
            await sj.send("POST", MESSAGES, body, _as(sj, body, kind)) for body, kind in ((plain, JSON), (protect(plain, theirs), JOSE))
        ]
        status, receipt = await sj.send("POST", MESSAGES, sealed, _as(sj, sealed, JOSE))

    assert "envelope" not in message
    assert [(status, problem["code"]) for status, problem in refused] == [(422, "border_unreadable")] * 2
    assert (status, receipt["results"][0]["status"]) == (200, "taken")


def _as(one: Partner, body: bytes, kind: str) -> dict[str, str]:
    return {**one.sign("POST", MESSAGES, body), "Content-Type": kind}


# What strangers try


@pytest.mark.parametrize("name", ["X-Exchange-Key", "X-Exchange-Date", "X-Exchange-Nonce", "X-Exchange-Signature"])
async def test_without_one_of_the_headers_it_is_named(door: Door, name: str) -> None:
    headers = {key: value for key, value in door.sj.sign("GET", STATE).items() if key != name}
    status, problem = await door.sj.send("GET", STATE, headers=headers)
    assert (status, problem["code"]) == (403, "signature_missing")
    assert name in problem["detail"]


async def test_a_replayed_request_is_refused_in_every_process(door: Door) -> None:
    headers = door.sj.sign("GET", STATE)
    assert (await door.sj.send("GET", STATE, headers=headers))[0] == 200
    async with served(door.office) as other:
        for url in (door.url, other):
            status, problem = await replace(door.sj, base_url=url).send("GET", STATE, headers=headers)
            assert (status, problem["code"]) == (403, "signature_replayed")


async def test_of_many_copies_at_once_one_is_let_in(door: Door) -> None:
    headers = door.sj.sign("GET", STATE)
    answers = await asyncio.gather(*(door.sj.send("GET", STATE, headers=dict(headers)) for _ in range(20)))
    assert sorted(status for status, _ in answers) == [200, *[403] * 19]


async def test_a_signature_holds_for_one_body_path_and_method_only(door: Door) -> None:
    headers = door.sj.sign("POST", ACKNOWLEDGEMENTS, b'{"position":0}')
    for method, target, body in (
        ("POST", ACKNOWLEDGEMENTS, b'{"position":1}'),
        ("POST", MESSAGES, b'{"position":0}'),
        ("GET", STATE, b""),
        ("POST", ACKNOWLEDGEMENTS + "?a=1", b'{"position":0}'),
    ):
        status, problem = await door.sj.send(method, target, body, {**headers, "Content-Type": "application/json"})
        assert (status, problem["code"]) == (403, "signature_wrong")


async def test_a_wrong_date_is_told_the_servers_time(door: Door) -> None:
    for minutes in (-6, 6):
        date = (door.clock.now() + dt.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
        status, problem = await door.sj.send("GET", STATE, headers=door.sj.sign("GET", STATE, date=date))
        assert (status, problem["code"]) == (403, "signature_date")
        assert door.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ") in problem["detail"]


async def test_an_unknown_a_revoked_and_a_wrong_key_get_the_same_answer(door: Door) -> None:
    unknown = replace(door.sj, key="0192f0c1-0000-7000-8000-000000000001")
    wrong = replace(door.sj, secret=bytes(32))
    others = replace(door.sj, key=door.ga.key)
    answers = [await one.send("GET", STATE) for one in (unknown, wrong, others)]
    await partner_keys.revoke_key(door.office, door.sj.key)
    answers.append(await door.sj.send("GET", STATE))
    for _, problem in answers:
        problem.pop("trace_id")
    assert all(one == answers[0] for one in answers)
    assert (answers[0][0], answers[0][1]["code"]) == (403, "signature_wrong")


async def test_a_public_key_opens_no_door(door: Door) -> None:
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    key = await partner_keys.add_public_key(door.office, "SJ", "verify", jwk)
    for secret in (b"", bytes(32), json.dumps(jwk).encode()):
        assert (await replace(door.sj, key=key, secret=secret).send("GET", STATE))[1]["code"] == "signature_wrong"


async def test_a_body_of_ten_megabytes_is_refused_before_it_is_read(door: Door) -> None:
    body = b'{"messages":[' + b" " * 10_000_000 + b"{}]}"
    status, problem = await door.sj.send("POST", MESSAGES, body)
    assert (status, problem["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "not_json"), (b"\xff", "not_json"), (b"[]", "messages_unreadable"), (b"7", "messages_unreadable"),
        (b"null", "messages_unreadable"),
        (b'{"messages":[]}', "messages_unreadable"), (b'{"messages":{}}', "messages_unreadable"), (b"[" * 100_000, "messages_unreadable"),
        (b'{"messages":[' + b"7," * 100 + b"7]}", "messages_unreadable"), (b'{"a":' * 50_000, "not_json"),
    ],
)  # fmt: skip
async def test_what_holds_no_messages_is_refused_whole(door: Door, body: bytes, code: str) -> None:
    status, problem = await door.sj.send("POST", MESSAGES, body)
    assert (400 <= status < 500, problem["code"]) == (True, code)
    assert await door.office.database.rows("SELECT id FROM set_aside") == []


async def test_only_json_is_taken(door: Door) -> None:
    headers = {**door.sj.sign("POST", MESSAGES, b"<a/>"), "Content-Type": "application/xml"}
    status, problem = await door.sj.send("POST", MESSAGES, b"<a/>", headers)
    assert (status, problem["code"]) == (415, "unsupported_media_type")
