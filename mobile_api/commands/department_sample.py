"""What a department is sent, as a try-out needs it: a made-up case of an item, or one from a file."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec

from backoffice.mapping_sources import steps_of
from backoffice.mapping_table import EVERY_ITEM, MappingTable
from backoffice.messages import TaskRequested
from handlers.catalogue import Catalogue, MaterialRule, Part, ServiceItem
from mobile_api.journey.sample import fill_form

_DUE_ON = dt.date(2026, 12, 31)
_DIGEST = "0" * 64


class BadSample(Exception):
    """A file given for a try-out cannot be used; the text says why."""


def made_up(item: ServiceItem, department: str, step: str) -> dict[str, Any]:
    """The data of `task.requested` for an item at a step: every field filled in, every material handed in, the others agreed."""
    return {
        "case": "20261124-0001-X",
        "case_id": "01890000-0000-7000-8000-000000000001",
        "task": "01890000-0000-7000-8000-000000000002",
        "step": step,
        "action": next((part.action for part in item.parts if step == "review" and part.department == department), item.name),
        "due_on": _DUE_ON.isoformat(),
        "item": {"code": item.code, "name": item.name, "version": item.version},
        "applicant": {},
        "form": fill_form(msgspec.to_builtins(item.form.fields)),
        "materials": [_material(rule) for rule in item.materials],
        "opinions": [_opinion(part) for part in item.parts] if step == "decide" else [],
    }


def cases(table: MappingTable, catalogue: Catalogue, item: str | None = None, step: str | None = None) -> list[dict[str, Any]]:
    """A made-up case for each item that has a form of its own and each step at which the department is asked.

    A form for every item is tried with one item that has none of its own.
    """
    named = {form.item for form in table.forms}
    own = [one for one in catalogue.items.values() if steps_of(table.code, one)]
    chosen = [one for one in own if one.code in ({item} if item else named)]
    if not item and EVERY_ITEM in named:
        chosen += [one for one in own if one.code not in named][:1]
    return [made_up(one, table.code, at) for one in chosen for at in steps_of(table.code, one) if step in {None, at}]


def from_file(path: Path) -> dict[str, Any]:
    """The data of a message kept as JSON, with its envelope or without; raises BadSample."""
    read = record(path)
    data = read.get("data", read) if "specversion" in read else read
    try:
        sound: dict[str, Any] = msgspec.to_builtins(msgspec.convert(data, TaskRequested))
    except msgspec.ValidationError as error:
        raise BadSample(f"{path}：不是 task.requested 的内容：{error}") from error
    return sound


def record(path: Path) -> dict[str, Any]:
    """A JSON object in a file; raises BadSample."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise BadSample(f"{path}：读不到文件") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadSample(f"{path}：不是 JSON 对象：{error}") from error


def _material(rule: MaterialRule) -> dict[str, Any]:
    file = {"upload": f"sample-{rule.code}", "sha256": _DIGEST, "size": 1, "media_type": "image/jpeg", "grant": f"grant-{rule.code}"}
    return {"material": rule.code, "name": rule.name, "source": rule.source, "files": [] if rule.source == "form" else [file]}


def _opinion(part: Part) -> dict[str, Any]:
    return {"department": part.department, "result": "agreed", "opinion": None}
