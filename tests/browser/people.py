"""Somebody in front of a browser, who notices every console error, every foreign address and every barrier."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from handlers import staff
from handlers.errors import Refused
from tests.support.wholetown import PASSWORD, Town, application_for

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "miniprogram" / "node_modules" / "axe-core" / "axe.min.js"
BROWSER = [
    pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)
]  # fmt: skip

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_FIND_BARRIERS = """async (rules) => {
  const { violations } = await axe.run(document, { runOnly: rules });
  return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
}"""

expect.set_options(timeout=30_000)


class Person:
    """One context of the browser with one page; `trouble` collects what must not happen."""

    def __init__(self, context: BrowserContext, page: Page, town: Town) -> None:
        self.context, self.page, self.town = context, page, town
        self.trouble: list[str] = []
        self._expected: set[str] = set()
        context.on("request", self._asked)
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.trouble.append(f"uncaught: {error.error}"))

    @classmethod
    async def begin(
        cls, browser: Browser, town: Town, *, width: int = 1280, height: int = 800, javascript: bool = True, zoom: float = 1.0
    ) -> Self:
        """A fresh context; `zoom` is what a browser's zoom does: fewer, larger pixels."""
        context = await browser.new_context(
            viewport={"width": round(width / zoom), "height": round(height / zoom)},
            device_scale_factor=zoom,
            java_script_enabled=javascript,
            locale="zh-CN",
            base_url=town.base_url,
        )
        return cls(context, await context.new_page(), town)

    async def leave(self) -> None:
        """Close the browser."""
        await self.context.close()

    def expects(self, *words: str) -> None:
        """Complaints of the browser with these words are part of the test, such as "status of 404"."""
        self._expected.update(words)

    async def log_in(self, role: str = "clerk", department: str = "") -> None:
        """Log in as a member of staff by the form; the account is made when it is not there yet."""
        name = f"{role}{department}".lower()
        with suppress(Refused):
            await staff.add(
                self.town.stores.office, username=name, name="李窗口", role=role, password=PASSWORD, department=department, hall="便民大厅"  # type: ignore[arg-type]
            )  # fmt: skip
        await self.page.goto("/login")
        await self.page.get_by_label("用户名").fill(name)
        await self.page.get_by_label("密码").fill(PASSWORD)
        await self.page.get_by_role("button", name="登录").click()
        await expect(self.page.get_by_role("button", name="退出")).to_be_visible()

    async def meets_no_barriers(self) -> None:
        """axe-core finds nothing against WCAG 2.2 A and AA, and nothing sticks out to the right."""
        await self.page.evaluate(AXE.read_text())
        assert await self.page.evaluate(_FIND_BARRIERS, _RULES) == []
        assert await self.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, "scrolls sideways"

    async def gun(self, text: str) -> None:
        """What a scanner gun does: it types faster than fingers, then Enter; each key has its own time, however busy the machine is."""
        gun = await self.page.context.new_cdp_session(self.page)
        keys = [{"type": "keyDown" if one.isascii() else "char", "key": one, "text": one} for one in text]
        enter = {"type": "keyDown", "key": "Enter", "code": "Enter", "text": "\r", "windowsVirtualKeyCode": 13}
        began = time.time()
        timed = [{**key, "timestamp": began + number / 200} for number, key in enumerate((*keys, enter))]
        await asyncio.gather(*(gun.send("Input.dispatchKeyEvent", key) for key in timed))

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        known = {self.town.base_url, self.town.wechat_url}
        if parts.scheme not in {"data", "blob"} and f"{parts.scheme}://{parts.netloc}" not in known:
            self.trouble.append(f"asked a stranger: {request.url}")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(words in message.text for words in self._expected):
            self.trouble.append(f"console: {message.text} ({message.location.get('url')})")


async def applied(town: Town, user: str, item: str = "SJ-03") -> dict[str, Any]:
    """A case of this resident, submitted by the API."""
    resident = await town.resident(user)
    application = await application_for(resident, item)
    case: dict[str, Any] = await resident.call("POST", "/cases", json=application, key=uuid.uuid4().hex, expect=(201,))
    return case


async def shown_code(town: Town, user: str) -> dict[str, str]:
    """The look-up code on this resident's phone: `code` in the QR code, `short` below it."""
    code: dict[str, str] = await (await town.resident(user)).call("POST", "/codes/lookup", json={"purpose": "hall"}, expect=(201,))
    return code
