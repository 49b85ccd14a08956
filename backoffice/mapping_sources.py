"""What a mapping may take from a message: every path of a task's data, and what is known beforehand of the value that stands there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from handlers.catalogue import FormField, MaterialRule, ServiceItem

_BOOLEAN = ("true", "false")
_PLAIN = ("case", "case_id", "task", "step", "action", "due_on", "item.code", "item.name", "item.version")
_OF_MATERIAL = ("material", "name", "source", "files.upload", "files.sha256", "files.size", "files.media_type", "files.grant")
_OF_OPINION = ("department", "result", "opinion")


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of a value: whether it may be missing, is a date, its choices (() = open) and greatest length."""

    may_lack: bool = False
    is_date: bool = False
    choices: tuple[str, ...] = ()
    longest: int | None = None


def steps_of(department: str, item: ServiceItem) -> tuple[str, ...]:
    """The steps of an item at which a department is asked; () = it has no part in the item."""
    lead = ("accept", "decide") if item.department == department else ()
    return (*lead, "review") if any(part.department == department for part in item.parts) else lead


def describe(path: str, item: ServiceItem, steps: tuple[str, ...]) -> Source | None:
    """What stands at a path in a task of this item at one of these steps; None = nothing ever does."""
    root, _, rest = path.partition(".")
    if root == "form":
        return next((_field(one) for one in item.form.fields if one.name == rest), None)
    if root == "materials":
        return next((_material(one, rest) for one in item.materials if rest in _paths(one.code, _OF_MATERIAL)), None)
    if root == "opinions":
        return next((Source(may_lack=True) for one in item.parts if rest in _paths(one.department, _OF_OPINION)), None)
    if root == "applicant":  # an open group of the contract
        return Source(may_lack=True) if rest else None
    return _plain(path, steps) if path in _PLAIN else None


def known_paths(item: ServiceItem) -> list[str]:
    """Every path of an item's tasks, the open group of the applicant aside."""
    return [
        *_PLAIN,
        *_paths("form", [field.name for field in item.form.fields]),
        *(path for one in item.materials for path in _paths(f"materials.{one.code}", _OF_MATERIAL)),
        *(path for one in item.parts for path in _paths(f"opinions.{one.department}", _OF_OPINION)),
    ]


def hint(name: str, known: Iterable[str]) -> dict[str, str]:
    """The gaps `hint` and `hint_en` of a text: the known name that a wrong one is most like."""
    near = difflib.get_close_matches(name, set(known), n=1)
    return {"hint": f"，是不是“{near[0]}”？" if near else "", "hint_en": f"; did you mean `{near[0]}`?" if near else ""}


def _paths(group: str, names: Iterable[str]) -> list[str]:
    return [f"{group}.{name}" for name in names]


def _field(field: FormField) -> Source:
    boxes = ("true",) if field.must else _BOOLEAN
    choices = boxes if field.type == "boolean" else tuple(option.value for option in field.options)
    return Source(may_lack=not field.required, is_date=field.type == "date", choices=choices, longest=field.max_length)


def _material(rule: MaterialRule, path: str) -> Source:
    """A required one is surely there only if nothing lets the resident leave it out; a form is a material without files."""
    sure = rule.source == "form" or (rule.required and not (rule.tolerable or rule.commitment or rule.condition))
    name = path.partition(".")[2]
    no_files = rule.source == "form" and name.startswith("files.")
    return Source(may_lack=not sure or no_files, choices=(rule.code,) if name == "material" else ())


def _plain(path: str, steps: tuple[str, ...]) -> Source:
    return Source(may_lack=path == "due_on", is_date=path == "due_on", choices=steps if path == "step" else ())
