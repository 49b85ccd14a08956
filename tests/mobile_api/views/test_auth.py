"""What is too long to be a credential is refused at the door: it reaches neither the platform nor the password check."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from handlers.office import Office
from handlers.residents import LoginPlatform
from mobile_api.identity import Identity
from mobile_api.views import auth
from mobile_api.web.frame import install
from mobile_api.web.operation import Who, post
from notifications.login import WechatLogin
from tests.support.town import small_office
from tests.support.wechat import Platform, platform

__all__ = ["platform", "small_office"]

ROUTES = [
    post("/auth/wechat", auth.wechat, Who.ANYONE, summary="居民登录", tag="auth"),
    post("/staff/login", auth.staff_login, Who.ANYONE, summary="工作人员登录", tag="auth"),
]
Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def door(small_office: Office, platform: Platform) -> AsyncIterator[Client]:
    app = web.Application()
    given = {Office: small_office, Identity: Identity(small_office), LoginPlatform: WechatLogin(platform.client())}
    install(app, ROUTES, given)
    async with TestClient(TestServer(app)) as client:
        yield client


async def _status(door: Client, path: str, body: dict[str, str]) -> int:
    async with door.post(f"/api/v1{path}", json=body) as response:
        return response.status


async def test_the_longest_code_and_device_are_taken(door: Client, platform: Platform) -> None:
    assert await _status(door, "/auth/wechat", {"code": "sandbox-zhang-1", "device": "机" * 200}) == 200
    assert await _status(door, "/auth/wechat", {"code": "1" * 256}) == 401
    assert len(platform.calls("/sns/jscode2session")) == 2


@pytest.mark.parametrize(
    "body",
    [{"code": "1" * 257}, {"code": "1" * 900_000}, {"code": "sandbox-zhang-1", "device": "d" * 201}],
    ids=["257", "900 KB", "device"],
)
async def test_what_is_longer_never_reaches_the_platform(door: Client, platform: Platform, body: dict[str, str]) -> None:
    assert 400 <= await _status(door, "/auth/wechat", body) < 500
    assert platform.calls("/sns/jscode2session") == []


async def test_a_log_in_without_a_one_time_code_may_say_null(door: Client) -> None:
    async with door.post("/api/v1/staff/login", json={"username": "nobody", "password": "wrong", "totp": None}) as response:
        assert response.status == 401


@pytest.mark.parametrize(("name", "length"), [("username", 64), ("password", 256), ("totp", 10), ("device", 200)])
async def test_staff_credentials_have_bounds(door: Client, name: str, length: int) -> None:
    body = {"username": "nobody", "password": "wrong", "totp": "", "device": ""}
    assert await _status(door, "/staff/login", {**body, name: "x" * length}) == 401
    assert await _status(door, "/staff/login", {**body, name: "x" * (length + 1)}) == 422
