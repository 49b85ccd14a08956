"""From a table's values to a Struct, key by key, so that everything wrong in a file is said at once and where it stands."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec

from handlers.publication import Hit, Key

T = TypeVar("T", bound=msgspec.Struct)

# Made by publishing, never written in a file.
_NOT_WRITTEN = frozenset({"version"})


def decode(struct: type[T], values: object, key: Key = ()) -> tuple[T | None, list[Hit]]:
    """The Struct, or None with every reason why there is none; `key` is where the values stand in their file."""
    hits: list[Hit] = []
    made = _struct(struct, values, key, hits)
    return (None, hits) if hits else (made, hits)


def _struct(struct: type[T], values: object, key: Key, hits: list[Hit]) -> T | None:
    if not isinstance(values, Mapping):
        hits.append(_wrong(struct, key))
        return None
    fields = _fields(struct)
    hits.extend(_unknown(name, fields, key) for name in values if name not in fields)
    before = len(hits)
    made: dict[str, Any] = {}
    for name, field in fields.items():
        if name in values:
            made[name] = _value(field.type, values[name], (*key, name), hits)
        elif field.required:
            hits.append(Hit("missing-key", key, {"name": name}))
    return None if len(hits) > before else struct(**made)


@lru_cache(maxsize=64)
def _fields(struct: type[msgspec.Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    return {field.name: field for field in msgspec.structs.fields(struct) if field.name not in _NOT_WRITTEN}


def _value(wanted: Any, value: object, key: Key, hits: list[Hit]) -> Any:
    kind = _without_none(wanted)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(kind, value, key, hits)
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_value(get_args(kind)[0], one, (*key, place), hits) for place, one in enumerate(value))
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        hits.append(_wrong(kind, key))
        return None


def _without_none(wanted: Any) -> Any:
    if get_origin(wanted) not in {typing.Union, types.UnionType}:
        return wanted
    kinds = [kind for kind in get_args(wanted) if kind is not type(None)]
    return kinds[0] if len(kinds) == 1 else wanted


def _unknown(name: str, fields: Mapping[str, object], key: Key) -> Hit:
    near = difflib.get_close_matches(name, fields, n=1)
    hint = f"，是不是“{near[0]}”？" if near else ""
    return Hit("unknown-key", (*key, name), {"name": name, "hint": hint, "hint_en": f"; did you mean `{near[0]}`?" if near else ""})


def _wrong(kind: Any, key: Key) -> Hit:
    problem, problem_en = _expected(kind)
    name = next((str(part) for part in reversed(key) if isinstance(part, str)), "")
    return Hit("wrong-value", key, {"name": name, "problem": problem, "problem_en": problem_en})


def _expected(kind: Any) -> tuple[str, str]:
    """What a value should look like, in Chinese and English."""
    if get_origin(kind) is Literal:
        return f"只能是 {'、'.join(get_args(kind))} 之一", f"expected one of {', '.join(get_args(kind))}"
    if get_origin(kind) is Annotated:
        return _limited(get_args(kind)[0], get_args(kind)[1])
    if get_origin(kind) is tuple:
        return "应为方括号里的列表", "expected a list"
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return "应为一组“名称 = 值”", "expected a table"
    return _PLAIN.get(kind, ("应为数字", "expected a number"))


def _limited(kind: Any, meta: msgspec.Meta) -> tuple[str, str]:
    if meta.pattern is not None:
        small = meta.pattern.startswith("^[a-z]")
        return (
            f"应为{'小' if small else '大'}写英文字母开头的字母、数字，放在英文双引号里",
            f"expected a quoted code of {'small' if small else 'capital'} letters and digits",
        )
    if kind is str:
        return f"应为英文双引号里的文字，1 到 {meta.max_length} 字", f"expected quoted text of 1 to {meta.max_length} characters"
    return f"应为 {meta.ge} 到 {meta.le} 的整数", f"expected a whole number from {meta.ge} to {meta.le}"


_PLAIN: Mapping[Any, tuple[str, str]] = {
    str: ("应为英文双引号里的文字", "expected quoted text"),
    bool: ("应为 true 或 false", "expected true or false"),
    int: ("应为整数", "expected a whole number"),
}


def rows(values: Mapping[str, Any], name: str) -> tuple[Sequence[object], list[Hit]]:
    """The tables of a file that is one list `[[name]]`; anything else in it is unknown."""
    hits = [_unknown(other, {name: None}, ()) for other in values if other != name]
    found = values.get(name, [])
    return (found, hits) if isinstance(found, list) else ([], [*hits, _wrong(tuple[object, ...], (name,))])
