"""The three addresses of codes over HTTP: shown, scanned, read by anybody."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from handlers.caseviews import CaseView
from handlers.errors import Refused
from handlers.office import Office
from mobile_api.views import codes
from mobile_api.web.caller import AUTHENTICATOR, Caller
from mobile_api.web.frame import install
from mobile_api.web.idempotency import REPEATS, Repeats
from mobile_api.web.operation import Who, get, post
from storage import audit
from storage.bell import Bell
from storage.database import Database
from storage.idempotency import AnswerBook
from storage.redis import RedisStore
from tests.support.office import CLERK, open_office, resident_with_session, submitted_case

ROUTES = [
    get("/r/{code}", codes.show_receipt, Who.ANYONE, summary="凭证查询", tag="codes", errors=("not_found",)),
    post("/codes/lookup", codes.create_lookup, Who.RESIDENT, summary="出示办事码", tag="codes", status=201, errors=("unavailable",)),
    post(
        "/codes/scan", codes.scan, Who.STAFF, summary="扫码", tag="codes", idempotency="accepted",
        errors=("code_not_valid", "forbidden", "unavailable"),
    ),
]  # fmt: skip


@dataclass(frozen=True)
class Gate:
    """Two tokens: the resident's phone and the clerk's desk."""

    resident: str
    session: str

    async def authenticate(self, token: str) -> Caller:
        if token == "resident":
            return Caller("resident", self.resident, self.session)
        if token == "clerk":
            return Caller("staff", CLERK.id, "desk", "", CLERK.role, CLERK.department, CLERK.hall, CLERK.area)
        raise Refused("not_logged_in")


@dataclass(frozen=True)
class Counter:
    """A counter with one case that waits at it."""

    http: TestClient[web.Request, web.Application]
    case: CaseView
    office: Office
    resident: str

    async def call(self, method: str, path: str, who: str, status: int, body: Any = None, key: str = "") -> Any:
        headers = ({"Authorization": f"Bearer {who}"} if who else {}) | ({"Idempotency-Key": key} if key else {})
        async with self.http.request(method, f"/api/v1{path}", json=body, headers=headers) as response:
            assert response.status == status, await response.text()
            return await response.json()


@pytest.fixture
async def counter(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> AsyncIterator[Counter]:
    office = await open_office(database, bell, store, tmp_path)
    resident, session = await resident_with_session(office, "zhang")
    app = web.Application()
    app[AUTHENTICATOR] = Gate(resident, session)
    app[REPEATS] = Repeats(database, office.clock, AnswerBook(office.keys.sealer))
    install(app, ROUTES, {Office: office})
    async with TestClient(TestServer(app)) as client:
        yield Counter(client, await submitted_case(office, resident), office, resident)


async def test_the_picture_shows_the_code_that_the_clerk_scans_once(counter: Counter):
    shown = await counter.call("POST", "/codes/lookup", "resident", 201, {"purpose": "hall"})
    picture = Image.open(io.BytesIO(base64.b64decode(shown["png"].removeprefix("data:image/png;base64,"))))
    scanned = zxingcpp.read_barcodes(picture)[0].text
    assert scanned == shown["code"]

    found = await counter.call("POST", "/codes/scan", "clerk", 200, {"code": scanned, "purpose": "hall"})
    assert [card["number"] for card in found["cases"]] == [counter.case.number]
    problem = await counter.call("POST", "/codes/scan", "clerk", 404, {"code": scanned, "purpose": "hall"})
    assert problem["code"] == "code_not_valid"


async def test_a_scan_sent_again_with_its_key_shows_the_same_and_the_resident_is_told_once(counter: Counter):
    shown = await counter.call("POST", "/codes/lookup", "resident", 201, {"purpose": "hall"})
    answers = [await counter.call("POST", "/codes/scan", "clerk", 200, {"code": shown["code"]}, key="one") for _ in range(2)]
    assert answers[0] == answers[1]
    record = await audit.of_object(counter.office.database, "resident", counter.resident)
    assert [row["action"] for row in record] == ["code.scanned"]
    problem = await counter.call("POST", "/codes/scan", "clerk", 404, {"code": shown["code"]}, key="two")
    assert problem["code"] == "code_not_valid"


async def test_a_code_may_open_some_of_the_cases_alone_and_only_ones_own(counter: Counter):
    shown = await counter.call("POST", "/codes/lookup", "resident", 201, {"purpose": "hall", "objects": [counter.case.id]})
    found = await counter.call("POST", "/codes/scan", "clerk", 200, {"code": shown["code"]})
    assert [card["id"] for card in found["cases"]] == [counter.case.id]
    await counter.call("POST", "/codes/lookup", "resident", 404, {"purpose": "hall", "objects": ["somebody-elses"]})


async def test_residents_do_not_scan_and_clerks_do_not_show(counter: Counter):
    await counter.call("POST", "/codes/scan", "resident", 403, {"code": "12345678"})
    await counter.call("POST", "/codes/lookup", "clerk", 403, {})
    await counter.call("POST", "/codes/scan", "", 401, {"code": "12345678"})


@pytest.mark.parametrize(
    "body", [{"code": ""}, {"code": "1" * 501}, {"code": 5}, {"code": "12345678", "purpose": "elsewhere"}, {"code": "12345678", "x": 1}, {}]
)
async def test_a_scan_of_the_wrong_shape_is_told_so(counter: Counter, body: dict[str, object]):
    assert (await counter.call("POST", "/codes/scan", "clerk", 422, body))["code"] == "wrong_shape"


async def test_a_receipt_is_read_by_anybody_and_its_neighbour_by_nobody(counter: Counter):
    code = str(counter.case.receipt_code)
    public = await counter.call("GET", f"/r/{code.lower()}", "", 200)
    assert (public["item"], public["stage"], public["promised_on"]) == (counter.case.item.name, "with_office", None)
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    answers = [await counter.call("GET", f"/r/{text}", "", 404) for text in (wrong, "%00", "%E4%BD%A0", "x" * 400)]
    assert {answer["code"] for answer in answers} == {"not_found"}
