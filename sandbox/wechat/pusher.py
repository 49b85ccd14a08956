"""Pushes events to the mini-program's server: XML or JSON, plain, safe or both; three deliveries of the very same request."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

import aiohttp

from sandbox.wechat.crypto import encrypt, sign

DELIVERIES = 3
GOOD_ANSWERS = {b"", b"success"}
_OK = 200


@dataclass
class Target:
    """Where events go and how: what the console's page for the message push holds."""

    url: str = ""
    token: str = "sandbox-token"  # noqa: S105 - the sandbox has no secrets
    aes_key: str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
    appid: str = "sandbox-appid"
    format: str = "json"
    mode: str = "safe"
    limit: float = 5.0
    pause: float = 5.0


@dataclass
class Pusher:
    """Delivers events; `counts` says how many deliveries each event took."""

    target: Target
    session: aiohttp.ClientSession
    counts: dict[str, int] = field(default_factory=lambda: {"events": 0, "deliveries": 0, "given_up": 0})
    tasks: set[asyncio.Task[bool]] = field(default_factory=set)

    def push(self, openid: str, event: str, entries: list[dict[str, str]], at: float | None = None) -> None:
        """Deliver an event in the background, if a callback is set."""
        if not self.target.url:
            return
        self.counts["events"] += 1
        body = render(self.target.format, openid, event, entries, int(at or time.time()))
        task = asyncio.create_task(self._deliver(openid, body))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def check(self) -> bool:
        """The console's check of the address: GET with echostr; the answer must be exactly that."""
        echo = secrets.token_hex(10)
        query = {**self._query(), "echostr": echo}
        async with self.session.get(self.target.url, params=query, timeout=aiohttp.ClientTimeout(total=self.target.limit)) as response:
            return response.status == _OK and await response.read() == echo.encode()

    async def close(self) -> None:
        """Stop every delivery."""
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _deliver(self, openid: str, body: bytes) -> bool:
        # One query for all deliveries: a replay check of the receiver must not answer an error to the second.
        query = {**self._query(), "openid": openid}
        if self.target.mode != "plain":
            body = self._sealed(body, query)
        for attempt in range(DELIVERIES):
            if attempt:
                await asyncio.sleep(self.target.pause)
            self.counts["deliveries"] += 1
            if await self._post(query, body):
                return True
        self.counts["given_up"] += 1
        return False

    async def _post(self, query: dict[str, str], body: bytes) -> bool:
        kind = "text/xml" if self.target.format == "xml" else "application/json"
        timeout = aiohttp.ClientTimeout(total=self.target.limit)
        try:
            async with self.session.post(
                self.target.url, params=query, data=body, headers={"Content-Type": kind}, timeout=timeout
            ) as response:
                return response.status == _OK and await response.read() in GOOD_ANSWERS
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _query(self) -> dict[str, str]:
        timestamp, nonce = str(int(time.time())), str(secrets.randbelow(10**10))
        return {"signature": sign(self.target.token, timestamp, nonce), "timestamp": timestamp, "nonce": nonce}

    def _sealed(self, body: bytes, query: dict[str, str]) -> bytes:
        sealed = encrypt(body, self.target.aes_key, self.target.appid)
        query["encrypt_type"] = "aes"
        query["msg_signature"] = sign(self.target.token, query["timestamp"], query["nonce"], sealed)
        more: dict[str, Any] = {"ToUserName": "gh_sandbox", "Encrypt": sealed}
        if self.target.format == "xml":
            plain = (
                body.decode().removeprefix("<xml>").removesuffix("</xml>")
                if self.target.mode == "compatible"
                else _xml(ToUserName="gh_sandbox")
            )
            return f"<xml>{plain}{_xml(Encrypt=sealed)}</xml>".encode()
        if self.target.mode == "compatible":
            more = {**json.loads(body), **more}
        return json.dumps(more).encode()


def render(form: str, openid: str, event: str, entries: list[dict[str, str]], at: int) -> bytes:
    """An event as the platform writes it: in JSON `List` is an object if there is one entry, an array if several."""
    head = {"ToUserName": "gh_sandbox", "FromUserName": openid, "CreateTime": at, "MsgType": "event", "Event": event}
    if form == "json":
        return json.dumps({**head, "List": entries[0] if len(entries) == 1 else entries}, ensure_ascii=False).encode()
    wrapper = "".join(word.capitalize() for word in event.split("_"))
    inner = "".join(f"<List>{_xml(**entry)}</List>" for entry in entries)
    return f"<xml>{_xml(**head)}<{wrapper}>{inner}</{wrapper}></xml>".encode()


def _xml(**values: object) -> str:
    return "".join(f"<{name}>{value if isinstance(value, int) else _cdata(str(value))}</{name}>" for name, value in values.items())


def _cdata(value: str) -> str:
    return f"<![CDATA[{value}]]>" if "]]>" not in value else escape(value)
