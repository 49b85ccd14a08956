"""What residents were told, kept outside the town: a promise is whatever was acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from mobile_api.journey.client import Client
from mobile_api.journey.play import Journey


@dataclass
class Ledger:
    """Acknowledged acts and seen events of every resident; `steps` counts them all."""

    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: set[str] = field(default_factory=set)
    evaluations: set[str] = field(default_factory=set)
    corrections: int = 0
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By resident's id."""
    steps: int = 0
    on_step: Callable[[], None] = lambda: None

    def step(self) -> None:
        """One more thing has happened that must not be undone."""
        self.steps += 1
        self.on_step()

    def summary(self) -> str:
        """In one line."""
        acts = f"{len(self.cases)} submissions, {len(self.uploads)} uploads, {self.corrections} corrections"
        return f"{acts}, {len(self.evaluations)} evaluations"

    def note(self, path: str, body: dict[str, Any]) -> None:
        """An answer that promises something."""
        if path == "/cases":
            known = self.cases.setdefault(body["id"], body)
            assert known["number"] == body["number"], "the same submission was acknowledged under two numbers"
        elif path == "/uploads/simple":
            self.uploads.add(body["id"])
        elif path.endswith("/evaluation"):
            self.evaluations.add(body["id"])
        elif path.endswith("/corrections"):
            self.corrections += 1
        else:
            return
        self.step()


class Witnessed(Client):
    """A resident's phone whose acknowledged acts are written down."""

    def __init__(self, http: aiohttp.ClientSession, base_url: str, patience: float, ledger: Ledger) -> None:
        super().__init__(http, base_url, patience)
        self._ledger = ledger

    async def raw(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        status, body = await super().raw(method, path, **options)
        if method == "POST" and status in {200, 201} and isinstance(body, dict):
            self._ledger.note(path, body)
        return status, body


@dataclass
class WitnessedJourney(Journey):
    """A journey whose resident writes down every event that arrives."""

    ledger: Ledger = field(default_factory=Ledger)
    resident_id: str = ""

    async def log_in(self) -> None:
        answer = await self.client.log_in(self.user)
        self.resident_id = answer["resident"]["id"]
        self.ledger.events[self.resident_id] = self.events
        self.ledger.step()

    async def _take(self, event: Any) -> None:
        await super()._take(event)
        self.ledger.step()


async def rehearse(http: aiohttp.ClientSession, base_url: str, item: str, ledger: Ledger) -> int:
    """One undisturbed journey; how many steps it has."""
    before = ledger.steps
    await play(http, base_url, item, ledger, 60)
    return ledger.steps - before


async def play(http: aiohttp.ClientSession, base_url: str, item: str, ledger: Ledger, patience: float) -> None:
    """One resident's journey, patient with a server that comes and goes."""
    client = Witnessed(http, base_url, patience, ledger)
    await WitnessedJourney(client, item, lambda _line: None, patience=patience, ledger=ledger).play()
