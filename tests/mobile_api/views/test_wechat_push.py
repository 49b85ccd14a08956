"""The push address against the stand-in's own pusher: every format, repeats, forgeries, and the way to the ledger."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from config.settings import load
from handlers import subscriptions
from handlers.office import Office
from handlers.subscriptions import Templates
from mobile_api.app import callback
from mobile_api.views import wechat_push
from mobile_api.web.frame import install
from mobile_api.web.operation import Who, get, post
from notifications.channels.wechat_callback import MAX_BYTES, Callback, Forged
from sandbox.wechat.crypto import sign
from storage.clock import SystemClock
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
    callback = Callback(target.token, target.aes_key, target.appid, safe_only=False, clock=small_office.clock)
    install(app, ROUTES, {Office: small_office, Templates: TEMPLATES, Callback: callback})
    async with TestClient(TestServer(app)) as client:
        target.url, target.pause = str(client.make_url(ADDRESS)), 0.01
        yield client


def _signed(timestamp: str | None = None) -> dict[str, str]:
    timestamp = timestamp or str(int(time.time()))
    return {"timestamp": timestamp, "nonce": "2", "signature": sign("sandbox-token", timestamp, "2")}


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
    entry = {"TemplateId": RESULT, "SubscribeStatusString": "accept"}
    body = {"FromUserName": "o-1", "CreateTime": 1764000000, "Event": "subscribe_msg_popup_event", "List": entry}
    for _ in range(3):
        async with door.post(ADDRESS, params=_signed(), json=body) as response:
            assert (response.status, await response.text()) == (200, "success")
    assert await _credits(small_office, account) == 1


@pytest.mark.parametrize(
    ("signed", "body", "status"),
    [
        (False, b"{}", 403),
        (False, b'{"Encrypt": "\\ud800"}', 403),
        (True, b"<!DOCTYPE a><xml></xml>", 403),
        (True, b'{"Event": "e", "Content": "\\u0000"}', 403),
        (True, b'{"Event": "\\ud800"}', 403),
        (True, b'{"Event": "e", "List": null}', 200),
        (True, b"x" * (MAX_BYTES + 1), 413),
    ],
    ids=["unsigned", "unsigned surrogate", "doctype", "NUL", "surrogate", "a list of nothing", "too large"],
)
async def test_what_is_not_from_the_platform_is_refused(
    door: TestClient[web.Request, web.Application], *, signed: bool, body: bytes, status: int
) -> None:
    async with door.post(ADDRESS, params=_signed() if signed else {}, data=body) as response:
        assert response.status == status
    async with door.get(ADDRESS, params={"echostr": "hello"}) as response:
        assert response.status == 403


async def test_a_recorded_signature_is_of_no_use_later(door: TestClient[web.Request, web.Application]) -> None:
    async with door.post(ADDRESS, params=_signed("1"), json={"Event": "e"}) as response:
        assert response.status == 403


@pytest.mark.parametrize(
    ("demo", "profile", "taken"), [(True, "development", True), (False, "development", False), (True, "production", False)]
)
def test_only_a_demo_takes_what_is_not_encrypted(*, demo: bool, profile: str, taken: bool) -> None:
    settings = load(environment={"MOBILE_API_DEMO__ENABLED": str(demo).lower(), "MOBILE_API_TOWN__PROFILE": profile})
    timestamp, token = str(int(time.time())), settings.wechat.push_token
    query = {"timestamp": timestamp, "nonce": "2", "signature": sign(token, timestamp, "2")}
    with contextlib.nullcontext() if taken else pytest.raises(Forged, match="not encrypted"):
        assert callback(settings, SystemClock()).open(query, b'{"Event": "e"}') == {"Event": "e"}
