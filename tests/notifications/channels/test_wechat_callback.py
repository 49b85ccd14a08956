"""Callbacks are opened in every form the platform has, and nothing forged gets through."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import time
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.channels.wechat_callback import MAX_BYTES, Callback, Forged
from sandbox.wechat.crypto import encrypt, sign
from sandbox.wechat.pusher import Pusher, Target, render
from storage.clock import SettableClock, SystemClock

TOKEN, KEY, APPID = "a-token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wx-1"
CALLBACK = Callback(TOKEN, KEY, APPID, safe_only=False, clock=SystemClock())
STRICT = Callback(TOKEN, KEY, APPID, safe_only=True, clock=SystemClock())
ONE = [{"TemplateId": "t1", "SubscribeStatusString": "accept", "PopupScene": "0"}]
TWO = [*ONE, {"TemplateId": "t2", "SubscribeStatusString": "reject", "PopupScene": "0"}]


async def _pushed(form: str, mode: str, entries: list[dict[str, str]]) -> tuple[dict[str, str], bytes]:
    target = Target(token=TOKEN, aes_key=KEY, appid=APPID, format=form, mode=mode)
    async with aiohttp.ClientSession() as session:
        pusher = Pusher(target, session)
        query, body = pusher._query(), render(form, "o-zhang", "subscribe_msg_popup_event", entries, 1764000000)
        return query, body if mode == "plain" else pusher._sealed(body, query)


@pytest.mark.parametrize(("form", "mode"), list(itertools.product(["json", "xml"], ["plain", "safe", "compatible"])))
@pytest.mark.parametrize("entries", [ONE, TWO], ids=["one", "two"])
async def test_every_form_gives_the_same_event(form: str, mode: str, entries: list[dict[str, str]]) -> None:
    event = CALLBACK.open(*await _pushed(form, mode, entries))
    assert event["List"] == entries
    assert (event["FromUserName"], str(event["CreateTime"]), event["Event"]) == ("o-zhang", "1764000000", "subscribe_msg_popup_event")


@pytest.mark.parametrize(
    ("mode", "name"),
    [(mode, name) for mode in ("plain", "safe") for name in ("timestamp", "nonce", "signature" if mode == "plain" else "msg_signature")],
)
async def test_a_changed_query_is_forged(mode: str, name: str) -> None:
    query, body = await _pushed("json", mode, ONE)
    with pytest.raises(Forged):
        CALLBACK.open({**query, name: "1"}, body)


async def test_in_safe_mode_the_plain_signature_opens_nothing() -> None:
    query, body = await _pushed("json", "safe", ONE)
    other = json.dumps({"Encrypt": encrypt(b"{}", KEY, APPID)}).encode()
    with pytest.raises(Forged, match="signature"):
        CALLBACK.open(query, other)
    with pytest.raises(Forged):
        CALLBACK.open(query, b'{"Event": "subscribe_msg_popup_event"}')
    assert body


def _signed(body: Any) -> dict[str, str]:
    now = str(int(time.time()))
    return {"timestamp": now, "nonce": "2", "msg_signature": sign(TOKEN, now, "2", body), "signature": sign(TOKEN, now, "2")}


def test_another_mini_programs_message_and_a_wrong_key_are_forged() -> None:
    for sealed in (encrypt(b"{}", KEY, "wx-2"), encrypt(b"{}", KEY[::-1], APPID), "AAAA", "*"):
        with pytest.raises(Forged):
            CALLBACK.open(_signed(sealed), json.dumps({"Encrypt": sealed}).encode())


@given(length=st.integers(min_value=0, max_value=80))
def test_messages_of_every_length_open_whatever_their_padding(length: int) -> None:
    inner = json.dumps({"Content": "x" * length}).encode()
    sealed = encrypt(inner, KEY, APPID)
    assert CALLBACK.open(_signed(sealed), json.dumps({"Encrypt": sealed}).encode()) == {"Content": "x" * length}


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><xml><Event>&a;</Event></xml>',
        b"<xml><Event>",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"<xml>" + b"x" * MAX_BYTES + b"</xml>",
        b"[" * 5000,
    ],
)
def test_unreadable_bodies_are_refused(body: bytes) -> None:
    with pytest.raises(Forged):
        CALLBACK.open(_signed(""), body)


@given(body=st.binary(max_size=200))
def test_no_body_does_worse_than_being_refused(body: bytes) -> None:
    with pytest.raises(Forged):
        CALLBACK.open({"signature": "wrong"}, body)


def test_the_check_of_the_address_is_answered_only_to_the_platform() -> None:
    query = {**_signed(""), "echostr": "hello"}
    assert STRICT.echo(query) == "hello"
    for signature in ("é", "\ud800"):
        with pytest.raises(Forged):
            STRICT.echo({**query, "signature": signature})


def test_a_sample_with_a_blank_in_a_key_and_a_nested_list_is_read() -> None:
    body = json.dumps({" OpenID": "o", "SubscribeMsgSentEvent": {"List": {"TemplateId": "t1"}}}).encode()
    assert CALLBACK.open(_signed(""), body) == {"OpenID": "o", "List": [{"TemplateId": "t1"}]}


@pytest.mark.parametrize("form", ["json", "xml"])
async def test_outside_a_demo_only_encrypted_bodies_are_opened(form: str) -> None:
    for mode in ("safe", "compatible"):
        assert STRICT.open(*await _pushed(form, mode, ONE))["List"] == ONE
    query, body = await _pushed(form, "plain", ONE)
    for more in ({}, {"encrypt_type": "aes"}, {"encrypt_type": "raw", "msg_signature": query["signature"]}):
        with pytest.raises(Forged, match="not encrypted"):
            STRICT.open({**query, **more}, body)


def _open_at(callback: Callback, timestamp: object, nonce: str = "2") -> dict[str, Any]:
    signature = sign(TOKEN, str(timestamp), nonce)
    return callback.open({"timestamp": str(timestamp), "nonce": nonce, "signature": signature}, b'{"Event": "e"}')


@pytest.mark.parametrize("stamp", [1, -1, "", "now", "１７６４００００００", "17640000000", 1764000000 - 601, 1764000000 + 601])
def test_a_signature_of_another_time_opens_nothing(stamp: object) -> None:
    callback = Callback(TOKEN, KEY, APPID, safe_only=False, clock=SettableClock(dt.datetime.fromtimestamp(1764000000, dt.UTC)))
    with pytest.raises(Forged, match="timestamp"):
        _open_at(callback, stamp)
    for near in (1764000000 - 599, 1764000000 + 599):
        assert _open_at(callback, near) == {"Event": "e"}


def test_a_delivery_that_came_in_time_may_be_repeated_for_a_quarter_of_an_hour() -> None:
    clock = SettableClock(dt.datetime.fromtimestamp(1764000000, dt.UTC))
    callback = Callback(TOKEN, KEY, APPID, safe_only=False, clock=clock)
    assert _open_at(callback, 1764000000)
    clock.advance(minutes=14)
    assert _open_at(callback, 1764000000)
    with pytest.raises(Forged, match="timestamp"):
        _open_at(callback, 1764000000, nonce="3")
    clock.advance(minutes=2)
    with pytest.raises(Forged, match="timestamp"):
        _open_at(callback, 1764000000)


@pytest.mark.parametrize(
    "body",
    [
        b'{"Encrypt": "\\ud800"}',
        b'{"Content": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"Content": "a\\u0000"}',
        b'{"List": [{"TemplateId": "\\u0000"}]}',
        b'{"CreateTime": 1e400}',
        b'{"CreateTime": NaN}',
        b'{"CreateTime": 123456789012345678901}',
        b'{"List": ' + b"[" * 50 + b"]" * 50 + b"}",
    ],
)
def test_what_no_database_can_keep_is_refused(body: bytes) -> None:
    with pytest.raises(Forged, match="neither"):
        CALLBACK.open(_signed(""), body)


@pytest.mark.parametrize("encrypted", ["1", "{}", "[1]", "true"])
def test_an_encrypted_part_that_is_no_text_is_refused(encrypted: str) -> None:
    with pytest.raises(Forged, match="not encrypted"):
        STRICT.open(_signed(encrypted), b'{"Encrypt": %s}' % encrypted.encode())


def test_a_list_of_nothing_is_no_list() -> None:
    assert CALLBACK.open(_signed(""), b'{"Event": "e", "List": null}') == {"Event": "e"}
