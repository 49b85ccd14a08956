"""The largest message that an item of the catalogue can bring about is within what departments were told (docs/reference/exchange.md)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from backoffice import messages
from config.settings import HERE
from handlers.catalogue import ServiceItem
from handlers.forms import MOST_UPLOADS
from mobile_api.commands.reference import pages
from mobile_api.tables import load_catalogue
from storage.envelopes import Outgoing, encode
from storage.ids import uuid7
from tests.support.exchange import DIVISION, NOW

ITEMS = load_catalogue(HERE).items
LARGEST = 512 * 1024
WIDEST = "\U0001f4dc"  # four bytes for one character
"""Of one character, in UTF-8."""


def largest(item: ServiceItem) -> bytes:
    """Every field filled to its end and mapped once more, every material of as many files as may be, every opinion as long as may be."""
    opinion = WIDEST * 2000
    form = {field.name: WIDEST * (field.max_length or 200) for field in item.form.fields}
    file = {"upload": uuid7(), "sha256": "0" * 64, "size": 10**8, "media_type": "application/pdf", "grant": uuid7()}
    data: dict[str, Any] = {
        "case": "1302081082026112400001X", "case_id": uuid7(), "task": uuid7(), "step": "decide", "action": "作出决定",
        "due_on": "2026-11-24", "item": {"code": item.code, "name": item.name, "version": 1}, "form": form, "form_mapped": form,
        "materials": [
            {"material": one.code, "name": one.name, "source": "upload", "files": [file] * MOST_UPLOADS} for one in item.materials
        ],
        "opinions": [{"department": part.department, "result": "agreed", "opinion": opinion} for part in item.parts],
    }  # fmt: skip
    assert msgspec.convert(data, messages.TaskRequested)
    message = Outgoing(data["case_id"], item.department, "task.requested", data["case"], DIVISION, data, correlation_id=data["task"])
    return encode(message, id=uuid7(), sequence=1, now=NOW)


@pytest.mark.parametrize("code", sorted(ITEMS))
def test_no_item_brings_about_a_larger_command_than_departments_were_told(code: str):
    assert len(largest(ITEMS[code])) <= LARGEST


def test_what_departments_were_told_is_that_figure():
    text = pages()["exchange.md"]
    assert f"up to {LARGEST // 1024} where" in " ".join(text.split())
