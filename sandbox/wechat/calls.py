"""The platform's other calls: log-in, tokens, telephone number, mini-program code, content check."""

from __future__ import annotations

import hmac
import io
import json
import re
import time

import qrcode
from aiohttp import web

from sandbox.wechat.answers import Refusal, as_json, as_text, body_of
from sandbox.wechat.world import WORLD, World

RISKY = ("赌博", "代办刻章", "枪支")
REVIEW = ("加微信", "转账")
_SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}")
_MOST_TEXT = 2500


def _check_account(world: World, appid: str, secret: str) -> None:
    if not appid:
        raise Refusal(41002, "appid missing")
    if appid != world.appid:
        raise Refusal(40013, "invalid appid")
    if not secret:
        raise Refusal(41004, "appsecret missing")
    if not hmac.compare_digest(secret.encode(), world.secret.encode()):
        raise Refusal(40125, "invalid appsecret")


async def code2session(request: web.Request) -> web.Response:
    """GET /sns/jscode2session."""
    world, query = request.app[WORLD], request.query
    _check_account(world, query.get("appid", ""), query.get("secret", ""))
    openid, session_key = world.people.log_in(world.people.redeem("login", query.get("js_code", "")))
    return as_text({"session_key": session_key, "openid": openid})


async def plain_token(request: web.Request) -> web.Response:
    """GET /cgi-bin/token."""
    world, query = request.app[WORLD], request.query
    _check_account(world, query.get("appid", ""), query.get("secret", ""))
    if query.get("grant_type") != "client_credential":
        raise Refusal(40002, "invalid grant_type")
    token, seconds = world.tokens.give_plain()
    return as_json({"access_token": token, "expires_in": seconds})


async def stable_token(request: web.Request) -> web.Response:
    """POST /cgi-bin/stable_token."""
    world, body = request.app[WORLD], await body_of(request)
    _check_account(world, str(body.get("appid", "")), str(body.get("secret", "")))
    if body.get("grant_type") != "client_credential":
        raise Refusal(40002, "invalid grant_type")
    token, seconds = world.tokens.give_stable(force=body.get("force_refresh") is True)
    return as_json({"access_token": token, "expires_in": seconds})


async def phone_number(request: web.Request) -> web.Response:
    """POST /wxa/business/getuserphonenumber."""
    world = request.app[WORLD]
    world.tokens.check(request.query.get("access_token", ""))
    body = await body_of(request)
    user = world.people.redeem("phone", str(body.get("code", "")))
    if body.get("openid") not in {None, world.people.openid(user)}:
        raise Refusal(40029, "invalid code")
    number = world.people.phone(user)
    watermark = {"timestamp": int(time.time()), "appid": world.appid}
    info = {"phoneNumber": number, "purePhoneNumber": number, "countryCode": "86", "watermark": watermark}
    return as_json({"errcode": 0, "errmsg": "ok", "phone_info": info})


async def unlimited_code(request: web.Request) -> web.Response:
    """POST /wxa/getwxacodeunlimit: a real picture, or JSON that says why not."""
    world = request.app[WORLD]
    world.tokens.check(request.query.get("access_token", ""))
    body = await body_of(request)
    scene, page = str(body.get("scene", "")), str(body.get("page", "pages/index/index"))
    if not _SCENE.fullmatch(scene):
        raise Refusal(40169, "invalid length for scene, or the data is not json string")
    if page.startswith("/") or "?" in page:
        raise Refusal(41030, "invalid page")
    picture = io.BytesIO()
    qrcode.make(f"sandbox-mini-program:{page}?scene={scene}").save(picture)
    return web.Response(body=picture.getvalue(), content_type="image/png")


async def check_text(request: web.Request) -> web.Response:
    """POST /wxa/msg_sec_check, version 2, by a word list."""
    world = request.app[WORLD]
    world.tokens.check(request.query.get("access_token", ""))
    body = await body_of(request)
    content = str(body.get("content", ""))
    if world.store.user_of(str(body.get("openid", ""))) is None:
        raise Refusal(40003, "invalid openid")
    if not content or len(content) > _MOST_TEXT or body.get("scene") not in {1, 2, 3, 4}:
        raise Refusal(40129, "invalid scene or content")
    suggest, label = _verdict(content)
    return as_json({"errcode": 0, "errmsg": "ok", "result": {"suggest": suggest, "label": label}, "detail": [], "trace_id": "sandbox"})


def _verdict(content: str) -> tuple[str, int]:
    if any(word in content for word in RISKY):
        return "risky", 20006
    return ("review", 21000) if any(word in content for word in REVIEW) else ("pass", 100)


async def issue_code(request: web.Request) -> web.Response:
    """POST /sandbox/codes {user, kind: login|phone}: the code that the phone would get."""
    body = await body_of(request)
    kind = "phone" if body.get("kind") == "phone" else "login"
    return as_json({"code": request.app[WORLD].people.issue(kind, str(body["user"]))})


async def expire_tokens(request: web.Request) -> web.Response:
    """POST /sandbox/tokens/expire: every token dies now."""
    request.app[WORLD].tokens.expire_all()
    return as_json({})


async def advance_clock(request: web.Request) -> web.Response:
    """POST /sandbox/clock {advance: seconds}."""
    world = request.app[WORLD]
    world.clock.offset += float((await body_of(request))["advance"])
    return as_json({"now": world.clock()})


async def add_fault(request: web.Request) -> web.Response:
    """POST /sandbox/faults {kind, times, path, seconds, rate}."""
    try:
        fault = request.app[WORLD].faults.add(await body_of(request))
    except ValueError as error:
        return web.Response(status=422, text=json.dumps({"error": str(error)}), content_type="application/json")
    return as_json({"kind": fault.kind, "times": fault.times, "path": fault.path})


async def clear_faults(request: web.Request) -> web.Response:
    """DELETE /sandbox/faults."""
    request.app[WORLD].faults.active.clear()
    return as_json({})


async def show_log(request: web.Request) -> web.Response:
    """GET /sandbox/log?path=: the calls that came, oldest first, secrets left out."""
    prefix = request.query.get("path", "/")
    return as_json([entry for entry in request.app[WORLD].log if entry["path"].startswith(prefix)])


async def set_pusher(request: web.Request) -> web.Response:
    """POST /sandbox/pusher {url, format, mode, ...}: set the callback as in the console; answers the deliveries so far."""
    world = request.app[WORLD]
    for name, value in (await body_of(request)).items():
        if not hasattr(world.target, name):
            raise Refusal(40097, f"no such setting of the push: {name}")
        setattr(world.target, name, value)
    return as_json(world.pusher.counts if world.pusher else {})


async def check_pusher(request: web.Request) -> web.Response:
    """POST /sandbox/pusher/check: the console's echostr check of our address."""
    world = request.app[WORLD]
    return as_json({"ok": world.pusher is not None and await world.pusher.check()})
