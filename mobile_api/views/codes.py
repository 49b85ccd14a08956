"""Codes: shown by a resident, scanned by a clerk, printed on a receipt."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
from typing import Annotated

import msgspec

from handlers import codes
from handlers.access import Officer
from handlers.codes import PublicReceipt, Purpose, Scan
from handlers.office import Office
from handlers.receipts import qr_png
from mobile_api.web.caller import Caller
from mobile_api.web.idempotency import Once

CaseId = Annotated[str, msgspec.Meta(max_length=36)]


class LookupRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the code is for, and which of the resident's cases (their ids) it opens; without `objects` all of them."""

    purpose: Purpose = "hall"
    objects: Annotated[list[CaseId], msgspec.Meta(max_length=20)] = []


class LookupAnswer(msgspec.Struct, frozen=True):
    """A look-up code for 60 seconds and one use: its text, eight digits that say the same, and its QR code as a data: address."""

    code: str
    short: str
    png: str
    expires_at: dt.datetime


class ScanRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the scan field received: a look-up code, its digits, a receipt's address or code, or a case number."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    purpose: Purpose = "hall"


async def create_lookup(body: LookupRequest, caller: Caller, office: Office) -> LookupAnswer:
    """A code to show at the counter."""
    made = await codes.issue_lookup(office, caller.account_id, caller.session_id, body.purpose, body.objects)
    picture = base64.b64encode(await asyncio.to_thread(qr_png, made.code)).decode()
    return LookupAnswer(made.code, made.short, f"data:image/png;base64,{picture}", made.expires_at)


async def scan(body: ScanRequest, caller: Caller, office: Office, once: Once) -> Scan:
    """Open what a resident shows; he is told who looked."""
    officer = Officer(caller.account_id, caller.role, caller.department, caller.hall, caller.area)
    return await codes.scan(office, officer, body.code, body.purpose, once.act.key if once.act else "", once.keep)


async def show_receipt(code: str, office: Office) -> PublicReceipt:
    """Where the case of a receipt stands, for anybody who holds it."""
    return await codes.read_public(office, code)
