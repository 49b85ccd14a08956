"""Reading JSON and query strings strictly: one meaning only, bounded depth, no value the databases cannot hold.

msgspec refuses malformed JSON, NaN, Infinity, lone surrogates and bad UTF-8 by itself. It keeps the last of duplicate
keys, so each document is looked over once more: a cheap look finds almost every honest document harmless, and only
the others are read again by a slow, careful reader.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from handlers.errors import Refused
from handlers.invisible import is_visible, visible_in
from mobile_api.web.problems import field_refusal

MAX_DEPTH = 64
MAX_INTEGER = 2**53 - 1  # RFC 8259, 6: what every JSON reader keeps exactly

_LONG_NUMBER = re.compile(rb"[\[:,\s]-?\d{16}")
_PLACE = re.compile(r" - at `\$(.*)`$")
_NAME = re.compile(r"`([A-Za-z0-9_]{1,64})`")
_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+)\]")

_REASONS = {
    "malformed": ("JSON 格式有误，请核对。", "It cannot be read as JSON."),
    "duplicate": ("同一个对象中有重复的名称。", "An object names the same key twice."),
    "deep": (f"嵌套层数超过 {MAX_DEPTH} 层。", f"It is nested more than {MAX_DEPTH} deep."),
    "nul": ("文字中含有不可用的字符（U+0000）。", "A text holds the character U+0000."),
    "integer": ("整数超出可以精确表示的范围。", "An integer is larger than 2^53 - 1."),
}

_RULES = (
    ("missing required", "missing"),
    ("unknown field", "unknown"),
    ("of length", "length"),
    ("matching regex", "pattern"),
    ("Invalid enum", "choice"),
    ("out of range", "range"),
    ("<=", "range"),
    (">=", "range"),
    (" < ", "range"),
    (" > ", "range"),
    ("multiple of", "range"),
    ("Invalid", "pattern"),
)


def decode_strictly(body: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    """The body as the decoder's type, without what nobody sees; Refused "not_json" (400) or "wrong_shape" (422, with the place)."""
    value = _decode(body, decoder)
    if _suspicious(body):
        _read_carefully(body)
    if b"\\u" in body or not is_visible(body.decode()):
        value = _decode(msgspec.json.encode(visible_in(value)), decoder)  # once more, for a text may be empty now
    return value


def _decode(body: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise shape_refusal(error) from None
    except RecursionError:
        raise _not_json("deep") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _not_json("malformed") from None


def shape_refusal(error: msgspec.ValidationError, prefix: str = "") -> Refused:
    """A msgspec complaint as a field error: where and which rule, never the value."""
    text = str(error)
    place = _PLACE.search(text)
    complaint = text[: place.start()] if place else text
    code = next((rule for sign, rule in _RULES if sign in complaint), "type")
    pointer = _pointer(place[1] if place else "")
    name = _NAME.search(complaint)
    if code in {"missing", "unknown"} and name:
        pointer += "/" + name[1]
    return field_refusal("?" + pointer.lstrip("/") if prefix == "?" else pointer, code)


def _pointer(path: str) -> str:
    steps = [name or index for name, index in _STEP.findall(path)]
    return "".join("/" + step for step in steps)


def _not_json(reason: str) -> Refused:
    zh, en = _REASONS[reason]
    return Refused("not_json", {"reason": zh, "reason_en": en})


def _suspicious(body: bytes) -> bool:
    """Whether a careful look is worth its price; a document with distinct plain keys and few brackets is harmless."""
    if b"\\" in body or body.count(b"{") + body.count(b"[") > MAX_DEPTH or _LONG_NUMBER.search(body):
        return True
    # Without a backslash every quote begins or ends a string: every second part is one, a key has a colon behind it.
    parts = body.split(b'"')
    keys = [text for text, after in zip(parts[1::2], parts[2::2], strict=True) if after.lstrip()[:1] == b":"]
    return len(set(keys)) != len(keys)


def _read_carefully(body: bytes) -> None:
    try:
        value = json.loads(body, object_pairs_hook=_distinct, parse_int=_bounded)
    except RecursionError:
        raise _not_json("deep") from None
    _check_depth([value])


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _not_json("duplicate")
    _check_texts(found)
    return found


def _bounded(digits: str) -> int:
    if len(digits) > len(str(MAX_INTEGER)) + 1 or abs(int(digits)) > MAX_INTEGER:
        raise _not_json("integer")
    return int(digits)


def _check_depth(level: list[Any]) -> None:
    """Walk the document level by level; texts in lists and values are looked at on the way."""
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below += value.values()
            elif isinstance(value, list):
                below += value
        if not below:
            return
        _check_texts(below)
        level = below
    if any(isinstance(value, dict | list) for value in level):
        raise _not_json("deep")


def _check_texts(values: Iterable[Any]) -> None:
    # PostgreSQL's text cannot hold U+0000
    if any(isinstance(value, str) and "\0" in value for value in values):
        raise _not_json("nul")
