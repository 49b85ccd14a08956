"""The steps of the job: find, read, photograph, apply, show the code, follow, evaluate; each checks what a resident would notice."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from mobile_api.journey.client import Client, JourneyFailed
from mobile_api.journey.sample import fill_form, photo

_ENDS = {"case.completed", "case.not_accepted", "case.withdrawn"}


@dataclass
class Journey:
    """One resident's job from log-in to evaluation; `say` hears one line a step."""

    client: Client
    item: str
    say: Callable[[str], None]
    user: str = field(default_factory=lambda: f"journey{uuid.uuid4().hex[:8]}")
    patience: float = 120.0
    case: dict[str, Any] = field(default_factory=dict)
    guide: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    position: int = 0

    async def play(self) -> dict[str, Any]:
        """Everything, in order; the finished case."""
        await self.log_in()
        await self.read_guide()
        await self.refused_uploads()
        await self.apply()
        await self.receipt()
        await self.follow()
        await self.check_history()
        await self.evaluate()
        return self.case

    async def log_in(self) -> None:
        """Log in with WeChat."""
        answer = await self.client.log_in(self.user)
        need(answer["resident"]["id"], "the log-in names no resident")
        self.say(f"logged in as {self.user}")

    async def read_guide(self) -> None:
        """Find the item by search and read its guide."""
        self.guide = await self.client.call("GET", f"/items/{self.item}")
        found = await self.client.call("GET", "/items", params={"q": self.guide["name"][:4]})
        need(any(item["code"] == self.item for item in found["items"]), f"a search for its name does not find {self.item}")
        counts = f"{len(self.guide['materials'])} materials, {len(self.guide['departments'])} departments"
        self.say(f"found {self.guide['name']}: {counts}")

    async def refused_uploads(self) -> None:
        """A text that calls itself a photo is refused with a reason."""
        status, problem = await self._upload(b"this is no picture", "photo.jpg")
        need(status == 422 and problem["code"].startswith("upload_"), f"text named .jpg was not refused: {status} {problem}")  # noqa: PLR2004
        self.say(f"a text named photo.jpg was refused: {problem['title']}")

    async def apply(self) -> None:
        """Hand in form and photographed certificates; a forgotten material is named, a repeated request changes nothing."""
        body = {"item": self.item, "form": fill_form(self.guide["form"]["fields"]), "materials": await self._materials(), "submit": True}
        await self._forget_one(body)
        key = uuid.uuid4().hex
        self.case = await self.client.call("POST", "/cases", json=body, key=key, expect=(201,))
        again = await self.client.call("POST", "/cases", json=body, key=key, expect=(201,))
        need(again["id"] == self.case["id"], "the same request with the same key made a second case")
        self.say(f"applied: case {self.case['number']}")

    async def receipt(self) -> None:
        """The receipt can be shown and printed; anybody may ask by its code and learns nothing personal."""
        png = await self.client.call("GET", f"/cases/{self.case['id']}/receipt.png")
        need(png[:8] == b"\x89PNG\r\n\x1a\n", "the receipt is no PNG")
        public = await self.client.call("GET", f"/r/{self.case['receipt_code']}")
        need(
            not set(public) - {"item", "stage", "stage_name", "promised_on", "provisional"},
            f"the anonymous answer says too much: {sorted(public)}",
        )
        self.say(f"receipt code answers: {public['stage_name']}")

    async def follow(self) -> None:
        """Follow the events until the case is done, correcting what is asked for."""
        deadline = time.monotonic() + self.patience
        while not any(event["type"] in _ENDS and event["case"]["id"] == self.case["id"] for event in self.events):
            need(time.monotonic() < deadline, f"no end after {self.patience:.0f} s; last event: {self._last()}")
            answer = await self.client.call("GET", "/sync", params={"since": str(self.position), "timeout": "5"})
            for event in answer["events"]:
                await self._take(event)
            self.position = answer["next"]
        self.case = await self.client.call("GET", f"/cases/{self.case['id']}")

    async def check_history(self) -> None:
        """The timeline has no gap, every department answered, and the line of events is whole from its beginning."""
        history = await self.client.call("GET", f"/cases/{self.case['id']}/events")
        need([event["seq"] for event in history["items"]] == list(range(1, len(history["items"]) + 1)), "the timeline has a gap")
        due = await self.client.call("GET", f"/cases/{self.case['id']}/due-dates")
        reviews = [task for task in self.case["tasks"] if task["step"] == "review"]
        if self.case["decision"]:
            need(all(task["state"] == "done" for task in reviews), "decided although a department has not answered")
            asked = {task["department"]["code"] for task in reviews}
            wanted = {part["department"]["code"] for part in self.guide["departments"]}
            need(wanted <= asked, f"not every department was asked: {', '.join(sorted(wanted - asked))}")
            need(due["promised"]["steps"], "the due date is not explained")
        await self._replay()
        self.say(f"timeline of {len(history['items'])} lines without a gap, {len(reviews)} reviews answered, replayed over the socket")

    async def evaluate(self) -> None:
        """Rate the service; a second rating is refused."""
        path, body = f"/cases/{self.case['id']}/evaluation", {"level": 5, "tags": ["办事快"], "text": "很方便"}
        key = uuid.uuid4().hex
        self.case = await self.client.call("POST", path, json=body, key=key)
        status, _ = await self.client.raw("POST", path, json=body, key=uuid.uuid4().hex)
        need(status == 409, f"a second rating answered {status}")  # noqa: PLR2004
        self.say("evaluated")

    async def _take(self, event: Mapping[str, Any]) -> None:
        need(event["n"] == len(self.events) + 1, f"event {event['n']} came where {len(self.events) + 1} was next")
        self.events.append(dict(event))
        self.say(f"event {event['n']}: {event['title']} {event['text']}")
        if event["type"] == "case.correction_requested":
            await self._correct()

    async def _correct(self) -> None:
        case = await self.client.call("GET", f"/cases/{self.case['id']}")
        if case["state"] != "correction_requested":
            return
        filled = fill_form(self.guide["form"]["fields"])
        form = {note["name"]: filled[note["name"]] for note in case["correction"]["fields"]}
        materials = [
            {"material": note["material"], "uploads": [await self._photo(note["material"])]} for note in case["correction"]["materials"]
        ]
        await self.client.call(
            "POST", f"/cases/{case['id']}/corrections", json={"form": form, "materials": materials}, key=uuid.uuid4().hex
        )
        self.say("corrected what was asked for")

    async def _forget_one(self, body: Mapping[str, Any]) -> None:
        needed = {rule["code"] for rule in self.guide["materials"] if rule["required"] and not rule["tolerable"]}
        kept = [one for one in body["materials"] if one["material"] not in needed]
        if len(kept) == len(body["materials"]):
            return
        status, problem = await self.client.raw("POST", "/cases", json={**body, "materials": kept}, key=uuid.uuid4().hex)
        need(status == 422 and problem["code"] == "missing_material" and problem["errors"], f"missing materials answered {status}")  # noqa: PLR2004
        self.say(f"without its certificates the application is refused: {len(problem['errors'])} missing")

    async def _materials(self) -> list[dict[str, Any]]:
        rules = [rule for rule in self.guide["materials"] if rule["required"] and rule["source"] == "upload"]
        return [{"material": rule["code"], "uploads": [await self._photo(rule["code"])]} for rule in rules]

    async def _photo(self, name: str) -> str:
        status, upload = await self._upload(photo(f"{self.item} {name}"), f"{name}.jpg")
        need(status == 201, f"the photo was not taken: {status} {upload}")  # noqa: PLR2004
        return str(upload["id"])

    async def _upload(self, content: bytes, name: str) -> tuple[int, Any]:
        def form() -> aiohttp.FormData:
            data = aiohttp.FormData()
            data.add_field("file", content, filename=name, content_type="image/jpeg")
            return data

        return await self.client.raw("POST", "/uploads/simple", data=form)

    async def _replay(self) -> None:
        """The same events again over the socket, opened anew from the last one when it breaks."""
        seen: list[int] = []
        deadline = time.monotonic() + self.patience
        while len(seen) < len(self.events):
            need(time.monotonic() < deadline, f"the socket brought {len(seen)} of {len(self.events)} events")
            try:
                async with self.client.stream(seen[-1] if seen else 0) as socket:
                    while len(seen) < len(self.events):
                        seen += [event["n"] for event in (await socket.receive_json(timeout=30))["events"]]
            except (aiohttp.ClientError, aiohttp.WSMessageTypeError, TimeoutError):
                await asyncio.sleep(0.2)
        need(seen[: len(self.events)] == [event["n"] for event in self.events], "the socket tells another story than /sync")

    def _last(self) -> str:
        return str(self.events[-1]["title"]) if self.events else "none"


def need(held: object, otherwise: str) -> None:
    """Stop the journey unless a thing held."""
    if not held:
        raise JourneyFailed(otherwise)
