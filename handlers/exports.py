"""The town's cases to take along: what each was about and when what happened, never who applied nor what was handed in."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator

import msgspec

from handlers.office import Office
from handlers.transitions import PUBLIC_STATES
from storage import exports

_PAGE = 500


class ExportedCase(msgspec.Struct, frozen=True):
    """One submitted case; times are UTC, `evaluation` is 1 to 5 where the resident rated it."""

    number: str
    item: str
    item_name: str
    item_version: int
    department: str
    area: str
    state: str
    public_state: str
    submitted_at: dt.datetime
    accepted_at: dt.datetime | None
    decided_at: dt.datetime | None
    completed_at: dt.datetime | None
    promised_on: dt.date | None
    legal_on: dt.date | None
    provisional: bool
    decision: str | None
    corrections: int
    evaluation: int | None


async def cases(office: Office, since: dt.datetime, before: dt.datetime) -> AsyncIterator[ExportedCase]:
    """Cases submitted from `since` to before `before`, oldest first."""
    after = (since, "")
    while True:
        rows = await exports.page(office.database, since, before, after, _PAGE)
        for row in rows:
            item = await office.catalogue.version(office.database, row["item_code"], row["item_version"])
            row |= {"item": item.code, "item_name": item.name, "public_state": PUBLIC_STATES[row["state"]]}
            yield msgspec.convert({**row, "provisional": row["is_provisional"]}, ExportedCase)
        if len(rows) < _PAGE:
            return
        after = (rows[-1]["submitted_at"], rows[-1]["number"])
