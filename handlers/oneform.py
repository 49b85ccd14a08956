"""The one form of a bundle (一件事): what several items ask is asked once, and mapped to each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from handlers.catalogue import Bundle, Catalogue, Form, FormField, MaterialRule, ServiceItem
from handlers.tolerance import may_follow

Asker = TypeVar("Asker", FormField, MaterialRule)


@dataclass(frozen=True, slots=True)
class OneField:
    """One question and whom it serves: item code -> the item's own fields."""

    field: FormField
    fills: Mapping[str, tuple[FormField, ...]]


@dataclass(frozen=True, slots=True)
class OnePaper:
    """One paper to hand in and whom it serves: item code -> the item's own materials."""

    code: str
    rule: MaterialRule
    fills: Mapping[str, tuple[MaterialRule, ...]]


@dataclass(frozen=True, slots=True)
class OneForm:
    """Everything that the chosen items ask for, once."""

    fields: tuple[OneField, ...]
    papers: tuple[OnePaper, ...]

    def as_item(self, item: ServiceItem) -> ServiceItem:
        """The form in the shape of an item, so that the rules for items' forms and materials hold for it too."""
        rules = tuple(paper.rule for paper in self.papers)
        return msgspec.structs.replace(item, form=Form(fields=tuple(one.field for one in self.fields)), materials=rules)

    def form_of(self, code: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        """What one item's own form holds after the one form has been filled in."""
        return {
            field.name: answers[one.field.name] for one in self.fields if one.field.name in answers for field in one.fills.get(code, ())
        }


def one_form(bundle: Bundle, catalogue: Catalogue, chosen: Iterable[str]) -> OneForm:
    """The form for these items of a bundle. The names do not depend on the choice; what is required does."""
    codes = frozenset(chosen)
    items = [catalogue.items[code] for code in (*bundle.items, *bundle.optional)]
    put_off = _put_off(bundle, catalogue, codes)
    fields = _groups(_asked(bundle, items, "fields"), _field_key)
    papers = _groups(_asked(bundle, items, "papers"), lambda rule: _paper_key(rule, bundle))
    return OneForm(
        tuple(one for name, label, fills in fields if (one := _one_field(name, label, _kept(fills, codes), put_off)) is not None),
        tuple(paper for code, label, fills in papers if (paper := _one_paper(code, label, _kept(fills, codes), put_off)) is not None),
    )


def produced(bundle: Bundle, catalogue: Catalogue, chosen: Iterable[str]) -> dict[str, dict[str, str]]:
    """Papers that another item of the choice brings forth: item code -> material -> the item that issues it.

    An item of the same stage counts: both are reviewed together (首段联审), so nobody can ask for the other's result beforehand.
    """
    codes = frozenset(chosen)
    issuers = {catalogue.items[code].certificate_type: code for code in codes if catalogue.items[code].certificate_type}
    stages = stages_of(bundle)
    found: dict[str, dict[str, str]] = {}
    for code in codes:
        for rule in catalogue.items[code].materials:
            issuer = issuers.get(rule.certificate_type)
            if issuer not in {None, code} and stages.get(str(issuer), 1) <= stages.get(code, len(bundle.order) + 1):
                found.setdefault(code, {})[rule.code] = str(issuer)
    return found


def handed_on(bundle: Bundle, chosen: Iterable[str]) -> dict[str, dict[str, str]]:
    """Fields that an earlier item's certificate number fills: item code -> field -> the earlier item."""
    codes = frozenset(chosen)
    found: dict[str, dict[str, str]] = {}
    for one in bundle.handed_on:
        for code, name in map(split, one.fills):
            if one.of in codes and code in codes:
                found.setdefault(code, {})[name] = one.of
    return found


def stages_of(bundle: Bundle) -> dict[str, int]:
    """The stage of every item in the order, from 1; an optional item without a place begins as soon as what it needs is granted."""
    return {code: stage for stage, codes in enumerate(bundle.order, 1) for code in codes}


def split(name: str) -> tuple[str, str]:
    """ITEM.name taken apart."""
    code, _, rest = name.partition(".")
    return code, rest


def _put_off(bundle: Bundle, catalogue: Catalogue, codes: frozenset[str]) -> frozenset[str]:
    """What need not be there at the application, as ITEM.field and ITEM:material."""
    later = {f"{one.item}.{name}" for one in bundle.later for name in one.fields}
    later |= {f"{one.item}:{code}" for one in bundle.later for code in one.materials}
    later |= {f"{code}.{name}" for code, fields in handed_on(bundle, codes).items() for name in fields}
    later |= {f"{code}:{rule}" for code, rules in produced(bundle, catalogue, codes).items() for rule in rules}
    return frozenset(later)


def _asked(bundle: Bundle, items: Iterable[ServiceItem], kind: str) -> Iterator[tuple[str, Any, tuple[str, str] | None]]:
    """Every (item code, question, the name and label under which the bundle asks it)."""
    shared = bundle.asks if kind == "fields" else bundle.papers
    known = {fill: (one.name, one.label) for one in shared for fill in one.fills}
    for item in items:
        for field in item.form.fields if kind == "fields" else (rule for rule in item.materials if rule.source == "upload"):
            own = field.name if isinstance(field, FormField) else field.code
            yield item.code, field, known.get(f"{item.code}.{own}")


def _groups(asked: Iterable[tuple[str, Asker, tuple[str, str] | None]], key: Any) -> list[tuple[str, str, dict[str, list[Asker]]]]:
    """(name, label, item code -> questions), in the order in which they first come up; every name once."""
    groups: dict[Any, tuple[str, str, dict[str, list[Asker]]]] = {}
    names: set[str] = set()
    for code, one, shared in asked:
        group = groups.get(shared or key(one))
        if group is None:
            name, label = shared or (_fresh(one, code, names), "")
            names.add(name)
            group = groups[shared or key(one)] = (name, label, {})
        group[2].setdefault(code, []).append(one)
    return list(groups.values())


def _fresh(one: FormField | MaterialRule, code: str, names: set[str]) -> str:
    own = one.name if isinstance(one, FormField) else one.code
    return own if own not in names else f"{own}_{code.replace('-', '_').lower()}"


def _field_key(field: FormField) -> tuple[Any, ...]:
    """Two questions are one when name, label, type and choices agree."""
    return ("field", field.name, field.label, field.type, field.options)


def _paper_key(rule: MaterialRule, bundle: Bundle) -> tuple[Any, ...]:
    """Two papers are one when the code and the name agree, or the code and a certificate type that the bundle shares."""
    shared = rule.certificate_type if rule.certificate_type in bundle.shared_materials else None
    return ("paper", rule.code, shared or rule.name)


def _kept(fills: Mapping[str, list[Asker]], codes: frozenset[str]) -> dict[str, tuple[Asker, ...]]:
    return {code: tuple(ones) for code, ones in fills.items() if code in codes}


def _one_field(name: str, label: str, fills: Mapping[str, tuple[FormField, ...]], put_off: frozenset[str]) -> OneField | None:
    """The strictest of the items' rules holds; a question that is put off by everybody is not asked at all."""
    now = {code: tuple(one for one in ones if f"{code}.{one.name}" not in put_off) for code, ones in fills.items()}
    members = [one for ones in now.values() for one in ones]
    if not members:
        return None
    bounds = {
        "max_length": min((one.max_length for one in members if one.max_length is not None), default=None),
        "min": max((one.min for one in members if one.min is not None), default=None),
        "max": min((one.max for one in members if one.max is not None), default=None),
        "when": next((one.when for one in members if one.when), None),
        "required": any(one.required for one in members),
        "must": any(one.must for one in members),
        "options": tuple(option for option in members[0].options if all(option.value in _values(one) for one in members)),
    }
    return OneField(msgspec.structs.replace(members[0], name=name, label=label or members[0].label, **bounds), now)


def _values(field: FormField) -> set[str]:
    return {option.value for option in field.options}


def _one_paper(code: str, label: str, fills: Mapping[str, tuple[MaterialRule, ...]], put_off: frozenset[str]) -> OnePaper | None:
    now = {item: tuple(one for one in ones if f"{item}:{one.code}" not in put_off) for item, ones in fills.items()}
    members = [one for ones in now.values() for one in ones]
    if not members:
        return None
    rule = msgspec.structs.replace(
        members[0],
        code=code,
        name=label or members[0].name,
        required=any(one.required for one in members),
        tolerable=all(may_follow(one) or not one.required for one in members),
        core=any(one.core for one in members),
        commitment=all(one.commitment for one in members),
        condition=members[0].condition if all(one.condition for one in members) else "",
    )
    return OnePaper(code, rule, now)
