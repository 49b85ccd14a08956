"""How pages say things: times, time limits, numbers, states, roles. The functions are filters of the templates."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from handlers.limits import LOCAL

TASK_STATES = {
    "waiting": "待前序环节",
    "requested": "已送达，待办理",
    "in_progress": "办理中",
    "correction": "待申请人补正",
    "suspended": "特别程序中",
    "done": "已办",
    "void": "已取消",
}
TASK_RESULTS = {
    "agreed": "同意",
    "disagreed": "不同意",
    "accepted": "受理",
    "not_accepted": "不予受理",
    "granted": "准予",
    "refused": "不予批准",
}
DELIVERY_METHODS = {"counter": "窗口领取", "post": "邮寄", "electronic": "电子送达"}
ROLES = {"clerk": "窗口", "officer": "经办", "approver": "审批", "supervisor": "督办", "administrator": "管理员"}

_SOON = 2  # days before the date from which a limit is shown in amber
_NUMBER_PARTS = (9, 17, 22)  # division, day, sequence, check character (handlers.numbers)

_BIDI = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))


@dataclass(frozen=True, slots=True)
class Due:
    """How a time limit stands: in words, and as a colour that says the same."""

    tone: Literal["ok", "warn", "bad"]
    text: str


def moment(time: dt.datetime | None) -> str:
    """A time as people in town read it."""
    return f"{time.astimezone(LOCAL):%Y-%m-%d %H:%M}" if time is not None else "—"


def ago(seconds: float) -> str:
    """How long something has waited, roughly."""
    minutes, hours, days = seconds / 60, seconds / 3600, seconds / 86400
    if minutes < 1:
        return "不到 1 分钟"
    if hours < 1:
        return f"{minutes:.0f} 分钟"
    return f"{hours:.0f} 小时" if days < 2 else f"{days:.0f} 天"  # noqa: PLR2004 - up to two days people count hours


def due(promised_on: dt.date | None, today: dt.date) -> Due | None:
    """How many days are left; None before there is a date."""
    if promised_on is None:
        return None
    days = (promised_on - today).days
    if days < 0:
        return Due("bad", f"已超期 {-days} 天")
    if days == 0:
        return Due("warn", "今天到期")
    return Due("warn" if days <= _SOON else "ok", f"还剩 {days} 天")


def number_parts(number: str) -> list[str]:
    """A case number in the pieces an eye can hold; joined they are the number again."""
    cuts = (0, *_NUMBER_PARTS, len(number))
    return [number[start:end] for start, end in pairwise(cuts) if number[start:end]]


def plain(value: object) -> object:
    """A value as it may stand on a page: marks that turn the direction of writing would let a text show something else (UAX 9)."""
    return value.translate(_BIDI) if isinstance(value, str) else value


def said(value: object) -> object:
    """An answer of a form as people say it."""
    if isinstance(value, bool):
        return "是" if value else "否"
    return "—" if value is None or value == "" else value


FILTERS = {
    "moment": moment,
    "due": due,
    "ago": ago,
    "number_parts": number_parts,
    "said": said,
    "task_state": TASK_STATES.get,
    "task_result": TASK_RESULTS.get,
    "role": ROLES.get,
}
