"""One process of the town: a real bridge on a real database, with the smallest real effect.

`python -m tests.chaos.exchange.worker --name N --database URL --redis URL --clock FILE --departments MZ:2,GA:2 [--control WHAT]`.
The controls break one promise each, so that the checker has something to find: `inbox-off` applies every answer without looking at
its number, `resend-off` never sends anything again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from backoffice import bridge
from backoffice.envelope import Confirmation, decode
from backoffice.inbox import Inbox
from backoffice.registry import answer
from backoffice.relay import Limits
from storage.bell import Bell
from storage.database import Database, Transaction
from storage.envelopes import Answer
from storage.errors import StoreUnavailable
from storage.ids import uuid7
from storage.redis import connect
from storage.streams import Entry, Streams
from tests.chaos.exchange import bound
from tests.chaos.exchange.shifted import ShiftedClock

LIMITS = Limits(lease_seconds=1.0, resend_seconds=1.0, stream_cap=300, batch=50, poll_seconds=0.05, read_seconds=0.2, sweep_seconds=0.5)
CONTROLS = ("inbox-off", "resend-off")

_EVENT = """
INSERT INTO case_event (id, case_id, seq, type, actor_kind, actor_id, occurred_at, data, digest)
VALUES ($1, $2, $3, $4, 'department', $5, $6, $7, '')
"""


async def effect(tx: Transaction, said: Answer) -> None:
    """A line in the case's history, under the next number of the case; nothing but the inbox keeps it from being there twice."""
    row = await tx.one("UPDATE cases SET events = events + 1 WHERE id = $1 RETURNING events, updated_at", said.case_id)
    assert row
    facts = json.dumps({"sequence": said.sequence, "command": said.data["text"]})
    await tx.execute(_EVENT, uuid7(), said.case_id, row["events"], said.kind, said.department, row["updated_at"], facts)


class Credulous(Inbox):
    """An inbox that believes whatever comes: the negative control."""

    async def take(self, entries: Sequence[Entry]) -> list[str]:
        envelopes = [decode(entry.body, f"/departments/{self._department}") for entry in entries if entry.body is not None]
        async with self._database.transaction() as tx:
            for envelope in sorted(envelopes, key=lambda one: one.partitionkey):
                await self._effect(tx, answer(envelope, self._department))
        await self._tell([Confirmation(envelope.partitionkey, envelope.sequence) for envelope in envelopes])
        return [entry.id for entry in entries]


async def work(name: str, database_url: str, redis_url: str, clock: Path, departments: dict[str, int], control: str) -> None:
    """Carry messages for ever; stores that are away at the start are waited for."""
    bell = Bell()
    database = await _opened(database_url, bell)
    store = await connect(redis_url, must_answer=False)
    if control == "inbox-off":
        vars(bridge)["Inbox"] = Credulous  # in this process alone; the product has no switch for it
    limits = replace(LIMITS, resend_seconds=1e6) if control == "resend-off" else LIMITS
    carriers = bridge.Bridge(
        database, ShiftedClock(clock), bell, Streams(store.commands, store.blocking),
        departments=departments, effect=effect, limits=limits, holder=f"{name}:{uuid7()[-12:]}",
    )  # fmt: skip
    while True:
        try:
            await carriers.start()
        except StoreUnavailable:
            await asyncio.sleep(0.2)
        else:
            await asyncio.Event().wait()


async def _opened(url: str, bell: Bell) -> Database:
    while True:
        try:
            return await Database.open(url, bell, pool=8)
        except StoreUnavailable:
            await asyncio.sleep(0.2)


def main() -> None:
    """Run one worker."""
    bound.to_parent()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    parser = argparse.ArgumentParser()
    for option in ("--name", "--database", "--redis", "--departments"):
        parser.add_argument(option, required=True)
    parser.add_argument("--clock", required=True, type=Path)
    parser.add_argument("--control", default="", choices=["", *CONTROLS])
    told = parser.parse_args()
    departments = {code: int(count) for code, _, count in (one.partition(":") for one in told.departments.split(","))}
    asyncio.run(work(told.name, told.database, told.redis, told.clock, departments, told.control))


if __name__ == "__main__":
    main()
