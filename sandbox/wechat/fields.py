"""The platform's rules for the values of a subscribe message (page "发送订阅消息"); written apart from our sanitiser, to judge it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from sandbox.wechat.answers import Refusal

_CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?"
_MONTH, _DAY_OF_MONTH = "(?:0?[1-9]|1[0-2])", "(?:0?[1-9]|[12][0-9]|3[01])"
_DAY = rf"[0-9]{{4}}(?:年{_MONTH}月{_DAY_OF_MONTH}日|[-/.]{_MONTH}[-/.]{_DAY_OF_MONTH})"
_ONE_TIME = rf"(?:{_DAY} ?)?{_CLOCK}"
_ONE_DATE = rf"{_DAY}(?: ?{_CLOCK})?"

RULES = {
    "thing": r".{1,20}",
    "name": r"[^\x00-\x7f]{1,10}|[ -~]{1,20}|.{1,10}",
    "phrase": r"[\u4e00-\u9fff]{1,5}",
    "number": r"(?=.{1,32}$)[0-9]+(\.[0-9]+)?",
    "letter": r"[A-Za-z]{1,32}",
    "symbol": r"[^\w\s]{1,5}",
    "character_string": r"[!-~ ]{1,32}",
    "time": rf"{_ONE_TIME}(~{_ONE_TIME})?",
    "date": rf"{_ONE_DATE}(~{_ONE_DATE})?",
    "amount": r"[¥￥$]?[0-9]{1,10}(\.[0-9]+)?元?",
    "phone_number": r"[0-9+\-() ]{1,17}",
    "car_number": r".{1,8}",
}
_COMPILED = {kind: re.compile(rule) for kind, rule in RULES.items()}


def check(fields: list[str], data: object) -> dict[str, str]:
    """The values by field; raises Refusal 47003 that names the first bad field."""
    if not isinstance(data, Mapping):
        raise Refusal(47003, f"argument invalid! data.{fields[0]}.value is empty")
    return {field: _value(field, data.get(field)) for field in fields}


def _value(field: str, entry: Any) -> str:
    value = entry.get("value") if isinstance(entry, Mapping) else None
    if value is None or str(value).strip() == "":
        raise Refusal(47003, f"argument invalid! data.{field}.value is empty")
    text = str(value)
    rule = _COMPILED[re.sub(r"\d+$", "", field)]
    if any(unicodedata.category(letter) == "Cc" for letter in text) or not rule.fullmatch(text):
        raise Refusal(47003, f"argument invalid! data.{field}.value invalid")
    return text
