"""The rules of electronic supervision (电子监察) as data: which object earns which card when, in editions that never change."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Literal

import msgspec

from handlers.catalogue import Limit, Words
from handlers.publication import Hit
from handlers.publication_rules import Rule as Finding

Kind = Literal["case", "step", "pre_acceptance", "procedure", "certificate", "delivery", "urgent", "consultation", "complaint"]
Level = Literal["warning", "yellow", "red"]
Measure = Literal["promised", "legal", "own"]
Recipient = Literal["officer", "approver", "supervisor"]

KIND_NAMES: Mapping[str, str] = {
    "case": "办件", "step": "环节", "pre_acceptance": "网上预审", "procedure": "特别程序", "certificate": "制证",
    "delivery": "送达", "urgent": "急难救助", "consultation": "咨询", "complaint": "投诉",
}  # fmt: skip
LEVEL_NAMES: Mapping[str, str] = {"warning": "预警", "yellow": "黄牌", "red": "红牌"}
LEVELS: tuple[Level, ...] = ("warning", "yellow", "red")
PLACEHOLDERS = frozenset(
    {"instance_code", "instance_name", "commitment_limit", "approve_limit", "own_limit", "used_days", "step", "department"}
)
BY_HOURS = frozenset({"urgent"})
"""The objects whose limit is in hours; their texts have $used_hours$ in the place of $used_days$."""

_GAP = re.compile(r"\$(\w+)\$")
_LONGEST_TEXT = 300  # characters, as supervision_card.text takes them

Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{1,39}$")]


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """One edition of a rule: a card is earned when the used days reach the limit + `days`; it holds for clocks begun from `since` on.

    Where the limit is in hours it says `hours` instead.
    """

    since: dt.date
    limit: Measure
    days: Annotated[int, msgspec.Meta(ge=-60, le=60)] | None = None
    hours: Annotated[int, msgspec.Meta(ge=-240, le=240)] | None = None
    issue: Literal["automatic", "confirm"]
    feedback_days: Annotated[int, msgspec.Meta(ge=0, le=60)] = 0
    text: Words

    @property
    def more(self) -> int:
        """What is added to the limit, in its unit."""
        return self.days or self.hours or 0


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: its object, the level of its card, where it comes from, and its editions, the oldest first."""

    code: Code
    object: Kind
    level: Level
    basis: Words
    editions: tuple[Edition, ...]


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What a card may be given for by hand."""

    code: Code
    name: Words


class OwnLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of objects that have none in the catalogue: looking at an application (预审), issuing the certificate (制证).

    `procedure`: a special procedure for which the item lays none down and whose end nobody announced; a hearing is held within 20 days
    (行政许可法 art. 47).
    """

    pre_acceptance: Limit = Limit(days=2)
    certificate: Limit = Limit(days=3)
    procedure: Limit = Limit(days=20)


class Recipients(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told at each level; a higher level is told to those of the lower ones too (监察规则说明)."""

    warning: tuple[Recipient, ...] = ()
    yellow: tuple[Recipient, ...] = ()
    red: tuple[Recipient, ...] = ()

    def of(self, level: Level) -> tuple[Recipient, ...]:
        """Warning: its own list; yellow: two lists; red: all three."""
        lists = (self.warning, self.yellow, self.red)[: LEVELS.index(level) + 1]
        return tuple(dict.fromkeys(role for roles in lists for role in roles))


class HeldRule(msgspec.Struct, frozen=True):
    """A rule in the edition that holds for one object; `version` is the edition's number, from 1."""

    code: str
    version: int
    level: Level
    edition: Edition


class Rulebook(msgspec.Struct, frozen=True, kw_only=True):
    """All rules of a town; an empty one supervises nothing."""

    code: str = "rules"
    limits: OwnLimits = OwnLimits()
    recipients: Recipients = Recipients()
    rules: tuple[Rule, ...] = ()
    grounds: tuple[Ground, ...] = ()

    def in_force(self, kind: Kind, begun: dt.date) -> list[HeldRule]:
        """The rules for an object whose clock began on this day: a later edition changes nothing that runs already."""
        return [found for rule in self.rules if rule.object == kind and (found := _in_force(rule, begun)) is not None]

    def basis(self, code: str) -> str:
        """Where a rule comes from, or what a ground says; "" when it is no longer in the book."""
        found = next((rule.basis for rule in self.rules if rule.code == code), None)
        return found or next((ground.name for ground in self.grounds if ground.code == code), "")


def fill(text: str, values: Mapping[str, str]) -> str:
    """A card's text with its gaps filled, as long as a card may be."""
    return _GAP.sub(lambda gap: values.get(gap[1], gap[0]), text)[:_LONGEST_TEXT]


def check_rulebook(book: Rulebook) -> Iterator[Hit]:
    """What must hold before the rules are used."""
    codes = [*(rule.code for rule in book.rules), *(ground.code for ground in book.grounds)]
    for code, number in Counter(codes).items():
        if number > 1:
            yield Hit("rule-twice", ("rules",), {"code": code})
    for place, rule in enumerate(book.rules):
        yield from _check(rule, ("rules", place))
    supervised = {rule.object for rule in book.rules}
    if unsupervised := [name for kind, name in KIND_NAMES.items() if kind not in supervised]:
        yield Hit("object-unsupervised", ("rules",), {"names": "、".join(unsupervised)})


def _check(rule: Rule, key: tuple[str | int, ...]) -> Iterator[Hit]:
    if not rule.editions:
        yield Hit("rule-empty", key, {"code": rule.code})
    for place, (former, later) in enumerate(pairwise(rule.editions), start=1):
        if later.since <= former.since:
            yield Hit("edition-order", (*key, "editions", place, "since"), {"code": rule.code})
    for place, edition in enumerate(rule.editions):
        at = (*key, "editions", place)
        if (edition.limit == "own") == (rule.object == "case"):
            yield Hit("rule-limit", (*at, "limit"), {"limit": edition.limit})
        by_hours = rule.object in BY_HOURS
        if (edition.hours is not None, edition.days is not None) != (by_hours, not by_hours):
            yield Hit("rule-unit", at, {"wanted": "hours" if by_hours else "days"})
        gaps = PLACEHOLDERS - {"used_days"} | {"used_hours"} if by_hours else PLACEHOLDERS
        for gap in sorted(set(_GAP.findall(edition.text)) - gaps):
            yield Hit("placeholder-unknown", (*at, "text"), {"gap": gap})


def _in_force(rule: Rule, begun: dt.date) -> HeldRule | None:
    held = [edition for edition in rule.editions if edition.since <= begun]
    return HeldRule(rule.code, len(held), rule.level, held[-1]) if held else None


SUPERVISION_RULES: dict[str, Finding] = {
    "no-supervision": Finding(
        "warning", "本系统", "没有监察规则，任何办件超期都不会发牌", "照程序自带的 supervision/rules.toml 放一份。",
        "there are no rules of supervision: no case gets a card", "Put in a copy of the supervision/rules.toml that comes along.",
    ),
    "object-unsupervised": Finding(
        "warning", "本系统", "没有规则的监察对象：{names}，超期不会发牌", "照程序自带的 supervision/rules.toml 补上这些对象的规则。",
        "no rule for: {names}; they get no card", "Copy the rules of these objects from the supervision/rules.toml that comes along.",
    ),
    "rule-twice": Finding(
        "error", "本系统", "编码“{code}”用了两次", "规则和事由的编码各不相同，改其中一个。",
        "the code `{code}` is used twice", "Give one of them a code of its own.",
    ),
    "rule-empty": Finding(
        "error", "本系统", "规则“{code}”没有版本", "至少写一个 [[rules.editions]]。",
        "the rule `{code}` has no edition", "Write at least one [[rules.editions]].",
    ),
    "edition-order": Finding(
        "error", "本系统", "规则“{code}”的版本没有按 since 先后排列", "新版放在后面，since 要晚于前一版。",
        "the editions of `{code}` are not in the order of `since`", "Put the newer edition last.",
    ),
    "rule-limit": Finding(
        "error", "监察规则说明", "这种监察对象没有时限“{limit}”", '办件用 "promised" 或 "legal"，其他对象用 "own"。',
        "this object has no limit `{limit}`", "Cases have promised and legal ones, everything else its own.",
    ),
    "rule-unit": Finding(
        "error", "本系统", "这种监察对象的规则要写 {wanted}", "急难救助（urgent）的时限是小时，写 hours；其他对象写 days。只写其中一个。",
        "a rule for this object says `{wanted}`", "The limit of urgent aid is in hours, all others are in days; say one of them.",
    ),
    "placeholder-unknown": Finding(
        "error", "本系统", "牌上的话里没有“${gap}$”这一项", "只能用文件开头列出的几项。",
        "there is nothing to fill `${gap}$` with", "Use the gaps listed at the head of the file.",
    ),
}  # fmt: skip
