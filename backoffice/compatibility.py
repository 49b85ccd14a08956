"""Whether the messages of today are still those that departments were promised: nothing may break within a major version.

Departments write answers, so what they could say yesterday must still be understood; this town writes commands, so it may say
nothing that departments were not told of. Fields may be added in both directions, for every reader ignores unknown ones. Whatever
breaks that becomes a new version of its type, which stands beside the old one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backoffice.narrowing import Gap, Schema, gaps
from backoffice.registry import REGISTRY, MessageType, asyncapi

Contract = dict[str, dict[str, Any]]
"""Every message by its type, as {"direction": ..., "schema": JSON Schema of its data without references}."""

_BOTH = ("Envelope", "Confirmation")
_WORDS = frozenset({"title", "description", "examples"})
_WHY = {
    "removed": "readers and writers of this version rely on it",
    "direction": "the other side sends it",
    "default": "leaving it out would mean something else",
    "from_department": "what departments rightly say today would be refused",
    "to_department": "departments would be told what they were never promised",
    "both": "one side would say what the other does not understand",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One incompatible change: of which message, where in it, against which rule, why it matters, and what to do instead."""

    message: str
    path: str
    rule: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.message}: {self.path}: {self.rule}: {self.why}. {self.remedy}"


def contract(registry: Sequence[MessageType] = REGISTRY) -> Contract:
    """What is promised today, in the form that is kept as the baseline."""
    schemas: Schema = asyncapi("000000000", registry)["components"]["schemas"]
    found: Contract = {
        entry.type: {"direction": entry.direction, "schema": _inlined(schemas[entry.data.__name__], schemas)} for entry in registry
    }
    return found | {name: {"direction": "both", "schema": _inlined(schemas[name], schemas)} for name in _BOTH}


def incompatible(baseline: Contract, present: Contract) -> list[Finding]:
    """Every change from the baseline that may break somebody's program; what is new breaks nobody's."""
    return [
        _finding(message, *change) for message, promised in sorted(baseline.items()) for change in _changes(promised, present.get(message))
    ]


def _changes(promised: Mapping[str, Any], now: Mapping[str, Any] | None) -> Iterator[tuple[Gap, str]]:
    """The gaps in one message, and which of the reasons holds."""
    if now is None:
        yield Gap("", "removed"), "removed"
        return
    if promised["direction"] != now["direction"]:
        yield Gap("", "direction"), "direction"
        return
    was, is_now = _fields(promised["schema"], "data"), _fields(now["schema"], "data")
    gone = [path for path in was if path not in is_now]
    held = tuple(f"{path}{mark}" for path in gone for mark in ".[")  # of what went, and of what it held, once is enough
    yield from ((Gap(path, "removed"), "removed") for path in gone if not path.startswith(held))
    slips = (gap for gap in _slips(promised, now) if gap.path not in gone and not gap.path.startswith(held))
    yield from ((gap, promised["direction"]) for gap in dict.fromkeys(slips))
    for path in sorted(was.keys() & is_now.keys()):
        if was[path].get("default", ...) != is_now[path].get("default", ...) and "default" in was[path]:
            yield Gap(path, "default"), "default"


def _slips(promised: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Gap]:
    """What one side may write and the other not read."""
    if promised["direction"] != "to_department":
        yield from gaps(promised["schema"], now["schema"], "data")
    if promised["direction"] != "from_department":
        yield from gaps(now["schema"], promised["schema"], "data")


def _finding(message: str, gap: Gap, reason: str) -> Finding:
    found = re.fullmatch(r"(.+\.v)(\d+)", message)
    new = f"register it as {found[1]}{int(found[2]) + 1} beside this one" if found else "give the new form a name of its own"
    rule = f"{gap.rule} ({gap.detail})" if gap.detail else gap.rule
    return Finding(message, gap.path or "the whole message", rule, _WHY[reason], f"Leave it as it was, or {new}.")


def _fields(schema: Schema, path: str) -> dict[str, Schema]:
    """Every field of a schema by its path."""
    found: dict[str, Schema] = {}
    for one in schema.get("anyOf", ()):
        found |= _fields(one, path)
    if "items" in schema:
        found |= _fields(schema["items"], f"{path}[]")
    for name, field in schema.get("properties", {}).items():
        found[f"{path}.{name}"] = field
        found |= _fields(field, f"{path}.{name}")
    return found


def _inlined(schema: Any, schemas: Schema) -> Any:
    """A schema without references, and without words, which change nothing for programs."""
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = schemas[schema["$ref"].rpartition("/")[2]]
        return _inlined({**target, **{name: value for name, value in schema.items() if name != "$ref"}}, schemas)
    return {name: _part(name, value, schemas) for name, value in schema.items() if name not in _WORDS}


def _part(keyword: str, value: Any, schemas: Schema) -> Any:
    if keyword == "properties":
        return {name: _inlined(field, schemas) for name, field in value.items()}
    if keyword == "anyOf":
        return [_inlined(one, schemas) for one in value]
    return _inlined(value, schemas) if keyword in {"items", "additionalProperties"} else value
