"""One field from one side to the other: what the words of a field rule do, the same way every time, for both directions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from backoffice import mapping_dates
from backoffice.mapping_table import FieldRule

Direction = Literal["out", "in"]

_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?")


class Unfit(Exception):
    """A value cannot be carried over: a rule of MAPPING_RULES and values for its text, never the value itself (it is personal)."""

    def __init__(self, rule: str, **values: object) -> None:
        super().__init__(rule)
        self.rule = rule
        self.values = values


def carried(rule: FieldRule, data: Mapping[str, Any], direction: Direction) -> Any:
    """What a rule makes of the data; None = the field is left out; raises Unfit."""
    found = rule.constant if rule.constant is not None else _found(rule, data)
    made = found if rule.constant is not None or found is None else _translated(rule, found, direction)
    if made is None:
        made = rule.default
    if made is None and rule.required:
        raise Unfit("mapping-value-missing", target=rule.target, source="、".join(rule.paths))
    return None if made is None else _fitted(rule, made)


def look(data: Any, path: str) -> Any:
    """The value at a dotted path, None if there is none; through a list, the values of all its elements."""
    for name in path.split("."):
        data = _inside(data, name)
    return data


def put(form: dict[str, Any], target: str, value: Any) -> None:
    """Write a value at a dotted target, making the groups on the way."""
    *groups, name = target.split(".")
    for group in groups:
        form = form.setdefault(group, {})
    form[name] = value


def as_text(value: object) -> str:
    """A value as code tables and text fields have it: `true`, `false`, numbers without exponent or a needless `.0`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(str(value)), "f")
    return str(value)


def _inside(data: Any, name: str) -> Any:
    if isinstance(data, Mapping):
        return data.get(name)
    if isinstance(data, list):
        return [found for one in data if (found := _inside(one, name)) is not None]
    return None


def _found(rule: FieldRule, data: Mapping[str, Any]) -> Any:
    """The source's value, or the list of the sources' values; None where nothing was filled in."""
    if not rule.sources:
        found = look(data, rule.source)
        return None if _is_empty(found) else found
    each = (look(data, path) for path in rule.sources)
    return [one for found in each for one in (found if isinstance(found, list) else [found]) if not _is_empty(one)] or None


def _is_empty(value: object) -> bool:
    return value is None or value in ("", [], {})


def _translated(rule: FieldRule, found: Any, direction: Direction) -> Any:
    """The value after cut, split, values, date and join; None where a part or a line of the code table is missing."""
    many = found if isinstance(found, list) else [found]
    parts = [part for one in many for part in _parts(rule, one)]
    made = [_coded(rule, part, direction) for part in parts]
    kept = [one for one in made if one is not None]
    if not kept:
        return None
    if rule.join is not None or rule.sources:
        return (rule.join or "").join(as_text(one) for one in kept)
    return kept if isinstance(found, list) or (rule.split and rule.split.take is None) else kept[0]


def _parts(rule: FieldRule, value: Any) -> list[Any]:
    if rule.cut:
        value = as_text(value)[rule.cut.first - 1 : rule.cut.last]
    if not rule.split:
        return [] if _is_empty(value) else [value]
    parts = [part.strip() for part in as_text(value).split(rule.split.by)]
    wanted = parts if rule.split.take is None else parts[rule.split.take - 1 : rule.split.take]
    return [part for part in wanted if part]


def _coded(rule: FieldRule, value: Any, direction: Direction) -> Any:
    if rule.values:
        value = _by_table(rule, as_text(value), direction)
    if rule.date and value is not None:
        return _dated(rule, as_text(value), direction)
    return value


def _by_table(rule: FieldRule, value: str, direction: Direction) -> str | None:
    for pair in rule.values:
        known, meant = (pair.ours, pair.theirs) if direction == "out" else (pair.theirs, pair.ours)
        if known == value:
            return meant
    if rule.default is None:
        raise Unfit("mapping-value-unknown", target=rule.target)
    return None


def _dated(rule: FieldRule, text: str, direction: Direction) -> str:
    day = mapping_dates.written(text, rule.date) if direction == "out" else mapping_dates.read(text, rule.date)
    if day is None:
        raise Unfit("mapping-not-a-date", target=rule.target, pattern=rule.date if direction == "in" else "%Y-%m-%d")
    return day


def _fitted(rule: FieldRule, value: Any) -> Any:
    """The value in the wanted type and not too long; nothing is ever shortened unasked."""
    if isinstance(value, list):
        return [_fitted(rule, one) for one in value]
    if rule.type is not None:
        value = as_text(value) if rule.type == "text" else _number(rule, value)
    length = len(as_text(value))
    if rule.max_length is not None and length > rule.max_length:
        raise Unfit("mapping-too-long", target=rule.target, length=length, limit=rule.max_length)
    return value


def _number(rule: FieldRule, value: Any) -> int | float:
    text = as_text(value).strip()
    if not _NUMBER.fullmatch(text):
        raise Unfit("mapping-not-a-number", target=rule.target)
    return float(text) if "." in text else int(text)
