"""The acts of a case's life at the desk: special procedures, extensions, sending up, delivery; as the buttons of its page name them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping

from handlers import desk, forwarding
from handlers.access import Officer
from handlers.caseviews import CaseView
from handlers.errors import Refused
from handlers.extensions import Asking
from handlers.handovers import Dispatch
from handlers.office import Office
from handlers.particulars import Particulars
from handlers.policy import scope_of
from handlers.specials import Special
from handlers.tasks import LIVE
from mobile_api.pages import papers

Fields = Mapping[str, str]
Act = Callable[[Office, Officer, str, int, Fields], Awaitable[CaseView]]

DONE = {
    "suspend": "特别程序已启动，时限中止，已书面告知申请人。",
    "resume": "特别程序已结束，时限恢复计算。",
    "extend": "延期申请已提出，等待审批。",
    "approve_extension": "已批准延期，新的办结日期和理由已告知申请人。",
    "refuse_extension": "未批准延期，期限不变。",
    "forward": "已转报上级决定。",
    "deliver": "送达信息已登记，已告知申请人。",
    "complete": "已签收，办件办结。",
    **papers.DONE,
}
PROBLEMS = {
    "tracking_missing": "邮寄送达请填写快递公司和单号。",
    "signature_name_missing": "请填写签收人。",
    "until_in_the_past": "预计结束日期不能早于今天。",
    **papers.PROBLEMS,
}
NEEDS_REASON = frozenset({"suspend", "extend", "refuse_extension"}) | papers.NEEDS_REASON

_WITH_A_CLOCK = {"accepted", "in_review", "forwarded"}


async def _suspend(office: Office, who: Officer, case_id: str, version: int, fields: Fields) -> CaseView:
    special = Special(_text(fields, "procedure"), _text(fields, "reason"), _text(fields, "basis"), _day(_text(fields, "until_on")))
    return await desk.suspend(office, who, case_id, version, special)


async def _resume(office: Office, who: Officer, case_id: str, version: int, fields: Fields) -> CaseView:
    return await desk.resume(office, who, case_id, version, _text(fields, "procedure"), _text(fields, "result")[:200])


async def _extend(office: Office, who: Officer, case_id: str, version: int, fields: Fields) -> CaseView:
    days = _text(fields, "days")
    if not (days.isascii() and days.isdigit() and 0 < int(days[:5]) <= 3660):  # noqa: PLR2004 - as in the API
        raise Refused("bad_request")
    return await desk.ask_extension(office, who, case_id, version, Asking(int(days), _text(fields, "reason")))


async def _approve(office: Office, who: Officer, case_id: str, version: int, _fields: Fields) -> CaseView:
    return await desk.approve_extension(office, who, case_id, version)


async def _refuse(office: Office, who: Officer, case_id: str, version: int, fields: Fields) -> CaseView:
    return await desk.refuse_extension(office, who, case_id, version, _text(fields, "reason"))


async def _forward(office: Office, who: Officer, case_id: str, version: int, fields: Fields) -> CaseView:
    return await desk.forward(office, who, case_id, version, _text(fields, "reason"))


async def _deliver(office: Office, who: Officer, case_id: str, version: int, fields: Fields) -> CaseView:
    method = _text(fields, "method")
    if method not in {"counter", "post", "electronic"}:
        raise Refused("bad_request")
    dispatch = Dispatch(method, _text(fields, "carrier")[:50], _text(fields, "tracking")[:64])  # type: ignore[arg-type]  # one of the three
    return await desk.deliver(office, who, case_id, version, dispatch)


async def _complete(office: Office, who: Officer, case_id: str, version: int, fields: Fields) -> CaseView:
    return await desk.complete(office, who, case_id, version, _text(fields, "signed_by")[:50])


ACTS: dict[str, Act] = {
    "suspend": _suspend,
    "resume": _resume,
    "extend": _extend,
    "approve_extension": _approve,
    "refuse_extension": _refuse,
    "forward": _forward,
    "deliver": _deliver,
    "complete": _complete,
    **papers.ACTS,
}


def open_acts(who: Officer, case: CaseView, more: Particulars) -> set[str]:
    """The acts that make sense now for this officer; the handlers check again."""
    found = set()
    if case.state in _WITH_A_CLOCK:
        found |= {"suspend"}
        found |= {"resume"} if any(one.ended_at is None for one in case.procedures) else set()
        found |= {"extend"} if more.extension_left and more.extension is None else set()
        found |= {"settle_extension"} if more.extension is not None and not more.extension.own else set()
    if case.state == "in_review" and any(_goes_up(task.action, task.state) for task in case.tasks):
        found |= {"forward"}
    if case.state in {"decided", "delivering"} and not _is_delivered(case):
        found |= {"deliver"}
        found |= {"complete"} if case.state == "delivering" or _is_fetched(case) else set()
    return {act for act in found if _may(who, act, case)}


def _is_delivered(case: CaseView) -> bool:
    return case.delivery is not None and case.delivery.delivered_at is not None


def _is_fetched(case: CaseView) -> bool:
    return case.delivery is not None and case.delivery.method == "counter"


def _goes_up(action: str, state: str) -> bool:
    return action == forwarding.FIRST_REVIEW and state not in {"done", "void"}


def _may(who: Officer, act: str, case: CaseView) -> bool:
    scope = scope_of(who.role, act)
    if act in {"suspend", "resume"} and scope == "department":
        return who.department in {case.department.code, *(task.department.code for task in case.tasks if task.state in LIVE)}
    return scope == "area" or (scope == "department" and who.department == case.department.code)


def _text(fields: Fields, name: str) -> str:
    return fields.get(name, "").strip()


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise Refused("bad_request") from None
