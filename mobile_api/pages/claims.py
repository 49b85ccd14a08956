"""Who works on a case, and the notes on it: the part of a case's page for that, and its acts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from handlers import claims, notes
from handlers.access import Officer
from handlers.claims import ClaimView, Colleague, Passing
from handlers.errors import Refused
from handlers.notes import Note, NoteView
from handlers.office import Office
from handlers.policy import scope_of

Fields = Mapping[str, str]
Act = Callable[[Office, Officer, str, Fields], Awaitable[object]]

DONE = {
    "claim": "已领取，在您办理期间别人不能办理。",
    "take_over": "已接手。",
    "release": "已退回，别人可以领取。",
    "hand_over": "已移交，会排在对方待办的最前面。",
    "assign": "已分派，会排在对方待办的最前面。",
    "note": "备注已保存，只有工作人员看得到。",
}
PROBLEMS = {"note_empty": "请填写备注。", "colleague_unknown": "请选择要交给谁。"}
NEEDS_REASON = frozenset({"take_over", "note"})
_LONGEST_REASON = 500
_NOTES = 50


async def of_case(office: Office, who: Officer, case_id: str) -> dict[str, object]:
    """What a case's page says about its claim and its notes; the handlers check again."""
    claim: ClaimView = await claims.show(office, who, case_id)
    gives = {"assign", "hand_over"} & set(claim.acts)
    colleagues: list[Colleague] = await claims.colleagues(office, who, case_id) if gives else []
    found: list[NoteView] = await notes.of_case(office, who, case_id, None, _NOTES)
    return {"claim": claim, "colleagues": colleagues, "notes": found, "may_note": scope_of(who.role, "write_note") != "none"}


async def _claim(office: Office, who: Officer, case_id: str, _fields: Fields) -> object:
    return await claims.claim(office, who, case_id)


async def _take_over(office: Office, who: Officer, case_id: str, fields: Fields) -> object:
    return await claims.claim(office, who, case_id, _reason(fields))


async def _release(office: Office, who: Officer, case_id: str, _fields: Fields) -> object:
    return await claims.release(office, who, case_id)


async def _assign(office: Office, who: Officer, case_id: str, fields: Fields) -> object:
    return await claims.assign(office, who, case_id, _passing(fields))


async def _hand_over(office: Office, who: Officer, case_id: str, fields: Fields) -> object:
    return await claims.hand_over(office, who, case_id, _passing(fields))


async def _note(office: Office, who: Officer, case_id: str, fields: Fields) -> object:
    return await notes.add(office, who, case_id, Note(fields.get("reason", "").strip()))


ACTS: dict[str, Act] = {
    "claim": _claim,
    "take_over": _take_over,
    "release": _release,
    "assign": _assign,
    "hand_over": _hand_over,
    "note": _note,
}


def _passing(fields: Fields) -> Passing:
    staff_id = fields.get("to", "")
    if not staff_id or len(staff_id) > 36:  # noqa: PLR2004 - an id
        raise Refused("colleague_unknown")
    return Passing(staff_id, _reason(fields))


def _reason(fields: Fields) -> str:
    return fields.get("reason", "").strip()[:_LONGEST_REASON]
