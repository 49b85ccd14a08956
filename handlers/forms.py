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
from handlers.complaints import complaint
from handlers.errors import FieldError
from handlers.invisible import visible
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
_VERBS = {"select": "选择", "date": "选择", "boolean": "确认"}
_UPLOAD = ("请上传清晰的照片或扫描件。", "upload a clear photo or scan.")
_INSTEAD = ("请上传，或者签署告知承诺书代替。", "upload it, or sign a commitment instead.")
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
    """A value breaks a rule; `values` fill the gaps of its words (handlers/complaints.py)."""

    def __init__(self, code: str, field: FormField, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = {"label": field.label, **values}


def check_form(item: ServiceItem, form: Mapping[str, object], today: dt.date | None = None) -> tuple[dict[str, object], list[FieldError]]:
    """The form as it is kept, and everything wrong with it; never raises, whatever the values are.

    `today` (local) is needed for dates that must be past or future; without it these are not compared.
    Fields left empty are left out. Numbers come back as int or float, dates as YYYY-MM-DD.
    """
    fields = {field.name: field for field in item.form.fields}
    errors = [_error("form", name, "unknown_field") for name in form if name not in fields][:MOST_ERRORS]
    kept: dict[str, object] = {}
    for name, field in fields.items():
        try:
            value = _read(field, form.get(name), today)
        except _Wrong as wrong:
            errors.append(_error("form", name, wrong.code, **wrong.values))
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
        rule = rules.get(one.material)
        problem = _problem(rule, one, again=one.material in given)
        if problem is not None:
            errors.append(_error("materials", one.material, problem, label=rule.name if rule else "", most=MOST_UPLOADS))
        given[one.material] = one
    return errors + [_missing(rule) for rule in item.materials if _is_missing(rule, given) and not may_follow(rule)]


def _problem(rule: MaterialRule | None, one: HandedIn, *, again: bool) -> str | None:
    if rule is None:
        return "unknown_material"
    if again:
        return "material_twice"
    if one.commitment and not one.uploads and not rule.commitment:
        return "commitment_not_allowed"
    if len(one.uploads) > MOST_UPLOADS:
        return "too_many_uploads"
    if len(set(one.uploads)) < len(one.uploads):
        return "upload_twice"
    return None


def _is_missing(rule: MaterialRule, given: Mapping[str, HandedIn]) -> bool:
    """A material with a condition is judged at acceptance: only the office can tell whether the condition holds."""
    if not rule.required or rule.condition or rule.source == "form":
        return False
    one = given.get(rule.code)
    return one is None or not (one.uploads or (one.commitment and rule.commitment))


def _missing(rule: MaterialRule) -> FieldError:
    way, way_en = _INSTEAD if rule.commitment else _UPLOAD
    return _error("materials", rule.code, "missing_material", label=rule.name, way=way, way_en=way_en)


def _error(part: str, name: str, code: str, **values: object) -> FieldError:
    """`part` is "form" or "materials"; the pointer (RFC 6901) names the field or the material's code."""
    shown = name[:_LONGEST_NAME_SHOWN].replace("~", "~0").replace("/", "~1")
    return complaint(f"/{part}/{shown}", code, **values)


def _read(field: FormField, value: object, today: dt.date | None) -> object:
    """The value as it is kept, or None where nothing was filled in; raises _Wrong."""
    if isinstance(value, str):
        value = _tidy(field, value)
    if value is None or value == "":
        if field.required:
            raise _Wrong("required", field, verb=_VERBS.get(field.type, "填写"))
        return None
    kept = _READERS[field.type](field, value)
    if isinstance(kept, dt.date):
        _check_when(field, kept, today)
        return kept.isoformat()
    return kept


def _tidy(field: FormField, text: str) -> str:
    """Without what nobody sees; full-width letters and digits made plain; in prose only composed, so that Chinese punctuation stays."""
    prose = field.type in {"textarea", "address"}
    return visible(unicodedata.normalize("NFC" if prose else "NFKC", text[: _LONGEST + 1])).strip()


def _text(field: FormField, value: object) -> str:
    text = _string(field, value)
    longest = field.max_length or _LENGTHS.get(field.type, _LENGTHS["text"])
    if len(text) > longest:
        raise _Wrong("too_long", field, longest=longest)
    allowed = "\n\t" if field.type == "textarea" else ""
    text = text.replace("\r\n", "\n")  # as pages post it (HTML forms)
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character not in allowed for character in text):
        raise _Wrong("bad_character", field)
    return text


def _number(field: FormField, value: object) -> int | float:
    number = _decimal(value)
    whole = number is not None and number == number.to_integral_value()
    if number is None or (field.type == "integer" and not whole):
        kind, kind_en = ("整数", "whole number") if field.type == "integer" else ("数字", "number")
        raise _Wrong("not_a_number", field, kind=kind, kind_en=kind_en)
    if field.min is not None and number < Decimal(str(field.min)):
        raise _Wrong("too_small", field, least=field.min)
    if field.max is not None and number > Decimal(str(field.max)):
        raise _Wrong("too_large", field, most=field.max)
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
        raise _Wrong("not_a_date", field)
    return day


def _check_when(field: FormField, day: dt.date, today: dt.date | None) -> None:
    if today is None:
        return
    if field.when == "past" and day > today:
        raise _Wrong("not_past", field)
    if field.when == "future" and day < today:
        raise _Wrong("not_future", field)


def _select(field: FormField, value: object) -> str:
    if not any(option.value == value for option in field.options):
        raise _Wrong("not_an_option", field)
    return str(value)


def _boolean(field: FormField, value: object) -> bool:
    answer = _YES.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(answer, bool):
        raise _Wrong("not_yes_or_no", field)
    if field.must and not answer:
        raise _Wrong("must_be_accepted", field)
    return answer


def _checked(code: str, problem: Callable[[str], str | None]) -> Callable[[FormField, object], str]:
    def read(field: FormField, value: object) -> str:
        text = _text(field, value)
        found = problem(text)
        if found is not None:
            raise _Wrong(code, field, problem=found)
        return clean(text)

    return read


def _phone(field: FormField, value: object) -> str:
    text = _text(field, value)
    problem = phone_problem(text)
    if problem is not None:
        raise _Wrong("invalid_phone", field, problem=problem)
    mobile = _MOBILE.fullmatch(clean(text))
    return mobile[1] if mobile else text


def _string(field: FormField, value: object) -> str:
    if not isinstance(value, str):
        raise _Wrong("wrong_type", field)
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
