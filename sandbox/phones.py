"""Pretend phones: residents who log in, apply, follow their case, correct it when asked, and rate the service. HTTP alone.

python -m sandbox.phones --base-url http://127.0.0.1:8080 --wechat-url http://127.0.0.1:8090 --residents 3
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from sandbox.papers import fill_form, photograph

FINAL = "completed"
NAMES = ("zhang", "li", "wang", "zhao", "liu", "chen", "yang", "huang")

_OK = 400
_BUSY = {429, 503}
_TRIES = 8
_POLL = 25


class Displeased(Exception):
    """The server did not do what a resident may expect; the text says which step and what came back."""


@dataclass
class Phone:
    """One resident's phone: it knows the server's address and who holds it, nothing else."""

    user: str
    http: aiohttp.ClientSession
    base_url: str
    wechat_url: str = ""
    say: Callable[[str], None] = print
    token: str = ""
    position: int = 0
    heard: list[str] = field(default_factory=list)

    async def live(self, item: str | None = None) -> str:
        """The whole life of one application; answers the case's decision."""
        await self.log_in()
        await self.consent()
        case = await self.apply(await self.choose(item))
        self.say(f"{self.user}: applied for {case['item']['name']}, number {case['number']}")
        case = await self.follow(case["id"])
        await self.evaluate(case["id"])
        self.say(f"{self.user}: {case['number']} is {case['decision'] or case['state']}, heard {len(self.heard)} events")
        return str(case["decision"] or case["state"])

    async def log_in(self) -> None:
        """wx.login, then our log-in."""
        code = f"sandbox-{self.user}-{secrets.token_hex(8)}"
        answer = await self.call("POST", "/auth/wechat", {"code": code, "device": "sandbox phone"})
        self.token = answer["access_token"]

    async def consent(self) -> None:
        """Tap "allow" for every template, one dialog a kind as the platform demands, and report the choice."""
        templates = (await self.call("GET", "/subscriptions"))["items"]
        for kind in sorted({template["kind"] for template in templates}):
            results = {one["template_id"]: "accept" for one in templates if one["kind"] == kind}
            if self.wechat_url:
                body = {"user": self.user, "results": results}
                async with self.http.post(self.wechat_url + "/sandbox/taps", json=body) as response:
                    response.raise_for_status()
            await self.call("POST", "/subscriptions", {"results": results})

    async def choose(self, code: str | None = None) -> dict[str, Any]:
        """The guide of the wanted item, or of any that can be done online."""
        if code is None:
            listed = (await self.call("GET", "/items?audience=person&limit=100"))["items"]
            code = random.choice([one["code"] for one in listed if one["online"]] or [one["code"] for one in listed])
        guide: dict[str, Any] = await self.call("GET", f"/items/{code}")
        return guide

    async def apply(self, guide: dict[str, Any]) -> dict[str, Any]:
        """Photograph what is asked for, fill in the form, submit."""
        materials = [await self._hand_in(one) for one in guide["materials"] if one["required"] and one["source"] == "upload"]
        body = {"item": guide["code"], "form": fill_form(guide["form"]["fields"], self.user), "materials": materials, "submit": True}
        case: dict[str, Any] = await self.call("POST", "/cases", body)
        return case

    async def follow(self, case_id: str, patience: float = 3600.0) -> dict[str, Any]:
        """Wait for news of the case, correct what is asked for, until it is over."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            case: dict[str, Any] = await self.call("GET", f"/cases/{case_id}")
            if case["public_state"] == FINAL:
                return case
            if case["state"] == "correction_requested":
                await self.correct(case)
            await self._listen()
        raise Displeased(f"{self.user}: no end of {case_id} within {patience:.0f} s")

    async def correct(self, case: dict[str, Any]) -> None:
        """Hand in anew what the officer found wanting."""
        asked = case["correction"] or {}
        guide = await self.choose(case["item"]["code"])
        wrong = {one["name"] for one in asked.get("fields", [])}
        form = {name: value for name, value in fill_form(guide["form"]["fields"], self.user).items() if name in wrong}
        materials = [await self._hand_in({"code": one["material"]}) for one in asked.get("materials", [])]
        await self.call("POST", f"/cases/{case['id']}/corrections", {"form": form, "materials": materials})
        self.say(f"{self.user}: corrected {case['number']}")

    async def evaluate(self, case_id: str) -> None:
        """Rate the service, mostly well."""
        level = random.choices([5, 4, 3], [8, 3, 1])[0]
        try:
            await self.call("POST", f"/cases/{case_id}/evaluation", {"level": level, "tags": [], "text": "办得很快"})
        except Displeased as refusal:
            self.say(f"{self.user}: no rating: {refusal}")

    async def _hand_in(self, material: dict[str, Any]) -> dict[str, Any]:
        form = aiohttp.FormData()
        form.add_field("file", photograph(f"{material['code']} {self.user}"), filename=f"{material['code']}.jpg", content_type="image/jpeg")
        upload = await self.call("POST", "/uploads/simple", form)
        return {"material": material["code"], "uploads": [upload["id"]]}

    async def _listen(self) -> None:
        answer = await self.call("GET", f"/sync?since={self.position}&timeout={_POLL}")
        self.position = answer["next"]
        for event in answer["events"]:
            self.heard.append(event["type"])
            self.say(f"{self.user}: {event['title']} {event['text']}")

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request of the mini-program; repeated with the same key while the server is busy or out of reach."""
        key = secrets.token_hex(16)
        for attempt in range(_TRIES):
            try:
                status, answer, wait = await self._once(method, path, body, key)
            except (aiohttp.ClientError, TimeoutError, OSError) as failure:
                status, answer, wait = 503, {"code": type(failure).__name__}, 0.0
            if status < _OK:
                return answer
            if status == 401 and self.token and not path.startswith("/auth/"):  # noqa: PLR2004 - the access token has ended
                await self.log_in()
            elif status not in _BUSY or isinstance(body, aiohttp.FormData):
                break
            await asyncio.sleep(max(wait, random.uniform(0, 0.2 * 2**attempt)))
        raise Displeased(f"{method} {path}: {status} {answer}")

    async def _once(self, method: str, path: str, body: Any, key: str) -> tuple[int, Any, float]:
        headers = {"Idempotency-Key": key} if method == "POST" else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        content = {"data": body} if isinstance(body, aiohttp.FormData) else {"json": body} if body is not None else {}
        timeout = aiohttp.ClientTimeout(total=_POLL + 15)
        address = self.base_url + "/api/v1" + path
        async with self.http.request(method, address, headers=headers, timeout=timeout, **content) as response:
            answer = await response.json(content_type=None) if response.content_length != 0 else None
            return response.status, answer, float(response.headers.get("Retry-After", 0))


async def play(wish: argparse.Namespace) -> int:
    """All residents at once, each so many applications; answers the number that went wrong."""
    async with aiohttp.ClientSession() as http:
        phones = [
            Phone(f"{NAMES[n % len(NAMES)]}{n // len(NAMES) or ''}", http, wish.base_url.rstrip("/"), wish.wechat_url.rstrip("/"))
            for n in range(wish.residents)
        ]
        ends = await asyncio.gather(*(_residents_life(phone, wish) for phone in phones))
    return sum(ends)


async def _residents_life(phone: Phone, wish: argparse.Namespace) -> int:
    wrong = 0
    for round_ in range(wish.applications) if wish.applications else itertools.count():
        if round_:
            await asyncio.sleep(random.uniform(0, 2 * wish.pause))
        try:
            await phone.live(wish.item)
        except Displeased as complaint:
            wrong += 1
            phone.say(f"{phone.user}: {complaint}")
    return wrong


def main() -> None:
    """Run from the command line; exit status 1 if any application went wrong."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.phones", description="Residents with phones, by HTTP alone.")
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--wechat-url", default="", help="the stand-in platform, so that consent is tapped there too")
    parser.add_argument("--residents", type=int, default=3)
    parser.add_argument("--applications", type=int, default=1, help="applications of each resident; 0: until stopped")
    parser.add_argument("--pause", type=float, default=5.0, help="mean seconds between two applications of a resident")
    parser.add_argument("--item", default=None, help="code of the item to apply for; any, if left out")
    sys.exit(1 if asyncio.run(play(parser.parse_args())) else 0)


if __name__ == "__main__":
    main()
