"""What an authority to act for somebody allows: rules on plain values (民法典 art. 23, 161 ff.; 代办 by relatives and village clerks)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from handlers.catalogue import FormField, ServiceItem
from handlers.complaints import complaint
from handlers.errors import Refused
from handlers.numbers import clean, mask_name

Kind = Literal["guardian", "relative", "mandate", "village_clerk", "company"]
Relation = Literal["", "parent", "child", "spouse", "grandparent", "grandchild", "sibling", "relative", "committee"]

KIND_NAMES: dict[str, str] = {
    "guardian": "监护人", "relative": "亲属代办", "mandate": "委托代办", "village_clerk": "村级代办", "company": "单位经办",
}  # fmt: skip
RELATION_NAMES: dict[str, str] = {
    "": "", "parent": "父母", "child": "子女", "spouse": "配偶", "grandparent": "祖父母、外祖父母", "grandchild": "孙子女、外孙子女",
    "sibling": "兄弟姐妹", "relative": "其他亲属", "committee": "村（居）民委员会或民政部门",
}  # fmt: skip
"""What the agent is to the principal."""

NEEDS_DOCUMENT = frozenset({"guardian", "mandate", "company"})
NEEDS_RELATION = frozenset({"guardian", "relative"})
LONGEST: dict[str, int] = {"guardian": 1826, "relative": 731, "mandate": 366, "village_clerk": 366, "company": 731}
"""Days for which an authority holds at most, by its kind; then somebody has to look at it again."""

ADULT_YEARS = 18
_DIVISION = 9  # digits of a town in a village's code of twelve (GB/T 10114)


class Person(msgspec.Struct, frozen=True):
    """Somebody by name and number: ID number, or for a firm its unified social credit code."""

    name: str
    number: str

    def shown(self, *, masked: bool) -> str:
        """The name as others may see it."""
        return mask_name(self.name) if masked else self.name


class Authority(msgspec.Struct, frozen=True):
    """One authority as its rules see it; no `items` = everything that the kind may do."""

    id: str
    kind: str
    state: str
    items: tuple[str, ...]
    valid_to_on: dt.date
    village: str | None
    is_incapable: bool
    principal: Person

    def covers(self, item_code: str, today: dt.date) -> bool:
        """Whether it holds today for an item; a guardian's ends when the child comes of age."""
        living = self.state == "active" and today <= self.valid_to_on and not self.is_outgrown(today)
        return living and (not self.items or item_code in self.items)

    def carries(self, item: ServiceItem, today: dt.date) -> bool:
        """Whether it may be used for an item today: it covers it, and is of a kind that may do it."""
        return self.covers(item.code, today) and self.kind in allowed_kinds(item)

    def is_outgrown(self, today: dt.date) -> bool:
        """Whether the child of a guardian has come of age."""
        return self.kind == "guardian" and not self.is_incapable and not is_minor(self.principal.number, today)


def allowed_kinds(item: ServiceItem) -> tuple[str, ...]:
    """Who may act for the applicant of an item, by its own rule and by whom its form is about."""
    if not item.proxy_allowed:
        return ()
    names = {field.name for field in item.form.fields}
    return tuple(kind for kind in KIND_NAMES if (not item.proxy_kinds or kind in item.proxy_kinds) and number_field(kind) in names)


def check_use(authority: Authority, item: ServiceItem, division: str, today: dt.date) -> None:
    """Refuse an application that the authority does not carry today."""
    if not item.proxy_allowed:
        raise Refused("proxy_not_allowed")
    if authority.kind not in allowed_kinds(item):
        raise Refused("proxy_kind", {"possible": "、".join(KIND_NAMES[kind] for kind in allowed_kinds(item)) or "本人办理"})
    if authority.state in {"asked", "refused"}:
        raise Refused("proxy_not_active")
    if authority.is_outgrown(today):
        raise Refused("proxy_of_age")
    if authority.state != "active" or today > authority.valid_to_on:
        raise Refused("proxy_over")
    if not authority.covers(item.code, today):
        raise Refused("proxy_scope")
    if authority.kind == "village_clerk" and not in_village(authority.village, division):
        raise Refused("proxy_village")


def check_person(kind: Kind, principal: Person, today: dt.date, *, incapable: bool) -> None:
    """Refuse a kind that cannot act for this person: for a minor only a guardian can, and a guardian only for who needs one."""
    minor = kind != "company" and is_minor(principal.number, today)
    if kind == "guardian" and not minor and not incapable:
        raise Refused("proxy_not_minor")
    if kind != "guardian" and minor:
        raise Refused("proxy_needs_guardian")


def last_day(kind: Kind, principal: Person, today: dt.date, *, incapable: bool) -> dt.date:
    """The last day that an authority given today can have; a guardian's is the day before the child comes of age."""
    longest = today + dt.timedelta(days=LONGEST[kind])
    if kind != "guardian" or incapable:
        return longest
    grown_up = comes_of_age(principal.number)
    return min(longest, grown_up - dt.timedelta(days=1)) if grown_up else longest


def identity(kind: str, principal: Person, fields: Iterable[FormField]) -> dict[str, str]:
    """What the form of an item says of the applicant when he is the principal."""
    known = {"applicant_name": principal.name, number_field(kind): principal.number}
    return {field.name: known[field.name] for field in fields if field.name in known}


def check_applicant(wanted: Mapping[str, str], form: Mapping[str, Any]) -> None:
    """Refuse a form that is filled in for anybody else; `wanted` comes from `identity`."""
    wrong = [name for name, value in wanted.items() if clean(str(form.get(name, ""))) != clean(value)]
    if wrong:
        raise Refused("applicant_differs", errors=[complaint(f"/form/{name}", "applicant_differs") for name in wrong])


def number_field(kind: str) -> str:
    """The field of a form that holds the principal's number."""
    return "credit_code" if kind == "company" else "id_number"


def in_village(village: str | None, division: str) -> bool:
    """Whether a village of twelve digits lies in the town whose cases these are."""
    return village is not None and village[:_DIVISION] == division[:_DIVISION]


def is_minor(number: str, today: dt.date) -> bool:
    """Whether an ID number is that of a person under 18 (民法典 art. 17)."""
    grown_up = comes_of_age(number)
    return grown_up is not None and today < grown_up


def comes_of_age(number: str) -> dt.date | None:
    """The 18th birthday by an ID number; who is born on 29 February has it on 1 March. None for a number without a birthday."""
    digits = clean(number)[6:14]
    if not (len(digits) == 8 and digits.isdigit()):  # noqa: PLR2004 - GB 11643
        return None
    year, month, day = int(digits[:4]) + ADULT_YEARS, int(digits[4:6]), int(digits[6:])
    try:
        return dt.date(year, month, day)
    except ValueError:
        return dt.date(year, 3, 1) if (month, day) == (2, 29) else None
