"""The access token: fetched once however many ask, shared with other processes, thrown away only by whom it failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from storage.clock import Clock

log = logging.getLogger(__name__)

EARLY_SECONDS = 300
"""A token is renewed this long before its end; the platform's stable_token begins to give the next one then."""

FORCE_SECONDS = 60
FORCE_PER_DAY = 15
"""Own limits on force_refresh, below the platform's (30 seconds apart, 20 a day)."""


class TokenStore(Protocol):
    """A place that several processes share; it may lose everything at any time."""

    async def get(self, name: str, /) -> bytes | None:
        """What is kept under the name."""
        ...

    async def put(self, name: str, value: bytes, seconds: int, /) -> object:
        """Keep a value for so many seconds."""
        ...


class Token(msgspec.Struct, frozen=True):
    """A token and the Unix time until which we use it."""

    value: str
    good_until: float


@dataclass
class _Force:
    """How often a fresh token was demanded lately."""

    last: float = 0.0
    day: int = 0
    used: int = 0

    def allow(self, now: float) -> bool:
        """Count one demand, if it is within the limits."""
        if self.day != int(now // 86400):
            self.day, self.used = int(now // 86400), 0
        if now - self.last < FORCE_SECONDS or self.used >= FORCE_PER_DAY:
            return False
        self.last, self.used = now, self.used + 1
        return True


class Tokens:
    """Gives the current token. `fetch(force)` asks the platform and answers (token, seconds of life)."""

    def __init__(self, name: str, fetch: Callable[[bool], Awaitable[tuple[str, int]]], clock: Clock, store: TokenStore | None) -> None:
        self._name = name
        self._fetch = fetch
        self._clock = clock
        self._store = store
        self._token: Token | None = None
        self._stale = ""
        self._force = _Force()
        self._lock = asyncio.Lock()

    async def current(self) -> str:
        """A token that ought to be valid; however many ask at once, the platform is asked once."""
        if self._good(self._token) is None:
            async with self._lock:
                if self._good(self._token) is None:
                    self._token = self._good(await self._shared()) or await self._new(force=False)
        return self._token.value if self._token else ""

    async def refused(self, token: str) -> None:
        """The platform refused this token: get another, unless somebody already has."""
        async with self._lock:
            if self._token is not None and self._token.value != token:
                return
            self._token, self._stale = None, token
            self._token = self._good(await self._shared()) or await self._new(force=False)
            if self._token.value == token and self._force.allow(self._now()):
                self._token = await self._new(force=True)

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _good(self, token: Token | None) -> Token | None:
        return token if token is not None and token.value != self._stale and self._now() < token.good_until else None

    async def _new(self, *, force: bool) -> Token:
        value, life = await self._fetch(force)
        seconds = max(life - EARLY_SECONDS, 1)
        token = Token(value, self._now() + seconds)
        if value == self._stale:
            self._stale = ""
        try:
            if self._store is not None:
                await self._store.put(self._name, msgspec.json.encode(token), seconds)
        except Exception as error:  # noqa: BLE001 - the shared copy only spares calls
            log.warning("the WeChat token is not shared: %s", type(error).__name__)
        return token

    async def _shared(self) -> Token | None:
        try:
            kept = await self._store.get(self._name) if self._store is not None else None
            return msgspec.json.decode(kept, type=Token) if kept else None
        except Exception as error:  # noqa: BLE001 - without it the platform is asked
            log.warning("the shared WeChat token cannot be read: %s", type(error).__name__)
            return None
