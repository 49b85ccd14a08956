"""Made-up papers and answers: valid by every published rule, and nobody's."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import random
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CREDIT_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def id_number(seed: str) -> str:
    """A citizen's number by GB 11643: area, date of birth, serial number and check digit."""
    picked = random.Random(seed)
    body = f"130208{picked.randint(1950, 2004)}{picked.randint(1, 12):02d}{picked.randint(1, 28):02d}{picked.randint(1, 999):03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _ID_WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def credit_code(seed: str) -> str:
    """An organisation's unified social credit code by GB 32100, with its check character."""
    picked = random.Random(seed)
    body = "92130208MA" + "".join(picked.choices(_CREDIT_LETTERS, k=7))
    total = sum(_CREDIT_LETTERS.index(letter) * pow(3, place, 31) for place, letter in enumerate(body))
    return body + _CREDIT_LETTERS[(31 - total % 31) % 31]


def fill_form(fields: Sequence[Mapping[str, Any]], seed: str) -> dict[str, Any]:
    """An answer for every field of an item's form; the same seed answers the same."""
    return {one["name"]: _answer(one, seed) for one in fields}


def _answer(asked: Mapping[str, Any], seed: str) -> Any:
    kind = asked["type"]
    if kind == "select":
        return asked["options"][0]["value"]
    if kind == "boolean":
        return True
    if kind in {"integer", "number"}:
        return int(asked["min"]) if asked.get("min") is not None else 1
    today = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()
    digits = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big")
    texts = {
        "id_number": id_number(seed),
        "credit_code": credit_code(seed),
        "phone": f"199{digits % 10**8:08d}",
        "date": (today + dt.timedelta(days=30 if asked.get("when") == "future" else -30)).isoformat(),
        "address": f"幸福村一组 {digits % 200 + 1} 号",
        "textarea": "因家庭需要申请办理，所填内容属实。",
    }
    return texts.get(kind, "张秀英")[: asked.get("max_length") or 200]


def photograph(caption: str) -> bytes:
    """A JPEG like a phone's picture of a paper: lines of text on paper, a table beneath, no two alike."""
    picture = Image.new("RGB", (1240, 1754), (116, 96, 78))
    draw = ImageDraw.Draw(picture)
    draw.polygon([(60, 70), (1190, 55), (1205, 1690), (50, 1700)], fill=(246, 243, 236))
    draw.text((140, 160), caption.encode("ascii", "replace").decode(), fill=(30, 30, 30), font_size=48)
    for line in range(28):
        draw.line((140, 300 + 46 * line, random.randint(700, 1100), 300 + 46 * line), fill=(80, 80, 84), width=random.randint(3, 8))
    draw.ellipse((820, 1320, 1080, 1580), outline=(196, 30, 30), width=8)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()
