"""The WeChat platform's HTTP interface: the few calls that this service makes, on one connection pool (decision 9)."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp
from prometheus_client import Counter, Histogram

from notifications.channels import Message
from notifications.channels.wechat_errors import BUSY, PAGE_UNKNOWN, Busy, TemplateFault, TokenStale, Unreachable, WechatError, error
from notifications.channels.wechat_token import Tokens, TokenStore
from storage.clock import Clock

log = logging.getLogger(__name__)

CALLS = Counter("wechat_calls", "Calls of the WeChat platform by path and error code", ["path", "errcode"])
SECONDS = Histogram("wechat_call_seconds", "Time the WeChat platform took to answer", ["path"])

_TIMEOUT = aiohttp.ClientTimeout(total=8, connect=3)
_LOGIN_TIMEOUT = aiohttp.ClientTimeout(total=4, connect=3)
_SERVER_ERROR = 500
_BUSY_PAUSE = 0.2

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
        return WechatSession(str(answer["openid"]), str(answer.get("session_key", "")), answer.get("unionid"))

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
        return str(answer["msgid"]) if answer.get("msgid") else None

    async def templates(self) -> list[dict[str, Any]]:
        """The templates added at the platform."""
        answer = await self._with_token("/wxaapi/newtmpl/gettemplate")
        return list(answer.get("data", []))

    async def phone_number(self, code: str, openid: str) -> str:
        """The phone number behind a button code, checked to be of this user and this mini-program; raises LoginCodeInvalid."""
        answer = await self._with_token("/wxa/business/getuserphonenumber", {"code": code, "openid": openid})
        info = answer["phone_info"]
        if info.get("watermark", {}).get("appid") != self._appid:
            raise WechatError(0, "the number was given to another mini-program")
        return str(info["purePhoneNumber"])

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
        found = answer.get("result", {}).get("suggest")
        return found if found in {"pass", "risky"} else "review"

    async def _stable_token(self, force: bool) -> tuple[str, int]:  # noqa: FBT001 - the shape that Tokens asks for
        body = {"grant_type": "client_credential", "appid": self._appid, "secret": self._secret, "force_refresh": force}
        answer = await self._post("/cgi-bin/stable_token", {}, body)
        return str(answer["access_token"]), int(answer["expires_in"])

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
        # Unescaped UTF-8: \uXXXX was shown to users literally (field note wechat, 1).
        return await self._ask("POST", path, query, json.dumps(body, ensure_ascii=False).encode(), _TIMEOUT)

    async def _ask(
        self, method: str, path: str, query: Mapping[str, str], body: bytes | None, timeout: aiohttp.ClientTimeout
    ) -> dict[str, Any]:
        began = time.perf_counter()
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            async with self._http.request(
                method, self._base + path, params=query, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                status, raw = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            # Not chained: aiohttp's texts may hold the address, and the address holds the secret.
            CALLS.labels(path, type(failure).__name__).inc()
            raise Unreachable(f"{path}: {type(failure).__name__}") from None
        SECONDS.labels(path).observe(time.perf_counter() - began)
        return _read(path, status, raw)


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
        errcode = int(answer.get("errcode") or 0)
    except (ValueError, AttributeError, TypeError):
        CALLS.labels(path, "nonsense").inc()
        raise Unreachable(f"{path}: no JSON object") from None
    CALLS.labels(path, str(errcode)).inc()
    if errcode:
        raise error(errcode, str(answer.get("errmsg", "")))
    return dict(answer)
