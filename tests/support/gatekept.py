"""A town with one department behind a gatekeeper: carrier, folders and the pretend department, moved on step by step."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from joserfc.jwk import KeySet, OKPKey

from backoffice.border import BorderKeys
from backoffice.counts import Counts
from backoffice.file_batches import FileCarrier, files_lease
from backoffice.file_outgoing import Pace
from backoffice.links import Patience
from backoffice.partner_keys import add_public_key
from handlers.catalogue import Catalogue, Department
from handlers.office import Office
from sandbox.department_book import Book, Planned
from sandbox.department_ways import Ways
from sandbox.file_book import FileBook
from sandbox.file_department import FileDepartment, FileKeys
from sandbox.gatekeeper import Gatekeeper
from storage import leases, outbox
from storage.clock import SettableClock
from storage.database import Row
from tests.support import exchange
from tests.support.exchange import Ledger

_FOR_EVER = 1e9  # seconds of a lease: tests move the clock
HASTY = Pace(
    poll_seconds=0.01, fill_seconds=0, resend_seconds=10, grace_seconds=0,
    patience=Patience(failures=10**6, first_rest=0.0, longest_rest=0.0, give_up_hours=10**6),
)  # fmt: skip
"""No waiting but for what is lost, and patience without end."""


@dataclass
class Rig:
    """The office, the carrier as the lease's holder has it, the gatekeeper, and the department; `cases` are (id, number)."""

    office: Office
    department: Department
    folder: Path
    gatekeeper: Gatekeeper
    there: FileDepartment
    book: Book
    batches: FileBook
    pace: Pace
    ledger: Ledger = field(default_factory=Ledger)
    counts: Counts = field(default_factory=Counts)
    cases: list[tuple[str, str]] = field(default_factory=list)
    carrier: FileCarrier = field(init=False)

    async def start(self) -> None:
        """A carrier of a process that has just begun."""
        fence = await leases.acquire(self.office.database, files_lease("MZ"), "test", self.office.clock.now(), _FOR_EVER)
        assert fence
        self.carrier = FileCarrier(
            self.office, self.department, lease=lambda: (files_lease("MZ"), "test", fence), counts=self.counts, pace=self.pace,
            effect=self.ledger.record,
        )  # fmt: skip
        await self.carrier.begin()

    async def open_cases(self, many: int) -> None:
        """Cases that can be written about."""
        resident = await exchange.add_resident(self.office.database)
        for n in range(len(self.cases), len(self.cases) + many):
            number = f"2611240{n + 1:03}"
            self.cases.append((await exchange.add_case(self.office.database, resident, number), number))

    async def say(self, case: int, *reasons: str, **data: Any) -> None:
        """Messages about a case, sealed as the office seals them: urgings, for a withdrawal would drop answers that are only planned."""
        case_id, number = self.cases[case]
        bare = [exchange.command(case_id, number, "MZ", reason=reason, **data) for reason in reasons]
        messages = [dataclasses.replace(one, kind="task.urged") for one in bare]
        async with self.office.database.transaction() as tx:
            await outbox.append(tx, *messages, now=self.office.clock.now(), sealer=self.office.keys.sealer)

    def answer(self, case: int, many: int = 1) -> None:
        """Let the department say something about a case that it knows, and a task that no message of `say` withdraws."""
        case_id, number = self.cases[case]
        command = {"partitionkey": case_id, "id": "c", "data": {"task": "task-2", "case": number}}
        data = {"case": number, "task": "task-2", "text": "正在办理"}
        self.book.begin()
        self.book.plan("MZ", "files", command, [Planned("task.progressed", data, 0.0)] * many, 0.0)
        self.book.commit()

    async def turn(self, times: int = 1, seconds: float = 1.0) -> None:
        """Everybody does what there is to do, and time passes."""
        for _ in range(times):
            await self.carrier.step()
            self.gatekeeper.step()
            self.there.step()
            self.gatekeeper.step()
            self.advance(seconds)

    async def settle(self, turns: int = 400) -> None:
        """Turn until both sides have everything; fails where they never do."""
        for _ in range(turns):
            await self.turn()
            if await self.is_settled():
                return
        raise AssertionError(f"never settled: {await self.open_rows()} {self.names('out')} {self.names('in')} {await self.rows()}")

    async def is_settled(self) -> bool:
        """Whether nobody waits for anything."""
        return not await self.open_rows() and self.batches.is_done() and not self.book.due("MZ", 1e12) and not self.book.unsent("MZ", 1e12)

    async def open_rows(self) -> list[Row]:
        """What is not confirmed by the department."""
        return await self.office.database.rows("SELECT case_id, sequence, position FROM outbox WHERE confirmed_at IS NULL")

    async def rows(self) -> list[Row]:
        """The batches as the town knows them."""
        return await self.office.database.rows(
            "SELECT direction, number, state, entries, reason, digest FROM file_batch ORDER BY direction, number"
        )

    async def effects(self) -> dict[str, list[int]]:
        """What the department's answers did here: case -> numbers, in the order in which they did."""
        return await self.ledger.effects(self.office.database)

    def forget_batches_after(self, number: int) -> None:
        """The department is restored from a backup that was made when it had taken so many batches, of one message each."""
        self.batches.restore(number)
        self.book.restore("MZ", number)

    def commands(self) -> dict[str, list[int]]:
        """What the department took: case -> numbers in order of arrival, repetitions left out."""
        found: dict[str, list[int]] = {}
        for case_id, sequence, _ in self.there.arrivals:
            line = found.setdefault(case_id, [])
            if sequence not in line:
                line.append(sequence)
        return found

    def names(self, part: str) -> list[str]:
        """Names of the files in a part of the town's folder, without those that never got their name."""
        return sorted(path.name for path in (self.folder / part).iterdir() if path.is_file() and not path.name.startswith("."))

    def advance(self, seconds: float) -> None:
        """Let time pass, for both sides."""
        clock = self.office.clock
        assert isinstance(clock, SettableClock)
        clock.advance(seconds=seconds)


async def _introduce(office: Office, *, is_encrypted: bool) -> FileKeys:
    signing = OKPKey.generate_key("Ed25519")
    opening = OKPKey.generate_key("X25519") if is_encrypted else None
    await add_public_key(office, "MZ", "verify", signing.as_dict(private=False))
    if opening:
        await add_public_key(office, "MZ", "encrypt", opening.as_dict(private=False))
    return FileKeys(KeySet.import_key_set(json.loads(json.dumps(BorderKeys(office.keys.border).jwks()))), signing, opening)


@contextmanager
def books(folder: Path) -> Iterator[tuple[Book, FileBook]]:
    """The department's own records."""
    book, batches = Book(folder / "department.db"), FileBook(folder / "batches.db")
    try:
        yield book, batches
    finally:
        batches.close()
        book.close()


async def make_rig(office: Office, folder: Path, book: Book, batches: FileBook, *, is_encrypted: bool = False, pace: Pace = HASTY) -> Rig:
    """The office with department MZ behind a gatekeeper; its clock is everybody's."""
    here, beyond = folder / "exchange", folder / "beyond"
    department = Department(
        code="MZ", name="民政办", unit="示例镇", link="files", address=str(here), partitions=2, consult_phone="1", complaint_phone="2"
    )
    office = dataclasses.replace(office, catalogue=Catalogue(items=[], departments=[department]))

    def seconds() -> float:
        return office.clock.now().timestamp()

    gatekeeper = Gatekeeper(here, beyond, clock=seconds, chance=Random(1))
    keys = await _introduce(office, is_encrypted=is_encrypted)
    there = FileDepartment(
        "MZ", office.division, beyond, book, batches, Ways("民政办", 0.0, 1.0, {}, Random(1)), keys, resend=10.0, clock=seconds
    )
    rig = Rig(office, department, here, gatekeeper, there, book, batches, pace)
    await rig.start()
    return rig
