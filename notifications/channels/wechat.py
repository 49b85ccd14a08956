"""The WeChat platform's HTTP interface: the few calls that this service makes, on one connection pool (decision 9)."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp
from prometheus_client import Counter, Histogram

from notifications.channels import Message
from notifications.channels.wechat_errors import BUSY, PAGE_UNKNOWN, Busy, TemplateFault, TokenStale, Unreachable, WechatError, error
from notifications.channels.wechat_token import Tokens, TokenStore
from storage import trace
from storage.clock import Clock

log = logging.getLogger(__name__)

CALLS = Counter("wechat_calls", "Calls of the WeChat platform by path and error code", ["path", "errcode"])
SECONDS = Histogram("wechat_call_seconds", "Time the WeChat platform took to answer", ["path"])

_TIMEOUT = aiohttp.ClientTimeout(total=8, connect=3)
_LOGIN_TIMEOUT = aiohttp.ClientTimeout(total=4, connect=3)
_SERVER_ERROR = 500
_BUSY_PAUSE = 0.2
_OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NOT_IN_IDS = re.compile(r"[^!-~]")
_PHONE = re.compile(r"[0-9]{5,20}")
_TOKEN = re.compile(r"[!-~]{1,2048}")
_TOKEN_LIFE = 7200
_ID_LENGTH = 64
_ERRCODES = range(-(2**31), 2**31)

MAX_ANSWER = 256 * 1024
"""The longest answer that is read, in bytes; the largest that is expected is a mini-program code of about 100 KiB."""

Verdict = Literal["pass", "review", "risky"]


@dataclass(frozen=True, slots=True, repr=False)
class WechatSession:
    """Who logged in. `session_key` never leaves the server; it is not shown in logs."""

    openid: str
    session_key: str
    unionid: str | None

    def __repr__(self) -> str:
        return "WechatSession(...)"


@dataclass(frozen=True, slots=True)
class Account:
    """A mini-program at the platform, or at the stand-in: `base_url` decides."""

    base_url: str
    appid: str
    secret: str = field(repr=False)


class WechatPlatform:
    """One mini-program's account at the platform. Every call raises WechatError or Unreachable."""

    def __init__(self, session: aiohttp.ClientSession, account: Account, clock: Clock, store: TokenStore | None = None) -> None:
        self._http = session
        self._base = account.base_url.rstrip("/")
        self._appid = account.appid
        self._secret = account.secret
        self._tokens = Tokens(f"wx:token:{account.appid}", self._stable_token, clock, store)

    async def code2session(self, code: str) -> WechatSession:
        """Exchange the code of wx.login for who it is; raises LoginCodeInvalid, UserBlocked, Busy."""
        query = {"appid": self._appid, "secret": self._secret, "js_code": code, "grant_type": "authorization_code"}
        try:
            answer = await self._get("/sns/jscode2session", query, _LOGIN_TIMEOUT)
        except Busy as busy:
            if busy.errcode != BUSY:
                raise
            await asyncio.sleep(_BUSY_PAUSE)
            answer = await self._get("/sns/jscode2session", query, _LOGIN_TIMEOUT)
        return _session(answer)

    async def send(self, message: Message) -> str | None:
        """Send one subscribe message; answers the platform's message id where it gives one. Raises NotSent."""
        body = {
            "touser": message.to,
            "template_id": message.template_id,
            "page": message.page,
            "lang": "en_US" if message.language == "en" else "zh_CN",
            "data": {field: {"value": value} for field, value in message.fields.items()},
        }
        try:
            answer = await self._with_token("/cgi-bin/message/subscribe/send", body)
        except TemplateFault as fault:
            if fault.errcode != PAGE_UNKNOWN:
                raise
            log.error("the page %s is not published: the message goes without it", message.page)  # noqa: TRY400 - the trace says nothing
            del body["page"]
            answer = await self._with_token("/cgi-bin/message/subscribe/send", body)
        return _message_id(answer.get("msgid"))

    async def templates(self) -> list[dict[str, Any]]:
        """The templates added at the platform."""
        answer = await self._with_token("/wxaapi/newtmpl/gettemplate")
        return [template for template in _list(answer.get("data")) if isinstance(template, dict)]

    async def phone_number(self, code: str, openid: str) -> str:
        """The phone number behind a button code, checked to be of this user and this mini-program; raises LoginCodeInvalid."""
        answer = await self._with_token("/wxa/business/getuserphonenumber", {"code": code, "openid": openid})
        info = _dict(answer.get("phone_info"))
        if _dict(info.get("watermark")).get("appid") != self._appid:
            raise WechatError(0, "the number was given to another mini-program")
        number = info.get("purePhoneNumber")
        if not isinstance(number, str) or not _PHONE.fullmatch(number):
            raise Unreachable("/wxa/business/getuserphonenumber: no number")
        return number

    async def unlimited_code(self, scene: str, page: str, *, width: int = 430) -> bytes:
        """A mini-program code as PNG or JPEG bytes; `scene` at most 32 ASCII characters."""
        body = {"scene": scene, "page": page, "width": width, "check_path": False}
        answer = await self._with_token("/wxa/getwxacodeunlimit", body)
        image = answer.get("image")
        if not isinstance(image, bytes):
            raise Unreachable("/wxa/getwxacodeunlimit: no image")
        return image

    async def check_text(self, content: str, openid: str, *, scene: int = 2) -> Verdict:
        """Content check of public free text; a failure of any kind counts as "review", so that a person looks at it."""
        body = {"content": content[:2500], "version": 2, "scene": scene, "openid": openid}
        try:
            answer = await self._with_token("/wxa/msg_sec_check", body)
        except (WechatError, Unreachable) as failure:
            log.warning("content check failed: %s", failure)
            return "review"
        found = _dict(answer.get("result")).get("suggest")
        return found if found in ("pass", "risky") else "review"

    async def _stable_token(self, force: bool) -> tuple[str, int]:  # noqa: FBT001 - the shape that Tokens asks for
        body = {"grant_type": "client_credential", "appid": self._appid, "secret": self._secret, "force_refresh": force}
        answer = await self._post("/cgi-bin/stable_token", {}, body)
        token, life = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token) or not isinstance(life, int):
            raise Unreachable("/cgi-bin/stable_token: no token")
        return token, min(life, _TOKEN_LIFE)

    async def _with_token(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A call with the access token; a stale token is replaced and the call repeated once, never more (complaint 2)."""
        token = await self._tokens.current()
        try:
            return await self._call(path, {"access_token": token}, body)
        except TokenStale:
            await self._tokens.refused(token)
        return await self._call(path, {"access_token": await self._tokens.current()}, body)

    async def _call(self, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None) -> dict[str, Any]:
        return await self._get(path, query) if body is None else await self._post(path, query, body)

    async def _get(self, path: str, query: Mapping[str, str], timeout: aiohttp.ClientTimeout = _TIMEOUT) -> dict[str, Any]:
        return await self._ask("GET", path, query, None, timeout)

    async def _post(self, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:
        # Unescaped UTF-8: \uXXXX was shown to users literally.
        return await self._ask("POST", path, query, json.dumps(body, ensure_ascii=False).encode(), _TIMEOUT)

    async def _ask(
        self, method: str, path: str, query: Mapping[str, str], body: bytes | None, timeout: aiohttp.ClientTimeout
    ) -> dict[str, Any]:
        began = time.perf_counter()
        headers = {trace.HEADER: trace.onward(), **({"Content-Type": "application/json"} if body is not None else {})}
        try:
            async with self._http.request(
                method, self._base + path, params=query, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                status, raw = response.status, await _bounded(response.content)
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            # Not chained: aiohttp's texts may hold the address, and the address holds the secret.
            CALLS.labels(path, type(failure).__name__).inc()
            raise Unreachable(f"{path}: {type(failure).__name__}") from None
        if len(raw) > MAX_ANSWER:
            CALLS.labels(path, "too_long").inc()
            raise Unreachable(f"{path}: an answer of more than {MAX_ANSWER} bytes")
        SECONDS.labels(path).observe(time.perf_counter() - began)
        return _read(path, status, raw)


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    """The answer, or its beginning if it is longer than MAX_ANSWER; leaving the rest unread closes the connection."""
    raw = bytearray()
    while len(raw) <= MAX_ANSWER and (chunk := await content.read(MAX_ANSWER)):
        raw += chunk
    return bytes(raw)


def _session(answer: Mapping[str, Any]) -> WechatSession:
    """Who logged in; raises Unreachable, because an openid that is none would be an account that several people share."""
    openid, unionid = answer.get("openid"), answer.get("unionid")
    if not isinstance(openid, str) or not _OPENID.fullmatch(openid):
        raise Unreachable("/sns/jscode2session: no openid")
    return WechatSession(openid, str(answer.get("session_key") or ""), unionid if isinstance(unionid, str) else None)


def _message_id(msgid: object) -> str | None:
    """What can be kept of a message id. Never an error: the message is out, and a failure now would send it a second time."""
    return _NOT_IN_IDS.sub("", str(msgid))[:_ID_LENGTH] or None if msgid and isinstance(msgid, str | int) else None


def _errcode(answer: Mapping[str, Any]) -> int:
    errcode = int(answer.get("errcode") or 0)
    if errcode not in _ERRCODES:
        raise ValueError("errcode")
    return errcode


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _read(path: str, status: int, raw: bytes) -> dict[str, Any]:
    """The answer as an object; pictures come as {"image": bytes}. Success is `errcode` 0 or none, whatever the HTTP status says."""
    if status >= _SERVER_ERROR:
        CALLS.labels(path, f"http_{status}").inc()
        raise Unreachable(f"{path}: HTTP {status}")
    if raw[:3] in {b"\x89PN", b"\xff\xd8\xff"}:
        CALLS.labels(path, "0").inc()
        return {"image": raw}
    try:
        answer = json.loads(raw)
        errcode = _errcode(answer)
    except (ValueError, AttributeError, TypeError, OverflowError, RecursionError):
        CALLS.labels(path, "nonsense").inc()
        raise Unreachable(f"{path}: no JSON object") from None
    CALLS.labels(path, str(errcode)).inc()
    if errcode:
        raise error(errcode, str(answer.get("errmsg", "")))
    return dict(answer)
