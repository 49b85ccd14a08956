"""Our client against the stand-in: what it does when the platform is slow, wrong, busy or gone."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from typing import Any

import pytest

from notifications.channels import Message, NotWanted, OutOfReach, TryLater, Undeliverable
from notifications.channels.wechat_errors import Busy, Configuration, ContentFault, LoginCodeInvalid, TokenStale, Unreachable
from storage.clock import SettableClock
from tests.support.wechat import PROGRESS, Platform

SEND = "/cgi-bin/message/subscribe/send"
TOKEN = "/cgi-bin/stable_token"
FIELDS = {"thing1": "建房审批", "character_string2": "1302-1", "phrase3": "已受理", "time4": "2026年11月24日 09:05", "thing5": "无"}


def _message(platform: Platform, user: str = "zhang", **changes: str) -> Message:
    return Message(platform.world.people.openid(user), PROGRESS, {**FIELDS, **changes}, "pages/case/index?id=1")


async def test_a_code_becomes_an_openid_once(platform: Platform) -> None:
    client = platform.client()
    session = await client.code2session("sandbox-zhang-1")
    assert session.openid == platform.world.people.openid("zhang")
    assert session.session_key not in repr(session)
    with pytest.raises(LoginCodeInvalid):
        await client.code2session("sandbox-zhang-1")


async def test_a_busy_moment_at_log_in_costs_one_more_try_and_no_third(platform: Platform) -> None:
    await platform.fault("-1", times=1)
    assert (await platform.client().code2session("sandbox-zhang-1")).openid
    await platform.fault("-1", times=2)
    with pytest.raises(Busy):
        await platform.client().code2session("sandbox-zhang-2")
    assert len(platform.calls("/sns/jscode2session")) == 4


async def test_many_messages_at_once_fetch_one_token(platform: Platform) -> None:
    for user in "abcdefgh":
        await platform.tap(user, progress="accept")
    client = platform.client()
    await asyncio.gather(*(client.send(_message(platform, user)) for user in "abcdefgh"))
    assert len(platform.calls(TOKEN)) == 1
    assert len(platform.calls(SEND)) == 8


async def test_a_message_arrives_as_it_was_written(platform: Platform) -> None:
    await platform.tap("zhang", progress="accept")
    msgid = await platform.client().send(_message(platform))
    [message] = await platform.messages("zhang")
    assert (message["msgid"], message["data"], message["page"]) == (msgid, FIELDS, "pages/case/index?id=1")


async def test_dead_tokens_are_replaced_and_the_call_is_repeated(platform: Platform) -> None:
    await platform.tap("zhang", progress="accept")
    client = platform.client()
    await client.send(_message(platform))
    await platform.ask("POST", "/sandbox/tokens/expire")
    assert await client.send(_message(platform))
    assert len(platform.calls(TOKEN)) == 2


async def test_a_platform_that_refuses_every_token_is_asked_a_bounded_number_of_times(platform: Platform) -> None:
    client = platform.client()
    await platform.fault("40001", path=SEND)
    for _ in range(5):
        with pytest.raises(TokenStale):
            await client.send(_message(platform))
    assert len(platform.calls(SEND)) == 10
    forced = 1
    assert len(platform.calls(TOKEN)) <= 1 + 5 + forced


async def test_one_of_many_failures_replaces_the_token_not_each(platform: Platform) -> None:
    for user in "abcdefgh":
        await platform.tap(user, progress="accept")
    client = platform.client()
    await client.templates()
    await platform.ask("POST", "/sandbox/tokens/expire")
    await asyncio.gather(*(client.send(_message(platform, user)) for user in "abcdefgh"))
    assert len(platform.calls(TOKEN)) == 2


async def test_a_token_near_its_end_is_fetched_anew(platform: Platform) -> None:
    clock = SettableClock(dt.datetime.now(dt.UTC))
    client = platform.client(clock=clock)
    await client.templates()
    clock.advance(seconds=7200 - 301)
    await client.templates()
    clock.advance(seconds=2)
    await client.templates()
    assert len(platform.calls(TOKEN)) == 2


class Shelf:
    """A token store of plain memory, as a second process would share it; may be broken."""

    def __init__(self, *, broken: bool = False) -> None:
        self.kept: dict[str, bytes] = {}
        self.broken = broken

    async def get(self, name: str) -> bytes | None:
        if self.broken:
            raise ConnectionError
        return self.kept.get(name)

    async def put(self, name: str, value: bytes, seconds: int) -> None:
        if self.broken:
            raise ConnectionError
        assert 0 < seconds <= 6900
        self.kept[name] = value


async def test_processes_share_a_token(platform: Platform) -> None:
    shelf = Shelf()
    await platform.client(store=shelf).templates()
    await platform.client(store=shelf).templates()
    assert len(platform.calls(TOKEN)) == 1


async def test_without_its_store_a_process_goes_on_alone(platform: Platform) -> None:
    client = platform.client(store=Shelf(broken=True))
    await client.templates()
    assert await client.templates()
    assert len(platform.calls(TOKEN)) == 1


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("-1", Busy),
        ("45011", Busy),
        ("45009", Busy),
        ("5xx", Unreachable),
        ("nonsense", Unreachable),
        ("cut", Unreachable),
        ("down", Unreachable),
    ],
)
async def test_every_fault_is_told_apart(platform: Platform, kind: str, error: type[Exception]) -> None:
    await platform.tap("zhang", progress="accept")
    client = platform.client()
    await client.templates()
    await platform.fault(kind)
    with pytest.raises(error) as caught:
        await client.send(_message(platform))
    assert isinstance(caught.value, TryLater | OutOfReach)
    await platform.heal()
    assert await client.send(_message(platform))


async def test_no_consent_is_not_wanted_and_a_bad_field_is_named(platform: Platform) -> None:
    client = platform.client()
    with pytest.raises(NotWanted):
        await client.send(_message(platform))
    await platform.tap("zhang", progress="accept")
    with pytest.raises(ContentFault, match=r"errcode 47003 phrase3 rid [0-9a-f-]+") as caught:
        await client.send(_message(platform, phrase3="not Han"))
    assert isinstance(caught.value, Undeliverable)


async def test_a_page_that_is_not_published_does_not_cost_the_message(platform: Platform) -> None:
    await platform.tap("zhang", progress="accept")
    platform.world.pages = frozenset({"pages/index/index"})
    assert await platform.client().send(_message(platform))
    [message] = await platform.messages("zhang")
    assert message["page"] == ""


async def test_a_wrong_secret_is_a_matter_of_configuration_and_appears_nowhere(platform: Platform, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    client = platform.client(secret="wrong-secret-123")
    with pytest.raises(Configuration) as caught:
        await client.code2session("sandbox-zhang-1")
    await platform.fault("cut")
    with pytest.raises(Unreachable) as cut:
        await client.code2session("sandbox-zhang-2")
    ours = "".join(record.getMessage() for record in caplog.records if record.name != "aiohttp.access")  # that one is the stand-in's
    assert "wrong-secret-123" not in ours + repr(caught.value) + repr(cut.value) + repr(cut.value.__cause__)


async def test_a_telephone_number_and_a_code_picture_come_through(platform: Platform) -> None:
    client = platform.client()
    openid = (await client.code2session("sandbox-zhang-1")).openid
    assert await client.phone_number("sandboxphone-zhang-1", openid) == platform.world.people.phone("zhang")
    assert (await client.unlimited_code("c=abc", "pages/index/index")).startswith(b"\x89PNG")


async def test_a_content_check_that_fails_asks_for_a_person(platform: Platform) -> None:
    client = platform.client()
    openid = (await client.code2session("sandbox-zhang-1")).openid
    verdicts = [await client.check_text(text, openid) for text in ("办得很快", "代办刻章")]
    await platform.fault("5xx")
    assert [*verdicts, await client.check_text("办得很快", openid)] == ["pass", "risky", "review"]
