"""The process that calls departments is killed with deliveries under way: nothing is lost, no line changes its order."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from aiohttp import web

from backoffice.partner_keys import add_hmac_key
from config.settings import load
from handlers.office import Office
from mobile_api.composition import open_office
from sandbox.department_book import Book
from sandbox.department_ways import Ways
from sandbox.webhook_receiver import Receiver
from storage import outbox
from tests.support import exchange
from tests.support.processes import Process, until
from tests.support.wholetown import TABLES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

CASES, ROUNDS = 12, 4


@dataclass
class Place:
    """The office's stores, the process that carries, and the department."""

    office: Office
    carrier: Process
    receiver: Receiver
    cases: list[tuple[str, str]]

    async def write(self) -> None:
        """One more message about every case."""
        messages = [exchange.command(case_id, number, partitions=2) for case_id, number in self.cases]
        async with self.office.database.transaction() as tx:
            await outbox.append(tx, *messages, now=self.office.clock.now(), sealer=self.office.keys.sealer)

    async def is_settled(self) -> bool:
        """Whether everything is confirmed."""
        return not await self.office.database.rows("SELECT id FROM outbox WHERE confirmed_at IS NULL")

    async def is_in_the_middle(self) -> bool:
        """Whether several deliveries are under way."""
        return len(self.receiver.under_way) >= 3


@pytest.fixture
async def place(database_url: str, valkey_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    receiver = Receiver("MZ", "", b"", Book(tmp_path / "department.db"), Ways("民政办", 0.0, 3600.0, {}, Random(1)))
    runner = web.AppRunner(receiver.application(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    environment = {
        "MOBILE_API_DATABASE__URL": database_url,
        "MOBILE_API_REDIS__URL": valkey_url,
        "MOBILE_API_FILES__URL": f"file://{tmp_path}/files",
        "MOBILE_API_SECRETS__DIR": str(tmp_path / "secrets"),
        "MOBILE_API_TOWN__TABLES": str(_tables(tmp_path, int(runner.addresses[0][1]))),
        "MOBILE_API_EXCHANGE__LEASE_SECONDS": "1",
    }
    async with open_office(load(None, environment)) as office:
        receiver.key_id, secret = await add_hmac_key(office, "MZ")
        receiver.secret = bytes.fromhex(secret)
        resident = await exchange.add_resident(office.database)
        numbers = [f"2611240{n:03}" for n in range(CASES)]
        cases = [(await exchange.add_case(office.database, resident, number), number) for number in numbers]
        carrier = Process("carrier", ["-m", "mobile_api", "serve", "--only", "bridge"], environment, tmp_path)
        yield Place(office, carrier, receiver, cases)
        await carrier.kill()
    await runner.cleanup()
    receiver.book.close()


async def test_killed_in_mid_delivery_it_loses_nothing_and_keeps_every_lines_order(place: Place):
    for _ in range(ROUNDS):
        await place.write()
        await place.write()
        gate = place.receiver.hold_back()
        await place.carrier.start()
        await until(place.is_in_the_middle, "some deliveries")
        await place.carrier.kill()
        gate.set()  # what was under way is taken in now, by a department whose caller is dead
    await place.carrier.start()
    await until(place.is_settled, "the last confirmation")

    assert place.carrier.kills == ROUNDS
    lines, ids = defaultdict(list), defaultdict(set)
    for case_id, sequence, message_id in place.receiver.arrivals:
        ids[case_id, sequence].add(message_id)
        if sequence not in lines[case_id]:
            lines[case_id].append(sequence)
    assert lines == {case_id: list(range(1, 2 * ROUNDS + 1)) for case_id, _ in place.cases}
    assert {len(found) for found in ids.values()} == {1}
    assert len(place.receiver.arrivals) > len(ids)  # else no kill hit a delivery, and the test shows nothing
    assert place.receiver.most_of_a_line <= 2  # a dead caller's and the next one's


def _tables(folder: Path, port: int) -> Path:
    tables = shutil.copytree(TABLES, folder / "tables", ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    file = tables / "departments" / "MZ.toml"
    link = f'link = "webhook"\naddress = "http://127.0.0.1:{port}/webhook"'
    file.write_text(re.sub(r'(?m)^link = "queue"', link, file.read_text(encoding="utf-8")), encoding="utf-8")
    return Path(tables)
