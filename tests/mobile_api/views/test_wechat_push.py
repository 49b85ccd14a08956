"""The push address against the stand-in's own pusher: every format, repeats, forgeries, and the way to the ledger."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from handlers import subscriptions
from handlers.office import Office
from handlers.subscriptions import Templates
from mobile_api.views import wechat_push
from mobile_api.web.frame import install
from mobile_api.web.operation import Who, get, post
from notifications.channels.wechat_callback import MAX_BYTES, Callback
from sandbox.wechat.crypto import sign
from tests.support.town import settle_in, small_office
from tests.support.wechat import RESULT, TEMPLATES, Platform, platform

__all__ = ["platform", "small_office"]

ROUTES = [
    get("/wechat/push", wechat_push.check, Who.SYSTEM, summary="校验", tag="wechat", gives="text/plain", errors=("forbidden",)),
    post(
        "/wechat/push", wechat_push.receive, Who.SYSTEM, summary="推送", tag="wechat", gives="text/plain", errors=("forbidden", "too_large")
    ),
]
ADDRESS = "/api/v1/wechat/push"


@pytest.fixture
async def door(small_office: Office, platform: Platform) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    target = platform.world.target
    app = web.Application()
    callback = Callback(target.token, target.aes_key, target.appid)
    install(app, ROUTES, {Office: small_office, Templates: TEMPLATES, Callback: callback})
    async with TestClient(TestServer(app)) as client:
        target.url, target.pause = str(client.make_url(ADDRESS)), 0.01
        yield client


async def _credits(office: Office, account: str) -> int:
    await subscriptions.apply_pushes(office.database, office.clock, TEMPLATES)
    return next(one.credits for one in await subscriptions.consents(office, TEMPLATES, account) if one.template.name == "result")


@pytest.mark.usefixtures("door")
async def test_the_consoles_check_of_the_address_succeeds(platform: Platform) -> None:
    assert await platform.ask("POST", "/sandbox/pusher/check") == {"ok": True}


@pytest.mark.usefixtures("door")
@pytest.mark.parametrize(("form", "mode"), list(itertools.product(["json", "xml"], ["plain", "safe", "compatible"])))
async def test_a_tap_on_the_phone_reaches_the_ledger_in_every_format(
    small_office: Office, platform: Platform, form: str, mode: str
) -> None:
    account = await settle_in(small_office.database, platform.world.people.openid("zhang"))
    await platform.ask("POST", "/sandbox/pusher", {"format": form, "mode": mode})
    await platform.tap("zhang", result="accept")
    assert platform.world.pusher is not None
    assert await asyncio.gather(*platform.world.pusher.tasks) == [True]
    assert platform.world.pusher.counts["deliveries"] == 1
    assert await _credits(small_office, account) == 1


async def test_a_repeat_is_answered_success_and_counts_nothing(
    small_office: Office, door: TestClient[web.Request, web.Application]
) -> None:
    account = await settle_in(small_office.database, "o-1")
    query = {"timestamp": "1", "nonce": "2", "signature": sign("sandbox-token", "1", "2")}
    entry = {"TemplateId": RESULT, "SubscribeStatusString": "accept"}
    body = {"FromUserName": "o-1", "CreateTime": 1764000000, "Event": "subscribe_msg_popup_event", "List": entry}
    for _ in range(3):
        async with door.post(ADDRESS, params=query, json=body) as response:
            assert (response.status, await response.text()) == (200, "success")
    assert await _credits(small_office, account) == 1


@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ({}, b"{}", 403),
        ({"timestamp": "1", "nonce": "2", "signature": sign("sandbox-token", "1", "2")}, b"<!DOCTYPE a><xml></xml>", 403),
        ({"timestamp": "1", "nonce": "2", "signature": sign("sandbox-token", "1", "2")}, b"x" * (MAX_BYTES + 1), 413),
    ],
    ids=["unsigned", "doctype", "too large"],
)
async def test_what_is_not_from_the_platform_is_refused(
    door: TestClient[web.Request, web.Application], query: dict[str, str], body: bytes, status: int
) -> None:
    async with door.post(ADDRESS, params=query, data=body) as response:
        assert response.status == status
    async with door.get(ADDRESS, params={"echostr": "hello"}) as response:
        assert response.status == 403
