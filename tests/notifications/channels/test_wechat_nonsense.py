"""A platform whose answers make no sense: nobody is logged in, nothing is sent twice, and little of it is read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from handlers.errors import Refused
from notifications.channels import Message
from notifications.channels.wechat import MAX_ANSWER, Account, WechatPlatform
from notifications.channels.wechat_errors import Unreachable, WechatError
from notifications.login import WechatLogin
from storage.clock import SystemClock

TOKEN = b'{"access_token": "t", "expires_in": 7200}'


class Liar:
    """A server that answers every call with `answer`, and a call for a token with `token`; `endless` never stops."""

    def __init__(self) -> None:
        self.answer, self.token, self.endless, self.written = b"{}", TOKEN, False, 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if not self.endless:
            return web.Response(body=self.token if request.path.endswith("stable_token") else self.answer)
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while self.written < 400 * 1024 * 1024:
                await response.write(b" " * 65536)
                self.written += 65536
        except ConnectionError:
            pass
        return response


@pytest.fixture
def liar() -> Liar:
    return Liar()


@pytest.fixture
async def client(liar: Liar) -> AsyncIterator[WechatPlatform]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", liar.handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield WechatPlatform(session, Account(str(server.make_url("")), "wx-1", "secret"), SystemClock())


@pytest.mark.parametrize(
    "openid",
    [None, "", {}, [], 0, 7, True, "a b", "o\0", "o\n", "\ud800", "张", "o" * 65, "o" * 5000],
    ids=lambda openid: repr(openid)[:12],
)
async def test_nobody_is_logged_in_without_a_real_openid(client: WechatPlatform, liar: Liar, openid: object) -> None:
    liar.answer = json.dumps({"openid": openid, "session_key": "k"}).encode()
    with pytest.raises(Unreachable, match="no openid"):
        await client.code2session("code")
    with pytest.raises(Refused, match="unavailable"):
        await WechatLogin(client).openid("code")


@pytest.mark.parametrize(
    "answer",
    [
        b"{}",
        b'{"session_key": "k"}',
        b'{"errcode": 1e400}',
        b'{"errcode": NaN}',
        b'{"errcode": []}',
        b'{"errcode": %s}' % (b"9" * 30),
        b"[" * 100_000,
        b'{"a":' * 40_000,
        b"\xff\xfe",
        b"",
    ],
    ids=lambda answer: repr(answer[:20]),
)
async def test_an_answer_that_makes_no_sense_counts_as_none(client: WechatPlatform, liar: Liar, answer: bytes) -> None:
    liar.answer = answer
    with pytest.raises(Unreachable):
        await client.code2session("code")


async def test_a_well_formed_openid_is_enough(client: WechatPlatform, liar: Liar) -> None:
    liar.answer = json.dumps({"openid": "o-A_" + "9" * 60, "unionid": {}}).encode()
    session = await client.code2session("code")
    assert (session.openid, session.session_key, session.unionid) == ("o-A_" + "9" * 60, "", None)


async def test_an_endless_answer_is_left_after_its_beginning(client: WechatPlatform, liar: Liar) -> None:
    liar.endless = True
    with pytest.raises(Unreachable, match="more than 262144 bytes"):
        await client.code2session("code")
    # What lay in the buffers of both sockets was written as well.
    assert liar.written < 64 * 1024 * 1024


async def test_an_answer_of_exactly_the_bound_is_read(client: WechatPlatform, liar: Liar) -> None:
    answer = b'{"openid": "o-1"}'
    liar.answer = answer + b" " * (MAX_ANSWER - len(answer))
    assert (await client.code2session("code")).openid == "o-1"


@pytest.mark.parametrize(
    ("msgid", "kept"),
    [
        ("9" * 65, "9" * 64),
        (int("9" * 70), "9" * 64),
        ("a\0b\ud800", "ab"),
        ("张", None),
        ({"a": 1}, None),
        (None, None),
        (0, None),
        (12, "12"),
    ],
    ids=lambda value: repr(value)[:12],
)
async def test_a_strange_message_id_never_makes_a_sent_message_fail(
    client: WechatPlatform, liar: Liar, msgid: object, kept: str | None
) -> None:
    liar.answer = json.dumps({"errcode": 0, "msgid": msgid}).encode()
    assert await client.send(Message("o-1", "t", {}, "pages/case/index")) == kept


@pytest.mark.parametrize(
    "token",
    [
        {},
        {"access_token": None, "expires_in": 1},
        {"access_token": "a\n", "expires_in": 1},
        {"access_token": "a"},
        {"access_token": "a", "expires_in": 1.5},
    ],
    ids=repr,
)
async def test_a_token_that_is_none_is_not_used(client: WechatPlatform, liar: Liar, token: dict[str, Any]) -> None:
    liar.token = json.dumps(token).encode()
    with pytest.raises(Unreachable, match="no token"):
        await client.templates()


async def test_parts_of_the_wrong_kind_are_as_good_as_missing(client: WechatPlatform, liar: Liar) -> None:
    liar.answer = b'{"data": null, "phone_info": null, "result": {"suggest": {}}}'
    assert await client.templates() == []
    assert await client.check_text("text", "o-1") == "review"
    with pytest.raises(WechatError):
        await client.phone_number("code", "o-1")
    liar.answer = b'{"phone_info": {"purePhoneNumber": null, "watermark": {"appid": "wx-1"}}}'
    with pytest.raises(Unreachable, match="no number"):
        await client.phone_number("code", "o-1")


async def test_a_long_error_text_leaves_a_short_reason(client: WechatPlatform, liar: Liar) -> None:
    liar.answer = json.dumps({"errcode": 47003, "errmsg": f"data.{'x' * 9000}.value rid: {'a' * 9000}"}).encode()
    with pytest.raises(WechatError) as caught:
        await client.templates()
    assert len(str(caught.value)) < 200
