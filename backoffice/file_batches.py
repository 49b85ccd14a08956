"""Departments behind a gatekeeper (网闸), which passes files only: signed, numbered batches both ways through a folder.

The order on disk and in the database is such that a crash between any two steps repeats the step; what is repeated is known by its
number, its digest, and each message by its id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from backoffice.border import checked_jwk
from backoffice.counts import Counts
from backoffice.crossing import NO_KEY, Border
from backoffice.file_folder import Folder
from backoffice.file_format import Keys
from backoffice.file_incoming import Incoming
from backoffice.file_outgoing import Outgoing, Pace
from backoffice.holding import Holding
from backoffice.inbox import Effect
from backoffice.intake import Intake
from backoffice.links import Breaker
from backoffice.partner_keys import public_keys
from handlers.catalogue import Department
from handlers.office import Office
from storage import journal
from storage.file_batches import Lease


class FileCarrier:
    """Carries one department's folder, a step at a time, for the process that holds its lease."""

    def __init__(
        self,
        office: Office,
        department: Department,
        *,
        lease: Callable[[], Lease | None],
        counts: Counts,
        pace: Pace | None = None,
        effect: Effect | None = None,
    ) -> None:
        self.pace = pace or Pace()
        self.breaker = Breaker(office.database, office.clock, department.code, self.pace.patience)
        self._office = office
        self._department = department
        self._border = Border(office)
        self._folder = Folder(Path(department.address))
        intake = Intake(office, effect)
        intake.counts = counts
        self._outgoing = Outgoing(
            office, department, self._folder, keys=self._keys, lease=lease, breaker=self.breaker, counts=counts, pace=self.pace
        )
        self._incoming = Incoming(
            office, department, self._folder, keys=self._keys, lease=lease, hear=self._outgoing.hear, intake=intake, pace=self.pace
        )

    async def begin(self) -> None:
        """The lease is ours: look at everything anew. Raises OSError where the folder cannot be used."""
        await self.breaker.look()
        await self._folder.prepare()
        await journal.adopt(self._office.database, self._department.code)
        self._outgoing.begin_again()
        await self._incoming.begin_again()

    async def step(self) -> None:
        """What came first: an acknowledgement may make room for what is to go. Raises OSError, or LookupError where a key is missing."""
        await self.breaker.look()
        await self._incoming.step()
        await self._outgoing.step()

    async def rest(self, error: Exception) -> None:
        """Say where officers look why nothing goes, and wait a while."""
        await self.breaker.look()
        await self.breaker.failed(str(error) if isinstance(error, LookupError) else f"文件夹不能用：{error}")
        await asyncio.sleep(min(self.breaker.rests_for or self.pace.poll_seconds, self.pace.resend_seconds))

    async def _keys(self) -> Keys:
        """The keys that are valid now; raises LookupError as long as this town has none for the border."""
        signing = self._border.keys.current
        if signing is None:
            raise LookupError(NO_KEY)
        known = [checked_jwk(key.public_jwk, "verify") for key in await public_keys(self._office, self._department.code, "verify")]
        return Keys(signing, await self._border.recipient(self._department), known, self._border.keys.by_kid)


class FileLink:
    """One department's folder as the bridge runs it; `leases` are what it asks the bridge to hold for it.

    `effect` is what an answer does to its case, the office's own by default.
    """

    def __init__(self, office: Office, department: Department, *, pace: Pace | None = None, effect: Effect | None = None) -> None:
        self.leases = (files_lease(department.code),)
        self._office = office
        self._department = department
        self._pace = pace
        self._effect = effect

    async def run(self, holding: Holding, counts: Counts) -> None:
        """Carry for ever, whenever the lease is held."""
        name = self.leases[0]
        carrier = FileCarrier(
            self._office, self._department, lease=partial(holding.lease, name), counts=counts, pace=self._pace, effect=self._effect
        )
        while True:
            await holding.wait(name)
            try:
                await carrier.begin()
                while holding.fence(name) is not None:
                    await carrier.step()
                    await asyncio.sleep(carrier.pace.poll_seconds)
            except (OSError, LookupError) as error:
                await carrier.rest(error)


def files_lease(department: str) -> str:
    """The lease of the one carrier of a department's folder."""
    return f"files:{department}"


def file_links(office: Office) -> Sequence[FileLink]:
    """Every department of the catalogue that is reached by files."""
    return [FileLink(office, one) for one in office.catalogue.departments.values() if one.link == "files"]
