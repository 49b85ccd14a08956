"""What codes open: a look-up code the cases of the resident who shows it, a receipt code the stage of one case to anybody."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import msgspec

from handlers import residents, shortcodes
from handlers.access import Officer, own_case
from handlers.agents import told_of
from handlers.casecards import CaseCard, cards_for
from handlers.errors import Refused
from handlers.numbers import mask_name
from handlers.office import Office
from handlers.policy import scope_of
from handlers.shortcodes import read_receipt, receipt_code, recognise
from handlers.transitions import PUBLIC_STATES, STATE_NAMES
from storage import account_events, audit, cases, sessions
from storage.database import Row, Transaction
from storage.errors import StoreUnavailable

__all__ = [
    "Holder", "Lookup", "PublicReceipt", "Purpose", "Scan",
    "issue_lookup", "read_public", "read_receipt", "receipt_code", "scan",
]  # fmt: skip

Purpose = Literal["hall"]

LIFETIME = dt.timedelta(seconds=60)
# Eight digits are guessed once in 100 million; twenty tries a minute keep that out of reach within a code's 60 seconds.
SHORT_TRIES = 20
SHORT_WINDOW = 60
_MOST_CASES = 20


class Lookup(msgspec.Struct, frozen=True):
    """A look-up code just made: for the QR code, and eight digits that say the same; the only copy of both."""

    code: str
    short: str
    expires_at: dt.datetime


class Holder(msgspec.Struct, frozen=True):
    """Who the cases belong to, as far as a counter needs it."""

    name_masked: str


class Scan(msgspec.Struct, frozen=True):
    """What a scan opened."""

    cases: list[CaseCard]
    holder: Holder


Settle = Callable[[Transaction, Scan], Awaitable[None]]
"""Called last in the transaction of a scan, with what it opened."""


class PublicReceipt(msgspec.Struct, frozen=True):
    """What anybody who holds a receipt may know: nothing personal (Q06)."""

    item: str
    stage: str
    stage_name: str
    promised_on: dt.date | None
    provisional: bool


class _Held(msgspec.Struct, frozen=True):
    """What Redis keeps of a look-up code."""

    resident: str
    session: str
    purpose: str
    hall: str
    cases: tuple[str, ...]
    expires_at: dt.datetime


async def issue_lookup(
    office: Office, resident_id: str, session_id: str, purpose: Purpose, case_ids: Sequence[str], *, hall: str = ""
) -> Lookup:
    """A look-up code for the resident's own cases (all, without `case_ids`): single use, 60 seconds, for one purpose."""
    if len(case_ids) > _MOST_CASES:
        raise Refused("too_large", {"limit": _MOST_CASES})
    for case_id in case_ids:
        await own_case(office, resident_id, case_id)
    token, expires_at = shortcodes.new_token(), office.clock.now() + LIFETIME
    held = _Held(resident_id, session_id, purpose, hall, tuple(case_ids), expires_at)
    async with _reachable():
        await office.fleeting.put(_token_key(token), msgspec.json.encode(held), int(LIFETIME.total_seconds()))
        short = await _reserve_short(office, token)
    return Lookup(token, shortcodes.grouped(short), expires_at)


async def scan(office: Office, officer: Officer, text: str, purpose: Purpose, act: str = "", settle: Settle | None = None) -> Scan:
    """What a clerk's scan field received, opened: a look-up code or its digits, a receipt, or a case number.

    Every look is in the record, and told to who showed the code, or to those who hear of the case that was found by its paper or number.
    Whatever does not open refuses alike with "code_not_valid".
    A code used up by an `act` of this officer opens once more for the same act: its answer may have been lost on the way.
    """
    if scope_of(officer.role, "scan_code") == "none":
        raise Refused("forbidden")
    scanned = recognise(text)
    if scanned.kind in {"token", "short"}:
        held = await _take(office, officer, scanned, act)
        await _check(office, officer, held, purpose)
        return await _open(office, officer, scanned.kind, held.resident, held.cases, settle)
    row = await _case_of(office, scanned)
    if row is None or row["area"] != officer.area:
        raise Refused("code_not_valid")
    return await _open(office, officer, scanned.kind, row["resident_id"], (row["id"],), settle)


async def read_public(office: Office, code: str) -> PublicReceipt:
    """The stage of the case behind a receipt code; a wrong code, old paper and an unknown case refuse alike (Q05, Q07)."""
    receipt = read_receipt(office.keys, code)
    row = await cases.by_number(office.database, receipt.number) if receipt else None
    if receipt is None or row is None or row["receipt_version"] != receipt.version:
        raise Refused("not_found")
    item = await office.catalogue.version(office.database, row["item_code"], row["item_version"])
    return PublicReceipt(item.name, PUBLIC_STATES[row["state"]], STATE_NAMES[row["state"]], row["promised_on"], row["is_provisional"])


def _token_key(token: str) -> str:
    return f"lookup:{hashlib.sha256(token.encode()).hexdigest()}"


def _short_key(short: str) -> str:
    return f"short:{hashlib.sha256(short.encode()).hexdigest()}"


async def _reserve_short(office: Office, token: str) -> str:
    """Eight digits that nobody else is showing at this moment."""
    while True:
        short = shortcodes.new_short()
        if await office.fleeting.put(_short_key(short), _token_key(token).encode(), int(LIFETIME.total_seconds()), only_new=True):
            return short


async def _take(office: Office, officer: Officer, scanned: shortcodes.Scanned, act: str) -> _Held:
    """Use a look-up code up; of many scans of one code exactly one gets it (Q01)."""
    scanner = f"{officer.id} {act or secrets.token_hex(16)}".encode()
    async with _reachable():
        if scanned.kind == "short":
            await _pace(office, officer)
            key = (await office.fleeting.get(_short_key(scanned.text)) or b"").decode()
        else:
            key = _token_key(scanned.text)
        found = await office.fleeting.get(key) if key else None
        if found is None or not await office.fleeting.claim(f"used:{key}", scanner, int(LIFETIME.total_seconds())):
            raise Refused("code_not_valid")
    return msgspec.json.decode(found, type=_Held)


async def _pace(office: Office, officer: Officer) -> None:
    if await office.fleeting.count(f"tries:{officer.id}", SHORT_WINDOW) > SHORT_TRIES:
        raise Refused("too_many_requests", {"retry_after": SHORT_WINDOW})


async def _check(office: Office, officer: Officer, held: _Held, purpose: Purpose) -> None:
    """Dead after its time, after log-out, for another purpose, in another hall (Q02-Q04); a refused code stays used up."""
    now = office.clock.now()
    living = now < held.expires_at and await sessions.standing(office.database, held.session, now) is not None
    if living and held.purpose == purpose and held.hall in {"", officer.hall}:
        return
    async with office.database.transaction() as tx:
        await _record(tx, office, officer, held.resident, "refused", {"purpose": purpose})
    raise Refused("code_not_valid")


async def _case_of(office: Office, scanned: shortcodes.Scanned) -> Row | None:
    """The case behind a receipt or a case number."""
    if scanned.kind == "number":
        return await cases.by_number(office.database, scanned.text)
    receipt = read_receipt(office.keys, scanned.text)
    row = await cases.by_number(office.database, receipt.number) if receipt else None
    return row if row is not None and receipt is not None and row["receipt_version"] == receipt.version else None


async def _open(office: Office, officer: Officer, kind: str, resident_id: str, case_ids: tuple[str, ...], settle: Settle | None) -> Scan:
    found = await cards_for(office, resident_id, case_ids, officer.area)
    name = mask_name((await residents.show(office, resident_id)).name)
    opened = Scan(found, Holder(name or await _shower(office, found, resident_id)))
    async with office.database.transaction() as tx:
        await _record(tx, office, officer, resident_id, "done", {"kind": kind, "cases": [card.number for card in found]})
        for account in await _hearers(office, tx, kind, resident_id, case_ids):
            await account_events.append(tx, account, "code.scanned", *_told(officer, found), office.clock.now())
        if settle:
            await settle(tx, opened)
    return opened


async def _hearers(office: Office, tx: Transaction, kind: str, resident_id: str, case_ids: tuple[str, ...]) -> list[str]:
    """Who is told of a look: who showed his code; of a case found by its paper or number, those who hear what becomes of it."""
    row = None if kind in {"token", "short"} else await cases.by_id(tx, case_ids[0])
    return [resident_id] if row is None else await told_of(office, tx, row)


async def _shower(office: Office, found: list[CaseCard], resident_id: str) -> str:
    """Who stands there, by what the first case says: its applicant, or who acts for him."""
    if not found or not found[0].agent:
        return found[0].applicant if found else ""
    row = await cases.by_id(office.database, found[0].id)
    return found[0].agent if row is not None and row["resident_id"] == resident_id else found[0].applicant


async def _record(tx: Transaction, office: Office, officer: Officer, resident_id: str, outcome: str, data: dict[str, Any]) -> None:
    await audit.record(
        tx, at=office.clock.now(), actor_kind="staff", actor_id=officer.id, action="code.scanned",
        object_kind="resident", object_id=resident_id, outcome=outcome, data={"hall": officer.hall, **data},
    )  # fmt: skip


def _told(officer: Officer, found: list[CaseCard]) -> tuple[str | None, dict[str, Any]]:
    """What the resident's line says of a look: the case if it was one, and where it was."""
    place = {"department_name": officer.hall or officer.department}
    if len(found) != 1:
        return None, {**place, "text": f"共 {len(found)} 件"}
    card = found[0]
    return card.id, {**place, "number": card.number, "item_name": card.item.name, "state": card.state}


@asynccontextmanager
async def _reachable() -> AsyncIterator[None]:
    """Without Redis there are no look-up codes; receipts and case numbers go on working."""
    try:
        yield
    except StoreUnavailable as error:
        raise Refused("unavailable", {"retry_after": 5}) from error
