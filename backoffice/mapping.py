"""Departments' own forms: our message in their words on the way out, their record in ours on the way back, as config/mappings/ says."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import msgspec

from backoffice.mapping_fields import Direction, Unfit, as_text, carried, look, put
from backoffice.mapping_rules import MAPPING_RULES
from backoffice.mapping_table import EVERY_ITEM, FieldRule, MappingTable
from backoffice.registry import REGISTRY
from handlers.errors import Refused
from handlers.office import DepartmentForm, DepartmentRecord
from handlers.publication import Hit, Key

MAPPED_KINDS = ("task.requested", "task.material-added")
"""The messages that carry an application and so a department's form."""

ANSWERS: Mapping[str, type[msgspec.Struct]] = {
    one.name: one.data for one in REGISTRY if one.direction == "from_department" and one.name != "task.answered"
}
"""The data of every kind of answer that a record may mean."""

logger = logging.getLogger("backoffice")

# What lists of a message are found by: `materials.id_card`, `opinions.GA`.
_NAMED_BY = {"materials": "material", "opinions": "department"}


class MappingProblem(msgspec.Struct, frozen=True, order=True):
    """One thing that keeps a message from being mapped: place in the mapping file, rule of MAPPING_RULES, text and remedy."""

    path: Path
    line: int
    rule: str
    message: str
    remedy: str


class MappingProblems(Exception):
    """A message or a record cannot be mapped; `problems` are all of them, in order of lines. No text repeats what was filled in."""

    def __init__(self, problems: Iterable[MappingProblem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(f"{one.path}:{one.line}: [{one.rule}] {one.message} → {one.remedy}" for one in self.problems))


@dataclass(frozen=True, slots=True)
class DepartmentMapping:
    """One department's mapping: its table, the file it comes from, and the line of each of the file's keys."""

    table: MappingTable
    path: Path
    line: Callable[[Key], int]

    def fields(self, data: Mapping[str, Any]) -> list[tuple[Key, FieldRule]]:
        """The fields that hold for a task, each with its key in the file; none: the department has no form for it."""
        item = look(data, "item.code")
        chosen: dict[str, tuple[Key, FieldRule]] = {}
        for place, form in enumerate(self.table.forms):
            if form.item in {EVERY_ITEM, item} and (not form.steps or data.get("step") in form.steps):
                chosen |= self.table.of_form(place)
        return list(chosen.values())

    def outgoing(self, kind: str, data: Mapping[str, Any]) -> dict[str, Any] | None:
        """The department's form for a message's data, None if it has none; raises MappingProblems with everything that does not fit."""
        fields = self.fields(data) if kind in MAPPED_KINDS else []
        return self._filled(fields, by_name(data), "out") if fields else None

    def incoming(self, record: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The kind and the data of the message that a department's record means; raises MappingProblems."""
        for place, answer in enumerate(self.table.answers):
            if all(as_text(look(record, one.field)) in one.among for one in answer.when):
                form = self._filled(self.table.of_answer(place).values(), record, "in")
                return answer.kind, self._sound(answer.kind, ("answers", place), form)
        raise MappingProblems([self._problem(Hit("mapping-record-unknown", ("answers",)))])

    def _filled(self, fields: Iterable[tuple[Key, FieldRule]], data: Mapping[str, Any], direction: Direction) -> dict[str, Any]:
        form: dict[str, Any] = {}
        problems = []
        for key, rule in fields:
            try:
                value = carried(rule, data, direction)
            except Unfit as unfit:
                problems.append(self._problem(Hit(unfit.rule, key, unfit.values)))
            else:
                if value is not None:
                    put(form, rule.target, value)
        if problems:
            raise MappingProblems(problems)
        return form

    def _sound(self, name: str, key: Key, form: dict[str, Any]) -> dict[str, Any]:
        """What was made of a record, held against the contract, every optional field filled."""
        kind = ANSWERS[name]
        lists = {name for name, hint in get_type_hints(kind).items() if get_origin(hint) is list}
        data = {name: _rows(value) if name in lists and isinstance(value, dict) else value for name, value in form.items()}
        try:
            sound: dict[str, Any] = msgspec.to_builtins(msgspec.convert(data, kind))
        except msgspec.ValidationError as error:
            hit = Hit("mapping-record-unsound", key, {"kind": name, "problem": str(error)})
            raise MappingProblems([self._problem(hit)]) from error
        return sound

    def _problem(self, hit: Hit) -> MappingProblem:
        rule = MAPPING_RULES[hit.rule]
        return MappingProblem(self.path, self.line(hit.key), hit.rule, rule.text.format(**hit.values), rule.remedy.format(**hit.values))


def department_form(mappings: Mapping[str, DepartmentMapping]) -> DepartmentForm:
    """What puts a message into a department's words while it is written, so that every road and every repetition carries the same bytes."""

    def form(department: str, kind: str, data: Mapping[str, Any]) -> dict[str, Any] | None:
        mapping = mappings.get(department)
        if mapping is None or kind not in MAPPED_KINDS:
            return None
        try:
            return mapping.outgoing(kind, msgspec.to_builtins(data))
        except MappingProblems as problems:  # the message has all of our fields: nobody waits because a table does not fit
            logger.warning("%s gets case %s without its own form: %s", department, data["case"], problems)
            return None

    return form


def department_record(mappings: Mapping[str, DepartmentMapping]) -> DepartmentRecord:
    """What reads a department's own record as one of our messages; raises Refused("record_not_understood") with every reason."""

    def read(department: str, record: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        mapping = mappings.get(department)
        if mapping is None:
            raise Refused("record_not_understood", {"reason": f"config/mappings 中没有 {department}.toml"})
        try:
            return mapping.incoming(record)
        except MappingProblems as problems:
            raise Refused("record_not_understood", {"reason": str(problems)}) from problems

    return read


def by_name(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data with materials found by their code and opinions by their department."""
    return {name: {one[_NAMED_BY[name]]: one for one in value} if name in _NAMED_BY else value for name, value in data.items()}


def _rows(columns: dict[str, Any]) -> list[dict[str, Any]]:
    """Columns as rows: {"material": ["a", "b"], "message": "x"} -> [{"material": "a", "message": "x"}, {"material": "b", ...}]."""
    length = max((len(value) for value in columns.values() if isinstance(value, list)), default=1)
    spread = {name: value if isinstance(value, list) else [value] * length for name, value in columns.items()}
    return [{name: value[at] for name, value in spread.items() if at < len(value)} for at in range(length)]
