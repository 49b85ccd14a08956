"""Makes values fit the typed fields of a WeChat template; rules of the platform page "发送订阅消息", parameter values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_TIME = re.compile(r"(\d{4}年\d{1,2}月\d{1,2}日 )?([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
_DATE = re.compile(r"\d{4}年(0?[1-9]|1[0-2])月(0?[1-9]|[12]\d|3[01])日( ([01]?\d|2[0-3]):[0-5]\d)?")
_HAN = re.compile(r"[\u4e00-\u9fff]{1,5}")
_NUMBER = re.compile(r"[0-9]{1,32}|(?=.{3,32}$)[0-9]+\.[0-9]+")
_ASCII = re.compile(r"[!-~](?:[ -~]{0,30}[!-~])?")
_LETTERS = re.compile(r"[A-Za-z]{1,32}")
_PHONE = re.compile(r"[0-9+\-() ]{1,17}")
_THING = 20
_NAME = 10
_FIELD = re.compile(r"([a-z_]+?)\d+")


class Unfit(ValueError):
    """A value that no shortening can make fit its field: a defect of ours, told before the platform tells it (47003)."""


def sanitise(field: str, value: str) -> str:
    """The value as `field` (such as "thing1") takes it; raises Unfit that names the field, never the value."""
    match = _FIELD.fullmatch(field)
    rule = _RULES.get(match[1]) if match else None
    if rule is None:
        raise Unfit(f"{field} has no known type")
    fitted = rule(_plain(value))
    if fitted is None:
        raise Unfit(f"{field} does not take this value")
    return fitted


def _plain(value: str) -> str:
    """Without control characters, line breaks and runs of blanks."""
    return " ".join("".join(" " if unicodedata.category(letter) in _INVISIBLE else letter for letter in value).split())


def _cut(limit: int, empty: str) -> Callable[[str], str | None]:
    def cut(value: str) -> str:
        return value[: limit - 1] + "…" if len(value) > limit else value or empty

    return cut


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    def matching(value: str) -> str | None:
        return value if pattern.fullmatch(value) else None

    return matching


_RULES: dict[str, Callable[[str], str | None]] = {
    "thing": _cut(_THING, "无"),
    "name": _cut(_NAME, "无"),
    "phrase": _matching(_HAN),
    "time": _matching(_TIME),
    "date": _matching(_DATE),
    "character_string": _matching(_ASCII),
    "number": _matching(_NUMBER),
    "letter": _matching(_LETTERS),
    "phone_number": _matching(_PHONE),
}
