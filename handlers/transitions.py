"""The life of a case as one table: which act leads from where to where, who may do it, under what rule (design.md section 4).

Every act is an event of the case's history; what follows from it is in the module of its noun.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers import guards
from handlers.actors import ActorKind
from handlers.errors import Refused

if TYPE_CHECKING:
    from handlers.casefile import CaseFile

STATE_NAMES = {
    "draft": "暂存",
    "submitted": "已提交，待受理",
    "correction_requested": "需要补正",
    "accepted": "已受理",
    "not_accepted": "不予受理",
    "in_review": "审查中",
    "decided": "已决定",
    "delivering": "送达中",
    "completed": "已办结",
    "withdrawn": "已撤回",
    "expired": "已失效",
    "forwarded": "已转报",
}

PUBLIC_STATES = {
    "draft": "draft",
    "submitted": "with_office",
    "correction_requested": "needs_you",
    "accepted": "with_office",
    "not_accepted": "completed",
    "in_review": "with_office",
    "decided": "decided",
    "delivering": "decided",
    "completed": "completed",
    "withdrawn": "completed",
    "expired": "completed",
    "forwarded": "with_office",
}

ENDED = frozenset({"decided", "delivering", "completed", "not_accepted", "withdrawn", "expired"})
"""The states in which the answer is known: what waits for a case may go on."""

OPEN_STATES = ("submitted", "correction_requested", "accepted", "in_review", "decided", "delivering", "forwarded")


@dataclass(frozen=True, slots=True)
class Transition:
    """One act: the states it may start from, the state it ends in, who may do it, its Chinese name, and where the rule comes from.

    `guards` hold beyond the state and refuse with codes of their own; `ends` "" leaves the state as it is.
    """

    begins: frozenset[str]
    ends: str
    actors: frozenset[ActorKind]
    name: str
    source: str
    guards: tuple[Callable[[CaseFile], None], ...] = ()


def _act(begins: str, ends: str, actors: str, name: str, source: str, *guards: Callable[[CaseFile], None]) -> Transition:
    return Transition(frozenset(begins.split()), ends, frozenset(actors.split()), name, source, guards)  # type: ignore[arg-type]  # the words are ActorKinds


_WITH_A_CLOCK = "accepted in_review forwarded"
"""The states in which both clocks run: they can stand still and be extended."""

ACTS = {
    "submit": _act("draft", "submitted", "resident staff", "提交", "行政许可法 art. 29", guards.turn_has_come),
    "request_correction": _act(
        "submitted", "correction_requested", "staff department", "要求补正", "行政许可法 art. 32(4)",
        guards.answers_in_time,
    ),
    "correct": _act("correction_requested", "submitted", "resident staff", "补正", "行政许可法 art. 32(5)"),
    "accept": _act("submitted", "accepted", "staff department", "受理", "行政许可法 art. 32(5)"),
    "accept_by_silence": _act("submitted", "accepted", "system", "视为受理", "行政许可法 art. 32(4)", guards.silence_is_over),
    "not_accept": _act("submitted", "not_accepted", "staff department", "不予受理", "行政许可法 art. 32(1), (2)", guards.answers_in_time),
    "review": _act("accepted", "in_review", "staff department system", "转各部门审查", "行政许可法 art. 34"),
    "suspend": _act(_WITH_A_CLOCK, "", "staff department", "启动特别程序", "行政许可法 art. 45", guards.clock_runs),
    "resume": _act(_WITH_A_CLOCK, "", "staff department system", "结束特别程序", "行政许可法 art. 45"),
    "extend": _act(_WITH_A_CLOCK, "", "staff", "延长期限", "行政许可法 art. 42"),
    "forward": _act(
        "in_review", "forwarded", "staff department system", "转报上级", "行政许可法 art. 43",
        guards.may_be_sent_up, guards.reviews_are_in,
    ),
    "decide": _act(
        "in_review forwarded", "decided", "staff department", "作出决定", "行政许可法 art. 37, 38",
        guards.reviews_are_in, guards.sent_up,
    ),
    "decide_first": _act(
        "in_review forwarded", "decided", "staff", "先行决定", "绿色通道: 先行救助、后补手续",
        guards.has_green_channel, guards.sent_up,
    ),
    "deliver": _act("decided delivering", "delivering", "staff", "送达", "行政许可法 art. 44", guards.not_delivered),
    "complete": _act("decided delivering", "completed", "staff department system", "办结", "行政许可法 art. 44"),
    "revoke": _act("decided delivering", "completed", "staff", "撤销决定", "行政许可法 art. 69"),
    "withdraw": _act(
        "draft submitted correction_requested accepted in_review forwarded", "withdrawn", "resident staff", "撤回", "政务服务办理规程",
    ),
    "expire": _act("draft correction_requested", "expired", "system", "失效", "政务服务办理规程: 逾期未补正退件"),
}  # fmt: skip


def possible(state: str, actor: ActorKind) -> list[str]:
    """The acts open to this kind of actor in this state."""
    return [act for act, move in ACTS.items() if state in move.begins and actor in move.actors]


def follow(act: str, state: str, actor: ActorKind) -> str:
    """The state that `act` leads to; raises Refused("wrong_state") that says what is possible instead."""
    move = ACTS[act]
    if state in move.begins and actor in move.actors:
        return move.ends or state
    raise wrong_state(state, actor)


def wrong_state(state: str, actor: ActorKind) -> Refused:
    """The refusal that says where the case stands and what this actor may do now."""
    open_acts = possible(state, actor)
    names = "、".join(ACTS[act].name for act in open_acts) or "查看进度"
    return Refused(
        "wrong_state", {"state": STATE_NAMES[state], "possible": names, "state_en": state, "possible_en": ", ".join(open_acts) or "to look"}
    )
