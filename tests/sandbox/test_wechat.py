"""The stand-in keeps the platform's rules, so that what works here has met them."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sandbox.wechat.app import make_app
from sandbox.wechat.world import World
from tests.support.wechat import CORRECTION, PROGRESS, RESULT, Platform

GOOD = {"thing1": "建房审批", "character_string2": "130208108-1", "phrase3": "已受理", "time4": "2026年11月24日 09:05", "thing5": "无"}


async def _log_in(platform: Platform, code: str) -> Any:
    query = {"appid": "sandbox-appid", "secret": "sandbox-secret", "grant_type": "authorization_code"}
    return await platform.ask("GET", "/sns/jscode2session", **query, js_code=code)


async def _send(platform: Platform, openid: str, template: str = PROGRESS, **changes: str) -> Any:
    data = {field: {"value": value} for field, value in {**GOOD, **changes}.items()}
    body = {"touser": openid, "template_id": template, "page": "pages/case/index", "data": data}
    return await platform.ask("POST", "/cgi-bin/message/subscribe/send", body, access_token=await platform.token())


async def test_a_code_names_its_user_once(platform: Platform) -> None:
    first = await _log_in(platform, "sandbox-zhang-a1")
    assert (
        first["openid"] == (await _log_in(platform, "sandbox-zhang-a2"))["openid"] != (await _log_in(platform, "sandbox-li-a1"))["openid"]
    )
    again = await _log_in(platform, "sandbox-zhang-a1")
    assert again["errcode"] == 40163
    assert re.search(r" rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$", again["errmsg"])


async def test_the_session_key_changes_with_each_log_in_and_errcode_is_left_out(platform: Platform) -> None:
    first, second = await _log_in(platform, "sandbox-zhang-1"), await _log_in(platform, "sandbox-zhang-2")
    assert first["session_key"] != second["session_key"]
    assert "errcode" not in first


async def test_codes_die_after_five_minutes_and_do_not_serve_for_another_purpose(platform: Platform) -> None:
    issued = [(await platform.ask("POST", "/sandbox/codes", {"user": "zhang", "kind": kind}))["code"] for kind in ("login", "phone")]
    assert (await _log_in(platform, issued[1]))["errcode"] == 40029
    await platform.ask("POST", "/sandbox/clock", {"advance": 301})
    assert (await _log_in(platform, issued[0]))["errcode"] == 40029


async def test_errors_come_as_plain_text_with_status_200(platform: Platform) -> None:
    async with platform.session.get(platform.base_url + "/sns/jscode2session", params={"appid": "other"}) as response:
        assert (response.status, response.content_type) == (200, "text/plain")
        assert '"errcode": 40013' in await response.text()


async def test_a_plain_token_kills_the_one_before_after_five_minutes_a_stable_one_stays(platform: Platform) -> None:
    query = {"appid": "sandbox-appid", "secret": "sandbox-secret", "grant_type": "client_credential"}
    first = (await platform.ask("GET", "/cgi-bin/token", **query))["access_token"]
    second = (await platform.ask("GET", "/cgi-bin/token", **query))["access_token"]
    stable = await platform.token()
    assert first != second
    assert stable == await platform.token()
    await platform.ask("POST", "/sandbox/clock", {"advance": 301})
    answers = [await platform.ask("GET", "/wxaapi/newtmpl/gettemplate", access_token=token) for token in (first, second, stable)]
    assert [answer["errcode"] for answer in answers] == [42001, 0, 0]


async def test_force_refresh_has_a_pause_and_a_daily_limit(platform: Platform) -> None:
    body = {"grant_type": "client_credential", "appid": "sandbox-appid", "secret": "sandbox-secret", "force_refresh": True}
    answers = [await platform.ask("POST", "/cgi-bin/stable_token", body) for _ in range(2)]
    assert answers[1]["errcode"] == 45011
    for _ in range(20):
        await platform.ask("POST", "/sandbox/clock", {"advance": 31})
        last = await platform.ask("POST", "/cgi-bin/stable_token", body)
    assert last["errcode"] == 45009


async def test_one_consent_is_one_message_unless_it_is_lasting(platform: Platform) -> None:
    openid = (await _log_in(platform, "sandbox-zhang-1"))["openid"]
    result = {"phrase3": "已办结", "date4": "2026年11月24日"}
    assert (await _send(platform, openid, RESULT, **result))["errcode"] == 43101
    await platform.tap("zhang", result="accept")
    await platform.tap("zhang", progress="accept")
    once = [(await _send(platform, openid, RESULT, **result))["errcode"] for _ in range(2)]
    lasting = [(await _send(platform, openid))["errcode"] for _ in range(2)]
    assert (once, lasting) == ([0, 43101], [0, 0])
    assert [message["title"] for message in await platform.messages("zhang")] == ["办理进度提醒", "办理进度提醒", "办理结果通知"]


async def test_the_dialog_does_not_mix_kinds(platform: Platform) -> None:
    assert (await platform.tap("zhang", result="accept", progress="accept"))["errCode"] == 20002


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("thing1", "字" * 21),
        ("thing1", "有\n换行"),
        ("phrase3", "超过五个汉字"),
        ("phrase3", "ok"),
        ("character_string2", "编号一"),
        ("time4", "25:00"),
        ("time4", "昨天"),
        ("thing5", ""),
    ],
)
async def test_a_field_that_breaks_its_rule_is_named(platform: Platform, field: str, value: str) -> None:
    openid = (await _log_in(platform, "sandbox-zhang-1"))["openid"]
    await platform.tap("zhang", progress="accept")
    answer = await _send(platform, openid, **{field: value})
    assert answer["errcode"] == 47003
    assert f"data.{field}.value" in answer["errmsg"]


async def test_wrong_addressee_template_word_and_token_each_have_their_number(platform: Platform) -> None:
    openid = (await _log_in(platform, "sandbox-zhang-1"))["openid"]
    await platform.tap("zhang", progress="accept")
    answers = [await _send(platform, "o-nobody"), await _send(platform, openid, "unknown"), await _send(platform, openid, thing5="赌博")]
    assert [answer["errcode"] for answer in answers] == [40003, 40037, 45168]
    bad = await platform.ask("POST", "/cgi-bin/message/subscribe/send", {}, access_token="old")
    assert bad["errcode"] == 40001


async def test_two_sends_to_one_person_at_once_are_refused(platform: Platform) -> None:
    openid = (await _log_in(platform, "sandbox-zhang-1"))["openid"]
    await platform.tap("zhang", progress="accept")
    platform.world.latency = 0.2
    answers = await asyncio.gather(_send(platform, openid), _send(platform, openid))
    assert sorted(answer["errcode"] for answer in answers) == [0, 43108]


async def test_the_code_picture_is_a_picture_or_json_that_says_why_not(platform: Platform) -> None:
    address, token = platform.base_url + "/wxa/getwxacodeunlimit", await platform.token()
    async with platform.session.post(address, params={"access_token": token}, json={"scene": "c=abc"}) as response:
        assert (await response.read()).startswith(b"\x89PNG")
    async with platform.session.post(address, params={"access_token": token}, json={"scene": "受理"}) as response:
        assert (await response.json(content_type=None))["errcode"] == 40169


async def test_a_telephone_code_gives_the_number_to_its_own_user_only(platform: Platform) -> None:
    zhang, li = [(await _log_in(platform, f"sandbox-{user}-1"))["openid"] for user in ("zhang", "li")]
    path, token = "/wxa/business/getuserphonenumber", await platform.token()
    good = await platform.ask("POST", path, {"code": "sandboxphone-zhang-1", "openid": zhang}, access_token=token)
    stolen = await platform.ask("POST", path, {"code": "sandboxphone-zhang-2", "openid": li}, access_token=token)
    assert good["phone_info"]["purePhoneNumber"].startswith("199")
    assert stolen["errcode"] == 40029


async def test_the_word_list_judges_text(platform: Platform) -> None:
    openid, token = (await _log_in(platform, "sandbox-zhang-1"))["openid"], await platform.token()
    verdicts = []
    for content in ("办得很快", "加微信办证", "代办刻章"):
        body = {"content": content, "version": 2, "scene": 2, "openid": openid}
        verdicts.append((await platform.ask("POST", "/wxa/msg_sec_check", body, access_token=token))["result"]["suggest"])
    assert verdicts == ["pass", "review", "risky"]


@pytest.mark.parametrize("kind", ["40001", "-1", "45009", "45011"])
async def test_a_fault_strikes_as_often_as_asked(platform: Platform, kind: str) -> None:
    token = await platform.token()
    await platform.fault(kind, times=2, path="/wxaapi")
    answers = [await platform.ask("GET", "/wxaapi/newtmpl/gettemplate", access_token=token) for _ in range(3)]
    assert [answer["errcode"] for answer in answers] == [int(kind), int(kind), 0]


async def test_a_platform_that_is_down_cuts_the_connection(platform: Platform) -> None:
    await platform.fault("down")
    with pytest.raises(aiohttp.ClientError):
        await platform.token()
    await platform.heal()
    assert await platform.token()


async def test_the_log_shows_calls_without_secrets(platform: Platform) -> None:
    await _log_in(platform, "sandbox-zhang-1")
    log = await platform.ask("GET", "/sandbox/log", path="/sns")
    assert [entry["path"] for entry in log] == ["/sns/jscode2session"]
    assert "sandbox-secret" not in str(log)


async def test_messages_and_consents_outlive_a_restart(tmp_path: Any) -> None:
    for expected in (0, 1):
        world = World(state=str(tmp_path / "wechat.db"))
        async with TestServer(make_app(world)) as server, aiohttp.ClientSession() as session:
            platform = Platform(world, str(server.make_url("")).rstrip("/"), session)
            assert len(await platform.messages("zhang")) == expected
            if not expected:
                await platform.tap("zhang", progress="accept")
            assert (await _send(platform, world.people.openid("zhang")))["errcode"] == 0


async def test_the_page_shows_what_the_phones_got(platform: Platform) -> None:
    await platform.tap("zhang", progress="accept")
    await _send(platform, platform.world.people.openid("zhang"), thing5="<b>请查看</b>")
    async with platform.session.get(platform.base_url + "/") as response:
        text = await response.text()
    assert "zhang 的手机" in text
    assert "办理进度提醒" in text
    assert "&lt;b&gt;请查看" in text


async def test_an_event_is_delivered_three_times_with_the_same_query_unless_answered_well(platform: Platform) -> None:
    seen: list[str] = []

    async def grumble(request: web.Request) -> web.Response:
        seen.append(request.query_string)
        return web.Response(text="received")

    app = web.Application()
    app.router.add_post("/push", grumble)
    async with TestServer(app) as server:
        await platform.ask("POST", "/sandbox/pusher", {"url": str(server.make_url("/push")), "pause": 0.01})
        await platform.tap("zhang", correction="accept")
        assert platform.world.pusher is not None
        await asyncio.gather(*platform.world.pusher.tasks)
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert platform.world.pusher.counts == {"events": 1, "deliveries": 3, "given_up": 1}


async def test_a_template_turned_off_in_the_settings_takes_no_more_messages(platform: Platform) -> None:
    await platform.tap("zhang", progress="accept")
    await platform.ask("POST", "/sandbox/turn-off", {"user": "zhang", "template_id": PROGRESS})
    assert (await _send(platform, platform.world.people.openid("zhang")))["errcode"] == 43101


def test_every_template_of_the_stand_in_has_an_id_of_ours() -> None:
    assert {PROGRESS, CORRECTION, RESULT} == set(World().templates)
