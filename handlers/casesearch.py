"""Finding a case at the desk: by number or its end, receipt code, applicant, item, days. Each search is in the record with its purpose.

Names are sealed, so a name is found by a keyed fingerprint of all of it: whole or not at all. The record says what kinds of things
were looked for and how many cases were shown, never the words.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Annotated, Literal

import msgspec

from handlers import cursors
from handlers.access import Officer
from handlers.casecards import applicant_of
from handlers.casefile import CaseFile, open_form
from handlers.caseviews import CaseSummary, summary
from handlers.errors import Refused
from handlers.limits import local_date
from handlers.numbers import clean
from handlers.office import Office
from handlers.policy import scope_of
from handlers.shortcodes import read_receipt, recognise
from storage import audit, casesearch
from storage.casesearch import TAIL, Wanted
from storage.database import Row
from storage.ids import uuid7

Purpose = Literal["handling", "enquiry", "complaint", "check"]

PURPOSES = {"handling": "办理业务", "enquiry": "答复咨询", "complaint": "处理投诉", "check": "核查抽查"}

_TAIL = re.compile(rf"[0-9A-Z]{{{TAIL}}}")
_DOTS = str.maketrans(dict.fromkeys("•・‧∙⋅.", "·"))


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`code`: a case number, its last six characters, or a receipt code; `applicant`: the whole name; `item`: its code. One at least."""

    purpose: Purpose
    code: Annotated[str, msgspec.Meta(max_length=200)] = ""
    applicant: Annotated[str, msgspec.Meta(max_length=100)] = ""
    item: Annotated[str, msgspec.Meta(max_length=16)] = ""
    since: dt.date | None = None
    until: dt.date | None = None
    cursor: Annotated[str, msgspec.Meta(max_length=60)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class Hit(msgspec.Struct, frozen=True):
    """A case that was found; `applicant` is masked."""

    case: CaseSummary
    applicant: str


def index(file: CaseFile) -> None:
    """Make a case findable from its submission on, also after a correction of its applicant's name."""
    row, number = file.row, file.row["number"]
    fingerprint = _fingerprint(file.office, str(file.form.get("applicant_name") or ""))
    received = local_date(row["submitted_at"])
    file.write(lambda tx: casesearch.keep(tx, row["id"], row["area"], row["item_code"], number, fingerprint, received))


async def search(office: Office, officer: Officer, wanted: Search) -> tuple[list[Hit], str]:
    """A page of the cases that fit and this officer may see, the latest first, and where the next begins ("" at the end)."""
    scope = scope_of(officer.role, "search_cases")
    if scope == "none":
        raise Refused("forbidden")
    rows = await _found(office, _wanted(office, officer, wanted, None if scope == "area" else officer.department), wanted)
    await _record(office, officer, wanted, len(rows))
    more = cursors.mark(rows[-1]["received_on"], rows[-1]["id"]) if len(rows) == wanted.limit else ""
    return [Hit(summary(office, row), applicant_of(open_form(office, row))) for row in rows], more


def normalised(name: str) -> str:
    """A name as it is compared: full-width forms, blanks, capitals and the shape of its dots do not matter."""
    return "".join(unicodedata.normalize("NFKC", name).translate(_DOTS).split()).casefold()


async def _found(office: Office, wanted: Wanted | None, search: Search) -> list[Row]:
    if wanted is None:
        return []
    return await casesearch.find(office.database, wanted, cursors.place(search.cursor), search.limit)


def _wanted(office: Office, officer: Officer, search: Search, department: str | None) -> Wanted | None:
    """What to ask the store for; None where nothing can fit."""
    if not any((search.code.strip(), search.applicant.strip(), search.item, search.since, search.until)):
        raise Refused("search_empty")
    if search.since and search.until and search.since > search.until:
        raise Refused("search_span")
    number, tail = _code(office, search.code)
    if search.code.strip() and not (number or tail):
        return None
    fingerprint = _fingerprint(office, search.applicant)
    return Wanted(officer.area, department, number, tail, fingerprint, search.item, search.since, search.until)


def _code(office: Office, text: str) -> tuple[str, str]:
    """The case number that a code stands for, or the end of one."""
    scanned = recognise(text)
    if scanned.kind == "number":
        return scanned.text, ""
    if scanned.kind == "receipt":
        receipt = read_receipt(office.keys, scanned.text)
        return (receipt.number if receipt else ""), ""
    bare = clean(text)
    return "", bare if _TAIL.fullmatch(bare) else ""


def _fingerprint(office: Office, name: str) -> str:
    plain = normalised(name)
    return office.keys.sealer.blind_index(plain, "case_search.applicant_hash") if plain else ""


async def _record(office: Office, officer: Officer, wanted: Search, shown: int) -> None:
    by = [name for name in ("code", "applicant", "item", "since", "until") if getattr(wanted, name)]
    await audit.record(
        office.database, at=office.clock.now(), actor_kind="staff", actor_id=officer.id, action="case.searched",
        object_kind="search", object_id=uuid7(), outcome="done", data={"purpose": wanted.purpose, "by": by, "shown": shown},
    )  # fmt: skip
