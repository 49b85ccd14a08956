"""Everything one stand-in platform holds, made once and handed to the calls."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox.wechat.faults import Faults
from sandbox.wechat.people import People
from sandbox.wechat.pusher import Pusher, Target
from sandbox.wechat.store import Store
from sandbox.wechat.templates import TEMPLATES, Template
from sandbox.wechat.tokens import Tokens


@dataclass
class Clock:
    """The platform's clock: the machine's, plus what a test has added."""

    offset: float = 0.0

    def __call__(self) -> float:
        """Unix time in seconds."""
        return time.time() + self.offset


@dataclass
class World:
    """The platform as one mini-program sees it; `pages` are those of its published version, None = whatever is asked for."""

    appid: str = "sandbox-appid"
    secret: str = "sandbox-secret"  # noqa: S105 - the sandbox has no secrets
    state: str = ":memory:"
    latency: float = 0.0
    pages: frozenset[str] | None = None
    target: Target = field(default_factory=Target)
    templates: dict[str, Template] = field(default_factory=lambda: dict(TEMPLATES))
    clock: Clock = field(default_factory=Clock)
    faults: Faults = field(default_factory=Faults)
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=2000))
    sending: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.store = Store(self.state)
        self.people = People(self.store, self.appid, self.clock)
        self.tokens = Tokens(self.clock)
        self.pusher: Pusher | None = None

    def push(self, openid: str, event: str, entries: list[dict[str, str]]) -> None:
        """Tell the mini-program's server."""
        if self.pusher is not None:
            self.pusher.push(openid, event, entries, self.clock())


WORLD = web.AppKey("world", World)
"""Where an application keeps its world."""
