"""What a made-up resident fills in and photographs: valid by every rule, and nobody's."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw

_TEXTS = {
    "id_number": "11010519491231002X",
    "phone": "13800138000",
    "credit_code": "91350100M000100Y43",
    "address": "示例镇幸福村一组12号",
    "text": "张三",
    "textarea": "家庭困难，申请办理。",
}


def fill_form(fields: Sequence[Mapping[str, Any]], today: dt.date | None = None) -> dict[str, Any]:
    """A value for every field of an item's form; dates lie before or after `today` as the field wants it."""
    day = today or dt.datetime.now(dt.UTC).date()
    return {field["name"]: _value(field, day) for field in fields}


def _value(field: Mapping[str, Any], today: dt.date) -> Any:
    kind = field["type"]
    if kind == "select":
        return field["options"][0]["value"]
    if kind == "boolean":
        return True
    if kind == "date":
        return _date(field, today)
    if kind in {"integer", "number"}:
        lowest = field.get("min")
        return int(lowest) if lowest is not None else 1
    text = _TEXTS.get(kind, "张三")
    return text[: field["max_length"]] if kind in {"text", "textarea"} and field.get("max_length") else text


def _date(field: Mapping[str, Any], today: dt.date) -> str:
    days = 30 if field.get("when") == "future" else -30
    return (today + dt.timedelta(days=days)).isoformat()


def photo(text: str, width: int = 1200, height: int = 800) -> bytes:
    """A JPEG that stands for a photographed certificate."""
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((40, 40, width - 40, height - 40), outline="black", width=4)
    draw.text((80, 80), text.encode("ascii", "replace").decode(), fill="black")
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()
