"""Acts that happen once: a request sent again with the same Idempotency-Key gets the same answer, also after a crash.

A view that changes something takes `once: Once` and hands its `settle` into the handler, which calls it last in its
transaction; the answer is then kept in the same commit as the effect:

    async def create(office: Office, caller: Caller, body: Application, once: Once) -> Answer[CaseView]:
        return await once.settled(lambda settle: cases.apply(office, caller.account_id, body, settle), _created)

where `_created` makes the `Answer` from what the handler hands to `settle`. With a transaction of its own at hand,
`await once.keep(tx, answer)` does the same. On a route that only accepts keys a view may leave `once` out, if what it
does is not in the database (a code that lives for a minute, say), or if it acts on one version (If-Match), so that
a repeat after a crash in between is refused as stale: its answer is then kept afterwards.
Refusals are not kept: they change nothing, so asking again is safe.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from handlers.errors import Refused
from mobile_api.web.answers import ready
from mobile_api.web.operation import Answer
from storage.clock import Clock
from storage.database import Database, Transaction
from storage.idempotency import Act, AnswerBook, KeptAnswer

T = TypeVar("T")
B = TypeVar("B")

_KEY = re.compile(r"[!-~]{1,128}")


class AlreadyDone(Exception):
    """Another process has committed this act meanwhile; what this one did is undone with its transaction."""


class Once:
    """One act of one caller; without a key (where the route does not require one) nothing is kept."""

    __slots__ = ("_status", "_work", "act", "fingerprint", "kept")

    def __init__(self, work: Repeats, act: Act | None, fingerprint: str, status: int) -> None:
        self._work = work
        self.fingerprint = fingerprint
        self._status = status
        self.act = act
        self.kept: KeptAnswer | None = None

    async def keep(self, tx: Transaction, answer: object) -> None:
        """Keep a view's answer (Struct, Answer or None) in the transaction of its effect."""
        if self.act is None:
            return
        kept = ready(answer, self._status)
        if not await self._work.book.keep(tx, self.act, self.fingerprint, kept, self._work.clock.now()):
            raise AlreadyDone
        self.kept = kept

    async def settled(
        self, act: Callable[[Callable[[Transaction, T], Awaitable[None]]], Awaitable[T]], show: Callable[[T], Answer[B]]
    ) -> Answer[B]:
        """Run an act that calls `settle(tx, result)` at the end of its transaction; the answer that `show` makes of the result."""

        async def settle(tx: Transaction, result: T) -> None:
            await self.keep(tx, show(result))

        return show(await act(settle))


class Repeats:
    """Tells first requests from repeated ones; one per application."""

    def __init__(self, database: Database, clock: Clock, book: AnswerBook) -> None:
        self.database = database
        self.clock = clock
        self.book = book
        self._in_flight: dict[Act, Once] = {}

    def once(self, act: Act | None, request: tuple[bytes, ...], status: int) -> Once:
        """The Once of a request, whose parts are what makes it the same as another."""
        return Once(self, act, self.book.fingerprint(*request) if act else "", status)

    def begin(self, once: Once) -> None:
        """Mark an act as being done in this process; Refused "idempotency_in_flight" while another request does it."""
        if once.act is None:
            return
        first = self._in_flight.setdefault(once.act, once)
        if first is not once:
            same = first.fingerprint == once.fingerprint
            raise Refused("idempotency_in_flight", {"retry_after": 1}) if same else Refused("idempotency_key_reused")

    def end(self, once: Once) -> None:
        """The act is done or undone."""
        if once.act is not None:
            self._in_flight.pop(once.act, None)

    async def earlier(self, once: Once) -> KeptAnswer | None:
        """The answer this act got before; Refused "idempotency_key_reused" if the key was sent with another request."""
        found = await self.book.find(self.database, once.act) if once.act else None
        if found is None:
            return None
        if found[0] != once.fingerprint:
            raise Refused("idempotency_key_reused")
        return found[1]

    async def keep_afterwards(self, once: Once, answer: object) -> None:
        """Keep the answer of an act whose effect is not in the database; a crash in between lets a repeat act again."""
        async with self.database.transaction() as tx:
            await once.keep(tx, answer)


REPEATS: web.AppKey[Repeats] = web.AppKey("repeats", Repeats)


def idempotency_key(request: web.Request, *, required: bool) -> str | None:
    """The request's key; Refused "idempotency_key_missing" if it is required and absent, or no proper key."""
    key = request.headers.get("Idempotency-Key")
    if key is None and not required:
        return None
    if key is None or not _KEY.fullmatch(key):
        raise Refused("idempotency_key_missing")
    return key
