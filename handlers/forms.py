"""A resident's form and materials against the rules of the item itself: everything wrong at once, each with what to do.

Messages never repeat what was handed in: they end up in logs and on screens that others see.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from handlers.catalogue import FormField, MaterialRule, ServiceItem
from handlers.errors import FieldError
from handlers.numbers import clean, credit_code_problem, id_number_problem, phone_problem
from handlers.tolerance import may_follow

MOST_UPLOADS = 20
MOST_ERRORS = 50
MOST_MATERIALS = 100

_LENGTHS = {"text": 100, "textarea": 2000, "address": 200}
_LONGEST = 4000
_LONGEST_NAME_SHOWN = 64
_MOST_DIGITS = 15
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,6})?", re.ASCII)
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)
_MOBILE = re.compile(r"(?:\+?86)?(1\d{10})", re.ASCII)
_EARLIEST, _LATEST = dt.date(1880, 1, 1), dt.date(2200, 1, 1)
_YES = {"true": True, "on": True, "1": True, "是": True, "false": False, "off": False, "0": False, "否": False}


class HandedIn(Protocol):
    """One material as it is handed in: uploads in page order, or a signed commitment in its place."""

    @property
    def material(self) -> str:
        """The code of the item's material."""
        ...

    @property
    def uploads(self) -> Sequence[str]:
        """Ids of the uploads."""
        ...

    @property
    def commitment(self) -> bool:
        """Whether a commitment stands in (告知承诺)."""
        ...


class _Wrong(Exception):
    """A value breaks a rule."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


def check_form(item: ServiceItem, form: Mapping[str, object], today: dt.date | None = None) -> tuple[dict[str, object], list[FieldError]]:
    """The form as it is kept, and everything wrong with it; never raises, whatever the values are.

    `today` (local) is needed for dates that must be past or future; without it these are not compared.
    Fields left empty are left out. Numbers come back as int or float, dates as YYYY-MM-DD.
    """
    fields = {field.name: field for field in item.form.fields}
    errors = [_error("form", name, "unknown_field", "本事项的表单没有这一项，请删除。") for name in form if name not in fields][
        :MOST_ERRORS
    ]
    kept: dict[str, object] = {}
    for name, field in fields.items():
        try:
            value = _read(field, form.get(name), today)
        except _Wrong as wrong:
            errors.append(_error("form", name, wrong.code, wrong.message))
        else:
            if value is not None:
                kept[name] = value
    return kept, errors


def check_materials(item: ServiceItem, materials: Sequence[HandedIn]) -> list[FieldError]:
    """What keeps these materials from being handed in; tolerable ones may be missing, see handlers/debts.py."""
    rules = {rule.code: rule for rule in item.materials}
    given: dict[str, HandedIn] = {}
    errors: list[FieldError] = []
    for one in materials[:MOST_MATERIALS]:
        problem = _problem(rules.get(one.material), one, again=one.material in given)
        if problem is not None:
            errors.append(_error("materials", one.material, *problem))
        given[one.material] = one
    return errors + [_missing(rule) for rule in item.materials if _is_missing(rule, given) and not may_follow(rule)]


def _problem(rule: MaterialRule | None, one: HandedIn, *, again: bool) -> tuple[str, str] | None:
    if rule is None:
        return "unknown_material", "本事项不需要这份材料，请删除。"
    if again:
        return "material_twice", f"“{rule.name}”列了两次，请把附件合并到一处。"
    if one.commitment and not one.uploads and not rule.commitment:
        return "commitment_not_allowed", f"“{rule.name}”不能用承诺代替，请上传。"
    if len(one.uploads) > MOST_UPLOADS:
        return "too_many_uploads", f"“{rule.name}”最多上传 {MOST_UPLOADS} 个附件，请合并后重新上传。"
    if len(set(one.uploads)) < len(one.uploads):
        return "upload_twice", f"“{rule.name}”有重复的附件，请删除重复的。"
    return None


def _is_missing(rule: MaterialRule, given: Mapping[str, HandedIn]) -> bool:
    """A material with a condition is judged at acceptance: only the office can tell whether the condition holds."""
    if not rule.required or rule.condition or rule.source == "form":
        return False
    one = given.get(rule.code)
    return one is None or not (one.uploads or (one.commitment and rule.commitment))


def _missing(rule: MaterialRule) -> FieldError:
    way = "请上传，或者签署告知承诺书代替。" if rule.commitment else "请上传清晰的照片或扫描件。"
    return _error("materials", rule.code, "missing_material", f"缺少“{rule.name}”，{way}")


def _error(part: str, name: str, code: str, message: str) -> FieldError:
    """`part` is "form" or "materials"; the pointer (RFC 6901) names the field or the material's code."""
    shown = name[:_LONGEST_NAME_SHOWN].replace("~", "~0").replace("/", "~1")
    return FieldError(f"/{part}/{shown}", code, message)


def _read(field: FormField, value: object, today: dt.date | None) -> object:
    """The value as it is kept, or None where nothing was filled in; raises _Wrong."""
    if isinstance(value, str):
        value = _tidy(field, value)
    if value is None or value == "":
        if field.required:
            raise _Wrong("required", f"请{_verb(field)}“{field.label}”。")
        return None
    kept = _READERS[field.type](field, value)
    if isinstance(kept, dt.date):
        _check_when(field, kept, today)
        return kept.isoformat()
    return kept


def _tidy(field: FormField, text: str) -> str:
    """Full-width letters and digits made plain; in prose only composed, so that Chinese punctuation stays."""
    prose = field.type in {"textarea", "address"}
    return unicodedata.normalize("NFC" if prose else "NFKC", text[: _LONGEST + 1]).strip()


def _verb(field: FormField) -> str:
    return {"select": "选择", "date": "选择", "boolean": "确认"}.get(field.type, "填写")


def _text(field: FormField, value: object) -> str:
    text = _string(field, value)
    longest = field.max_length or _LENGTHS.get(field.type, _LENGTHS["text"])
    if len(text) > longest:
        raise _Wrong("too_long", f"“{field.label}”最多 {longest} 个字，请缩短。")
    allowed = "\n\t" if field.type == "textarea" else ""
    text = text.replace("\r\n", "\n")  # as pages post it (HTML forms)
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character not in allowed for character in text):
        raise _Wrong("bad_character", f"“{field.label}”含有不能识别的字符，请删除后重新填写。")
    return text


def _number(field: FormField, value: object) -> int | float:
    number = _decimal(value)
    whole = number is not None and number == number.to_integral_value()
    if number is None or (field.type == "integer" and not whole):
        kind = "整数" if field.type == "integer" else "数字"
        raise _Wrong("not_a_number", f"“{field.label}”请填写{kind}。")
    if field.min is not None and number < Decimal(str(field.min)):
        raise _Wrong("too_small", f"“{field.label}”不能小于 {field.min:g}。")
    if field.max is not None and number > Decimal(str(field.max)):
        raise _Wrong("too_large", f"“{field.label}”不能大于 {field.max:g}。")
    return int(number) if whole else float(number)


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value) if abs(value) < 10**_MOST_DIGITS else None
    if isinstance(value, float):
        return Decimal(str(value)) if math.isfinite(value) and abs(value) < 10**_MOST_DIGITS else None
    return Decimal(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def _date(field: FormField, value: object) -> dt.date:
    found = _DATE.fullmatch(_string(field, value))
    try:
        day = dt.date(*map(int, found.groups())) if found else None
    except ValueError:
        day = None
    if day is None or not _EARLIEST <= day < _LATEST:
        raise _Wrong("not_a_date", f"“{field.label}”请填写真实的日期，格式如 2026-01-31。")
    return day


def _check_when(field: FormField, day: dt.date, today: dt.date | None) -> None:
    if today is None:
        return
    if field.when == "past" and day > today:
        raise _Wrong("not_past", f"“{field.label}”不能晚于今天，请核对。")
    if field.when == "future" and day < today:
        raise _Wrong("not_future", f"“{field.label}”不能早于今天，请重新选择。")


def _select(field: FormField, value: object) -> str:
    if not any(option.value == value for option in field.options):
        raise _Wrong("not_an_option", f"“{field.label}”请从所列选项中选择一项。")
    return str(value)


def _boolean(field: FormField, value: object) -> bool:
    answer = _YES.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(answer, bool):
        raise _Wrong("not_yes_or_no", f"“{field.label}”请选择“是”或“否”。")
    if field.must and not answer:
        raise _Wrong("must_be_accepted", f"请阅读并勾选“{field.label}”，否则无法办理。")
    return answer


def _checked(code: str, problem: Callable[[str], str | None]) -> Callable[[FormField, object], str]:
    def read(field: FormField, value: object) -> str:
        text = _text(field, value)
        message = problem(text)
        if message is not None:
            raise _Wrong(code, f"“{field.label}”有误：{message}")
        return clean(text)

    return read


def _phone(field: FormField, value: object) -> str:
    text = _text(field, value)
    message = phone_problem(text)
    if message is not None:
        raise _Wrong("invalid_phone", f"“{field.label}”有误：{message}")
    mobile = _MOBILE.fullmatch(clean(text))
    return mobile[1] if mobile else text


def _string(field: FormField, value: object) -> str:
    if not isinstance(value, str):
        raise _Wrong("wrong_type", f"“{field.label}”请用文字填写。")
    return value


_READERS: dict[str, Callable[[FormField, object], object]] = {
    "text": _text,
    "textarea": _text,
    "address": _text,
    "integer": _number,
    "number": _number,
    "date": _date,
    "select": _select,
    "boolean": _boolean,
    "id_number": _checked("invalid_id_number", id_number_problem),
    "credit_code": _checked("invalid_credit_code", credit_code_problem),
    "phone": _phone,
}
