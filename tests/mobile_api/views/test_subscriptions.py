"""A resident sees the message templates and reports what he chose in the dialog."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from handlers.office import Office
from handlers.sessions import open_session
from handlers.subscriptions import Templates
from mobile_api.identity import Identity
from mobile_api.views import subscriptions
from mobile_api.web.caller import AUTHENTICATOR
from mobile_api.web.frame import install
from mobile_api.web.operation import Who, get, post
from tests.support.town import settle_in, small_office
from tests.support.wechat import CORRECTION, PROGRESS, RESULT, TEMPLATES

__all__ = ["small_office"]

ROUTES = [
    get("/subscriptions", subscriptions.show, Who.RESIDENT, summary="订阅消息", tag="subscriptions"),
    post("/subscriptions", subscriptions.record, Who.RESIDENT, summary="记录订阅选择", tag="subscriptions"),
]
Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def phone(small_office: Office) -> AsyncIterator[Client]:
    """A client that is logged in."""
    app, identity = web.Application(), Identity(small_office)
    app[AUTHENTICATOR] = identity
    install(app, ROUTES, {Office: small_office, Templates: TEMPLATES})
    account = await settle_in(small_office.database, "o-1")
    token = identity.issue(await open_session(small_office, account, "resident", "test")).access_token
    async with TestClient(TestServer(app), headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


async def test_choices_come_back_as_credits(phone: Client) -> None:
    async with phone.post("/api/v1/subscriptions", json={"results": {CORRECTION: "accept", RESULT: "reject"}}) as response:
        assert response.status == 200
    async with phone.post("/api/v1/subscriptions", json={"results": {PROGRESS: "acceptWithAudio"}}) as response:
        told = await response.json()
    async with phone.get("/api/v1/subscriptions") as response:
        assert await response.json() == told
    assert {one["name"]: (one["kind"], one["credits"], one["on"]) for one in told["items"]} == {
        "progress": ("lasting", 0, True),
        "correction": ("once", 1, True),
        "result": ("once", 0, False),
    }
    assert told["items"][0]["template_id"] == PROGRESS


@pytest.mark.parametrize("results", [{"tmpl": "accept"}, {RESULT: "perhaps"}, []], ids=["template", "choice", "shape"])
async def test_what_makes_no_sense_is_refused(phone: Client, results: object) -> None:
    async with phone.post("/api/v1/subscriptions", json={"results": results}) as response:
        assert response.status == 422
        assert response.content_type == "application/problem+json"
