"""The life of a case as one table: which act leads from where to where, and who may do it (design.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.actors import ActorKind
from handlers.errors import Refused

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

OPEN_STATES = ("submitted", "correction_requested", "accepted", "in_review", "decided", "delivering", "forwarded")


@dataclass(frozen=True, slots=True)
class Transition:
    """One act: the states it may start from, the state it ends in, who may do it, and its Chinese name."""

    begins: frozenset[str]
    ends: str
    actors: frozenset[ActorKind]
    name: str


def _act(begins: str, ends: str, actors: str, name: str) -> Transition:
    return Transition(frozenset(begins.split()), ends, frozenset(actors.split()), name)  # type: ignore[arg-type]  # the words are ActorKinds


ACTS = {
    "submit": _act("draft", "submitted", "resident staff", "提交"),
    "request_correction": _act("submitted", "correction_requested", "staff department", "要求补正"),
    "correct": _act("correction_requested", "submitted", "resident staff", "补正"),
    "accept": _act("submitted", "accepted", "staff department", "受理"),
    "not_accept": _act("submitted", "not_accepted", "staff department", "不予受理"),
    "review": _act("accepted", "in_review", "staff department system", "转各部门审查"),
    "decide": _act("in_review", "decided", "staff department", "作出决定"),
    "deliver": _act("decided", "delivering", "staff", "送达"),
    "complete": _act("decided delivering", "completed", "staff department system", "办结"),
    "withdraw": _act("draft submitted correction_requested accepted in_review", "withdrawn", "resident staff", "撤回"),
    "expire": _act("draft correction_requested", "expired", "system", "失效"),
}


def possible(state: str, actor: ActorKind) -> list[str]:
    """The acts open to this kind of actor in this state."""
    return [act for act, move in ACTS.items() if state in move.begins and actor in move.actors]


def follow(act: str, state: str, actor: ActorKind) -> str:
    """The state that `act` leads to; raises Refused("wrong_state") that says what is possible instead."""
    move = ACTS[act]
    if state in move.begins and actor in move.actors:
        return move.ends
    names = "、".join(ACTS[other].name for other in possible(state, actor)) or "查看进度"
    raise Refused("wrong_state", {"state": STATE_NAMES[state], "possible": names})
