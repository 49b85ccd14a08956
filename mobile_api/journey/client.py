"""A client of the API that survives a restart of the server: it repeats what got no answer, with the same idempotency key."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from typing import Any

import aiohttp

_TRY_AGAIN = {502, 503, 504}


class JourneyFailed(Exception):
    """A step did not hold; the text says which and how."""


class Client:
    """One account's connection to the server; `patience` is how many seconds a step may wait for a server that is away."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str, patience: float = 30.0) -> None:
        self._http = http
        self._api = base_url.rstrip("/") + "/api/v1"
        self._patience = patience
        self._refresh = ""
        self.token = ""

    async def log_in(self, user: str) -> Mapping[str, Any]:
        """Log in as a resident of the stand-in WeChat; every call is a new log-in."""
        code = f"sandbox-{user}-{uuid.uuid4().hex}"
        answer = await self.call("POST", "/auth/wechat", json={"code": code, "device": "journey"}, expect=(200, 401))
        if "access_token" not in answer:  # the code was used up by a request whose answer was lost
            return await self.log_in(user)
        return self._keep(answer)

    async def log_in_staff(self, username: str, password: str) -> Mapping[str, Any]:
        """Log in as a member of staff."""
        body = {"username": username, "password": password, "device": "journey"}
        return self._keep(await self.call("POST", "/staff/login", json=body))

    async def call(self, method: str, path: str, *, expect: tuple[int, ...] = (200, 201), key: str = "", **options: Any) -> Any:
        """One request; the decoded answer. Raises JourneyFailed when the status is none of `expect`."""
        status, body = await self.raw(method, path, key=key, **options)
        if status not in expect:
            raise JourneyFailed(f"{method} {path} answered {status}, expected {expect}: {str(body)[:300]}")
        return body

    async def raw(
        self, method: str, path: str, *, key: str = "", headers: Mapping[str, str] | None = None, **options: Any
    ) -> tuple[int, Any]:
        """One request, repeated while the server is away; status and decoded body. An act without a key gets one of its own."""
        deadline = time.monotonic() + self._patience
        key = key or (uuid.uuid4().hex if method == "POST" else "")
        sent = {**({"Idempotency-Key": key} if key else {}), **(headers or {})}
        while True:
            try:
                status, body = await self._once(method, path, sent, options)
            except (aiohttp.ClientError, TimeoutError, ConnectionError):
                status, body = 503, "no connection"
            in_flight = status == 409 and isinstance(body, dict) and body.get("code") == "idempotency_in_flight"  # noqa: PLR2004
            if not (status in _TRY_AGAIN or in_flight) or time.monotonic() > deadline:
                return status, body
            await asyncio.sleep(0.2)

    async def _once(self, method: str, path: str, headers: Mapping[str, str], options: Mapping[str, Any]) -> tuple[int, Any]:
        made = {name: value() if callable(value) else value for name, value in options.items()}
        status, body = await self._send(method, path, headers, made)
        if status == 401 and self._refresh and not path.startswith("/auth/"):  # noqa: PLR2004
            self._keep(await self.call("POST", "/auth/refresh", json={"refresh_token": self._refresh}))
            made = {name: value() if callable(value) else value for name, value in options.items()}
            status, body = await self._send(method, path, headers, made)
        return status, body

    async def _send(self, method: str, path: str, headers: Mapping[str, str], options: Mapping[str, Any]) -> tuple[int, Any]:
        sent = {**headers, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        async with self._http.request(method, self._api + path, headers=sent, **options) as response:
            if "json" in response.headers.get("Content-Type", ""):
                return response.status, await response.json(content_type=None)
            return response.status, await response.read()

    def _keep(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        self.token, self._refresh = answer["access_token"], answer["refresh_token"]
        return answer

    def stream(self, since: int) -> Any:
        """The socket of this account's events from a position; a context manager."""
        return self._http.ws_connect(f"{self._api}/stream?since={since}", headers={"Authorization": f"Bearer {self.token}"})
