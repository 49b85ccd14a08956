"""The stand-in WeChat platform on a real port, and our client in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from notifications.channels.wechat import Account, WechatPlatform
from notifications.templates import load
from sandbox.wechat.app import make_app
from sandbox.wechat.world import World
from storage.clock import SystemClock

TEMPLATES = load(Path(__file__).parents[2] / "config" / "templates" / "wechat.toml")
PROGRESS, CORRECTION, RESULT = (TEMPLATES.by_name[name].template_id for name in ("progress", "correction", "result"))


class Platform:
    """The stand-in while it runs: its world to look into, its address, and a plain HTTP session."""

    def __init__(self, world: World, base_url: str, session: aiohttp.ClientSession) -> None:
        self.world = world
        self.base_url = base_url
        self.session = session

    async def ask(self, method: str, path: str, body: Any = None, /, **query: str) -> Any:
        """A call as any client makes it; the answer as JSON, whatever it calls itself."""
        async with self.session.request(method, self.base_url + path, json=body, params=query) as response:
            assert response.status == 200
            return await response.json(content_type=None)

    async def token(self) -> str:
        body = {"grant_type": "client_credential", "appid": self.world.appid, "secret": self.world.secret}
        return (await self.ask("POST", "/cgi-bin/stable_token", body))["access_token"]

    async def tap(self, user: str, **results: str) -> Any:
        by_id = {TEMPLATES.by_name[name].template_id: choice for name, choice in results.items()}
        return await self.ask("POST", "/sandbox/taps", {"user": user, "results": by_id})

    async def fault(self, kind: str, **wish: Any) -> None:
        await self.ask("POST", "/sandbox/faults", {"kind": kind, **wish})

    async def heal(self) -> None:
        await self.ask("DELETE", "/sandbox/faults")

    async def messages(self, user: str) -> list[dict[str, Any]]:
        return await self.ask("GET", "/sandbox/messages", user=user)

    def calls(self, path: str) -> list[dict[str, Any]]:
        return [entry for entry in self.world.log if entry["path"] == path]

    def client(self, *, secret: str | None = None, clock: Any = None, store: Any = None) -> WechatPlatform:
        account = Account(self.base_url, self.world.appid, secret or self.world.secret)
        return WechatPlatform(self.session, account, clock or SystemClock(), store)


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    world = World()
    async with TestServer(make_app(world)) as server, aiohttp.ClientSession() as session:
        yield Platform(world, str(server.make_url("")).rstrip("/"), session)
