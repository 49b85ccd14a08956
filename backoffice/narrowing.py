"""What one JSON Schema lets through that another refuses: the question behind every compatible change of a message.

The answer errs on the side of refusing: a keyword that is not understood must be the same in both. Names that a schema does not
list are nobody's: readers ignore them, so an object may gain fields.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

OPEN_ENUM = "x-open-enum"
"""An enumeration that carries this keyword as true lists the values of today only; whoever reads it must bear others."""

_LOWER = {"minLength": 0.0, "minItems": 0.0, "minProperties": 0.0, "minimum": -math.inf, "exclusiveMinimum": -math.inf}
_UPPER = {"maxLength": math.inf, "maxItems": math.inf, "maxProperties": math.inf, "maximum": math.inf, "exclusiveMaximum": math.inf}
_UNDERSTOOD = frozenset({"type", "enum", "properties", "required", "items", "additionalProperties", *_LOWER, *_UPPER})
_ANNOTATIONS = frozenset({"title", "description", "default", "examples", "deprecated", OPEN_ENUM})
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null", list: "array", dict: "object"}


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where something slips through: its path ("data.materials[].source"), the keyword, and what is told of it."""

    path: str
    rule: str
    detail: str = ""


def gaps(inner: Schema, outer: Schema, path: str) -> list[Gap]:
    """Why something that `inner` lets through may be refused by `outer`; empty if that cannot be."""
    found = gaps(inner, _without(outer, "anyOf"), path) if "anyOf" in outer else []
    wide = list(_alternatives({"anyOf": outer["anyOf"]} if "anyOf" in outer else outer))
    return found + [
        gap
        for one in _alternatives(inner)
        for gap in min((list(_between(one, other, path)) for other in wide), key=_weight, default=[Gap(path, "enum")])
    ]


def _weight(found: list[Gap]) -> tuple[bool, int]:
    """Of several alternatives the one of the same type tells best what is wrong."""
    return any(gap.rule == "type" for gap in found), len(found)


def _alternatives(schema: Schema) -> Iterator[Schema]:
    """The schema as alternatives of one type each (or of none: anything)."""
    if "anyOf" in schema:
        for one in schema["anyOf"]:
            yield from _alternatives({**_without(schema, "anyOf"), **one})
    elif "const" in schema:
        listed = [value for value in schema.get("enum", [schema["const"]]) if value == schema["const"]]
        yield from _alternatives({**_without(schema, "const"), "enum": listed})
    elif "enum" in schema:
        yield from _listed(schema)
    elif isinstance(schema.get("type"), list):
        yield from ({**schema, "type": kind} for kind in schema["type"])
    else:
        yield schema


def _listed(schema: Schema) -> Iterator[Schema]:
    """An enumeration by the types of its values; one that is open says nothing more than these types."""
    kinds = [_TYPES[type(value)] for value in schema["enum"]]
    for kind in dict.fromkeys(kind for kind in kinds if _is_within(kind, schema.get("type", kind))):
        listed = [value for value, its in zip(schema["enum"], kinds, strict=True) if its == kind]
        yield {"type": kind} if schema.get(OPEN_ENUM) else {**schema, "type": kind, "enum": listed}


def _without(schema: Schema, keyword: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != keyword}


def _between(inner: Schema, outer: Schema, path: str) -> Iterator[Gap]:
    """Both of one type."""
    if "type" in outer and not _is_within(inner.get("type"), outer["type"]):
        yield Gap(path, "type", f"{inner.get('type', 'anything')} / {outer['type']}")
    elif "enum" in inner:
        strange = [value for value in inner["enum"] if not _admits(outer, value)]
        if strange:
            yield Gap(path, "enum", ", ".join(map(repr, strange)))
    else:
        if "enum" in outer:
            yield Gap(path, "enum")
        yield from (Gap(path, rule) for rule in _limits(inner, outer))
        yield from _objects(inner, outer, path)
        if "items" in outer:
            yield from gaps(inner.get("items", {}), outer["items"], f"{path}[]")


def _is_within(kind: str | None, other: str) -> bool:
    return kind == other or (kind, other) == ("integer", "number")


def _limits(inner: Schema, outer: Schema) -> Iterator[str]:
    """The keywords by which `outer` is narrower."""
    yield from (rule for rule, none in _LOWER.items() if outer.get(rule, none) > inner.get(rule, none))
    yield from (rule for rule, none in _UPPER.items() if outer.get(rule, none) < inner.get(rule, none))
    others = outer.keys() - _UNDERSTOOD - _ANNOTATIONS
    yield from (rule for rule in sorted(others) if rule not in inner or inner[rule] != outer[rule])


def _admits(schema: Schema, value: Any) -> bool:
    """Whether a single value passes; where that cannot be known here (a format, say), it does not."""
    if "type" in schema and not _is_within(_TYPES[type(value)], schema["type"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    alone: dict[str, Any] = {"type": _TYPES[type(value)]}
    if isinstance(value, str):
        alone |= {"minLength": len(value), "maxLength": len(value)}
        if "pattern" in schema and re.search(schema["pattern"], value):
            alone["pattern"] = schema["pattern"]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        alone |= {"minimum": value, "maximum": value}
    return not any(_limits(alone, schema))


def _objects(inner: Schema, outer: Schema, path: str) -> Iterator[Gap]:
    within: Schema = inner.get("properties", {})
    around: Schema = outer.get("properties", {})
    if around and "properties" not in inner and inner.get("additionalProperties") is not False:
        yield Gap(path, "properties", "any object / fixed fields")
        return
    for name in sorted(set(outer.get("required", ())) - set(inner.get("required", ()))):
        yield Gap(f"{path}.{name}", "required")
    for name, schema in within.items():
        if name in around:
            yield from gaps(schema, around[name], f"{path}.{name}")
    yield from _unlisted(inner, outer, path)


def _unlisted(inner: Schema, outer: Schema, path: str) -> Iterator[Gap]:
    """Fields that `outer` does not list."""
    rest = outer.get("additionalProperties", True)
    if rest is True:
        return
    listed = outer.get("properties", {})
    extra = {name: schema for name, schema in inner.get("properties", {}).items() if name not in listed}
    more = inner.get("additionalProperties", True)
    if rest is False:
        if extra or more is not False:
            yield Gap(path, "additionalProperties")
        return
    for name, schema in extra.items():
        yield from gaps(schema, rest, f"{path}.{name}")
    if more is not False:
        yield from gaps({} if more is True else more, rest, f"{path}.*")
