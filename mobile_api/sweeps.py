"""What the clock does by itself: drafts, unused uploads, settled answers and messages lapse. One process at a time, by a lease."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from backoffice.bridge import new_holder
from backoffice.signatures import WINDOW
from handlers import bundlesteps, calendars, deadlines, laterdates, papers, parallel, proxies, supervision, uploads
from handlers.actors import SYSTEM
from handlers.casefile import opened
from handlers.errors import Refused
from handlers.office import Office
from storage import cases, grants, idempotency, inbox, leases, nonces, outbox
from storage.errors import Conflict
from storage.heirs import Heir
from storage.tasks import end

log = logging.getLogger(__name__)

EVERY = 60.0
DRAFTS_LAPSE = dt.timedelta(days=30)
LETTERS_KEPT = dt.timedelta(days=7)
MESSAGES_KEPT = dt.timedelta(days=30)
NONCES_KEPT = 4 * WINDOW  # longer than any clock of ours is behind another
ANSWERS_KEPT = dt.timedelta(hours=24)
_LEASE = "clock"
_SECONDS = 2 * EVERY
_BATCH = 100


@asynccontextmanager
async def running(office: Office) -> AsyncIterator[None]:
    """Sweep every minute while the context is open."""
    tasks = [asyncio.create_task(_keep(office), name="clock"), asyncio.create_task(bundlesteps.keep(office), name="bundles")]
    try:
        yield
    finally:
        await end(tasks)


async def sweep(office: Office) -> int:
    """One round; how many drafts lapsed."""
    now = office.clock.now()
    await idempotency.purge(office.database, now - ANSWERS_KEPT)
    await uploads.settle(office)
    await nonces.forget(office.database, now - NONCES_KEPT)
    await grants.forget(office.database, now)
    await uploads.purge(office)
    await calendars.catch_up(office)
    await laterdates.catch_up(office)
    await outbox.forget(office.database, now - LETTERS_KEPT)
    await inbox.forget(office.database, now - MESSAGES_KEPT)
    await supervision.catch_up(office)
    await supervision.sweep(office)
    await deadlines.sweep(office)
    await parallel.sweep(office)
    await papers.sweep(office)
    await proxies.sweep(office)
    await proxies.forget(office)
    stale = await cases.stale_drafts(office.database, now - DRAFTS_LAPSE, _BATCH)
    for case_id in stale:
        await _expire(office, case_id)
    return len(stale)


async def _expire(office: Office, case_id: str) -> None:
    try:
        async with opened(office, case_id) as file:
            file.act("expire", SYSTEM)
    except (Refused, Conflict) as error:
        log.info("a draft did not lapse: %s", error)


class Turn:
    """Whose turn it is: the lease of the one process that sweeps, `watch` counting seconds as no clock does that can be set."""

    def __init__(self, office: Office, watch: Callable[[], float] | None = None) -> None:
        self._office = office
        self._holder = new_holder()
        self._heir = Heir(self._holder, _SECONDS, watch)

    async def is_ours(self) -> bool:
        """Take or keep the lease; to be asked every minute, for only who looks again sees that a holder with a wrong clock has died."""
        database, now = self._office.database, self._office.clock.now()
        if await leases.acquire(database, _LEASE, self._holder, now, _SECONDS) is not None:
            return True
        return bool(await self._heir.inherit(database, {_LEASE}, now))


async def _keep(office: Office) -> None:
    turn = Turn(office)
    while True:
        try:
            if await turn.is_ours():
                await sweep(office)
        except Exception:
            log.exception("a sweep failed; the next one comes in %s s", EVERY)
        await asyncio.sleep(EVERY)
