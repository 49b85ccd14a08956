"""A town with one department behind a webhook: the carrier's parts on real stores, the pretend department on a real port."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from aiohttp import web

from backoffice.bridge import new_holder
from backoffice.counts import Counts
from backoffice.holding import Holding
from backoffice.partner_keys import add_hmac_key
from backoffice.webhook import Pace
from backoffice.webhooks import WebhookLink
from handlers.catalogue import Catalogue, Department
from handlers.office import Office
from sandbox.department_book import Book
from sandbox.department_ways import Ways
from sandbox.webhook_receiver import Receiver
from storage.clock import SettableClock
from storage.database import Row
from tests.support import exchange

_FOR_EVER = 1e9  # seconds of a lease: tests move the clock
FAST = Pace(poll_seconds=0.05, retries=(0.05,) * 13)
"""Retries at once, so that a test need not wait."""


@dataclass
class Rig:
    """The office with its department; `cases` are (id, number), each with a line to it."""

    office: Office
    department: Department
    receiver: Receiver
    counts: Counts = field(default_factory=Counts)
    cases: list[tuple[str, str]] = field(default_factory=list)

    async def open_cases(self, many: int) -> None:
        """Cases that can be written about."""
        resident = await exchange.add_resident(self.office.database)
        for n in range(many):
            number = f"2611240{n + 1:03}"
            self.cases.append((await exchange.add_case(self.office.database, resident, number), number))

    async def say(self, case: int, *reasons: str) -> None:
        """Messages about a case, sealed as the office seals them."""
        case_id, number = self.cases[case]
        messages = [exchange.command(case_id, number, self.department.code, reason=reason) for reason in reasons]
        async with self.office.database.transaction() as tx:
            await exchange.outbox.append(tx, *messages, now=self.office.clock.now(), sealer=self.office.keys.sealer)

    async def open_rows(self) -> list[Row]:
        """What is not confirmed."""
        return await self.office.database.rows("SELECT * FROM outbox WHERE confirmed_at IS NULL ORDER BY case_id, sequence")

    async def delivered(self, seconds: float = 10) -> None:
        """Wait until everything is confirmed."""

        async def is_empty() -> bool:
            return not await self.open_rows()

        await exchange.until(is_empty, seconds)

    def advance(self, **duration: float) -> None:
        """Let time pass."""
        clock = self.office.clock
        assert isinstance(clock, SettableClock)
        clock.advance(**duration)

    async def look_again(self, topic: str, times: int = 3) -> None:
        """Ring, and wait until the carrier has heard it and looked: for what must not happen."""
        for _ in range(times):
            self.office.bell.sound(topic)
            async with asyncio.timeout(10):
                while any(event.is_set() for event in self.office.bell._listeners[topic]):
                    await asyncio.sleep(0.01)

    def lines(self) -> dict[str, list[int]]:
        """What arrived, in order, repetitions left out: case -> numbers."""
        found: dict[str, list[int]] = {}
        for case_id, sequence, _ in self.receiver.arrivals:
            line = found.setdefault(case_id, [])
            if sequence not in line:
                line.append(sequence)
        return found

    def link(self, **more: Any) -> WebhookLink:
        """The carrier's link, as the bridge gets it."""
        return WebhookLink(self.office, self.department, **{"is_development": True, "pace": FAST, **more})

    @asynccontextmanager
    async def carrying(self, **more: Any) -> AsyncIterator[Holding]:
        """The carrier at work."""
        link = self.link(**more)
        holding = Holding(self.office.database, self.office.clock, new_holder(), seconds=_FOR_EVER, names=link.leases, counts=self.counts)
        await holding.renew()
        task = asyncio.create_task(link.run(holding, self.counts))
        try:
            yield holding
        finally:
            task.cancel()
            done = await asyncio.gather(task, return_exceptions=True)
            await holding.release()
        assert isinstance(done[0], asyncio.CancelledError), done[0]


@asynccontextmanager
async def open_rig(office: Office, folder: Path, code: str = "MZ", **facts: Any) -> AsyncIterator[Rig]:
    """The office with one department behind a webhook that listens."""
    book = Book(folder / f"{code}.db")
    receiver = Receiver(code, "", b"", book, Ways("民政办", 0.0, 3600.0, {}, Random(1)))
    runner = web.AppRunner(receiver.application(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/webhook"
    given = {"code": code, "name": "民政办", "unit": "示例镇", "link": "webhook", "address": address, "partitions": 2, **facts}
    department = Department(**given, consult_phone="0315-1", complaint_phone="0315-2")
    office = dataclasses.replace(office, catalogue=Catalogue(items=[], departments=[department]))
    receiver.key_id, secret = await add_hmac_key(office, code)
    receiver.secret = bytes.fromhex(secret)
    try:
        yield Rig(office, department, receiver)
    finally:
        await runner.cleanup()
        book.close()
