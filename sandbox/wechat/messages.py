"""Subscribe messages: the ledger of consents, the sending, the dialog on the phone (page "订阅消息")."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from aiohttp import web

from sandbox.wechat.answers import Refusal, as_json, as_text, body_of
from sandbox.wechat.fields import check
from sandbox.wechat.templates import LASTING, ONCE, Template
from sandbox.wechat.world import WORLD, World

SENSITIVE = ("法轮", "赌博", "枪支")
MOST_AT_ONCE = 5


async def send(request: web.Request) -> web.Response:
    """POST /cgi-bin/message/subscribe/send."""
    world = request.app[WORLD]
    world.tokens.check(request.query.get("access_token", ""))
    body = await body_of(request)
    openid = str(body.get("touser", ""))
    if world.store.user_of(openid) is None:
        raise Refusal(40003, "invalid openid")
    if openid in world.sending:
        raise Refusal(43108, "concurrent send to the same user")
    world.sending.add(openid)
    try:
        await asyncio.sleep(world.latency)
        return as_text({"errcode": 0, "errmsg": "ok", "msgid": int(_deliver(world, openid, body))})
    finally:
        world.sending.discard(openid)


def _deliver(world: World, openid: str, body: dict[str, Any]) -> str:
    template = world.templates.get(str(body.get("template_id", "")))
    if template is None:
        raise Refusal(40037, "invalid template_id")
    if body.get("page") and world.pages is not None and str(body["page"]).partition("?")[0] not in world.pages:
        raise Refusal(41030, "invalid page")
    data = check(template.fields, body.get("data"))
    if any(word in value for word in SENSITIVE for value in data.values()):
        raise Refusal(45168, "hint: sensitive word in data")
    credit = world.store.credits(openid, template.id)
    if credit < 1:
        raise Refusal(43101, "user refuse to accept the msg")
    if template.kind == ONCE:
        world.store.set_credits(openid, template.id, credit - 1)
    msgid = str(10**18 + secrets.randbelow(8 * 10**18))
    world.store.put_message(msgid, openid, template.id, str(body.get("page", "")), data, world.clock())
    entry = {"TemplateId": template.id, "MsgID": msgid, "ErrorCode": "0", "ErrorStatus": "success"}
    world.push(openid, "subscribe_msg_sent_event", [entry])
    return msgid


async def list_templates(request: web.Request) -> web.Response:
    """GET /wxaapi/newtmpl/gettemplate."""
    world = request.app[WORLD]
    world.tokens.check(request.query.get("access_token", ""))
    return as_json({"errcode": 0, "errmsg": "ok", "data": [template.listing() for template in world.templates.values()]})


async def tap(request: web.Request) -> web.Response:
    """POST /sandbox/taps {user, results: {template_id: accept|reject}}: what wx.requestSubscribeMessage does on the phone."""
    world = request.app[WORLD]
    body = await body_of(request)
    openid = world.people.openid(str(body["user"]))
    results = {str(name): str(choice) for name, choice in body["results"].items()}
    templates = [world.templates[name] for name in results if name in world.templates]
    problem = _dialog_problem(results, templates)
    if problem:
        return as_json(problem)
    for template in templates:
        if results[template.id] == "accept":
            _grant(world, openid, template)
    entries = [{"TemplateId": one.id, "SubscribeStatusString": results[one.id], "PopupScene": "0"} for one in templates]
    world.push(openid, "subscribe_msg_popup_event", entries)
    return as_json({"errMsg": "requestSubscribeMessage:ok", **results})


def _dialog_problem(results: dict[str, str], templates: list[Template]) -> dict[str, Any] | None:
    if not results or len(results) > MOST_AT_ONCE:
        return {"errMsg": "requestSubscribeMessage:fail", "errCode": 20003}
    if len(templates) < len(results):
        return {"errMsg": "requestSubscribeMessage:fail no template data return", "errCode": 20001}
    if len({template.kind for template in templates}) > 1:
        return {"errMsg": "requestSubscribeMessage:fail one-off and long-term mixed", "errCode": 20002}
    return None


def _grant(world: World, openid: str, template: Template) -> None:
    credit = 1 if template.kind == LASTING else world.store.credits(openid, template.id) + 1
    world.store.set_credits(openid, template.id, credit)


async def turn_off(request: web.Request) -> web.Response:
    """POST /sandbox/turn-off {user, template_id}: the user switches a template off in WeChat's own settings."""
    world = request.app[WORLD]
    body = await body_of(request)
    openid = world.people.openid(str(body["user"]))
    world.store.set_credits(openid, str(body["template_id"]), 0)
    world.push(openid, "subscribe_msg_change_event", [{"TemplateId": str(body["template_id"]), "SubscribeStatusString": "reject"}])
    return as_json({})


async def on_phones(request: web.Request) -> web.Response:
    """GET /sandbox/messages?user=: what each phone received, newest first."""
    world = request.app[WORLD]
    found = world.store.messages(request.query.get("user"), int(request.query.get("limit", "200")))
    return as_json([shown(world, one) for one in found])


def shown(world: World, message: Any) -> dict[str, Any]:
    """A message as the phone shows it, with the template's labels."""
    template = world.templates.get(message.template_id)
    lines = template.lines if template else tuple((field, field) for field in message.data)
    return {
        "msgid": message.msgid,
        "user": message.user,
        "template_id": message.template_id,
        "title": template.title if template else "",
        "page": message.page,
        "data": message.data,
        "lines": [[label, message.data.get(field, "")] for label, field in lines],
        "at": message.at,
    }
