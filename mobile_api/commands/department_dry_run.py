"""Fill in a department's form from a sample case and show both sides, or what is wrong with file and line."""

from __future__ import annotations

import argparse
import sys
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from backoffice.mapping import DepartmentMapping, MappingProblem, MappingProblems, by_name
from backoffice.mapping_fields import look
from backoffice.mapping_table import FieldRule
from mobile_api.commands.common import read_settings
from mobile_api.commands.department_sample import BadSample, cases, from_file, record
from mobile_api.tables import Finding, Inspection

BAD_INPUT = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`CODE`, what to try it with, and where the tables are."""
    parser.add_argument("code", metavar="CODE", help="department code, e.g. MZ")
    parser.add_argument("--item", help="only this service item")
    parser.add_argument("--step", choices=["accept", "review", "decide"], help="only this step")
    parser.add_argument("--case", type=Path, metavar="FILE", help="a message (or its data) as JSON instead of a made-up case")
    parser.add_argument("--answer", type=Path, metavar="FILE", help="a record of the department's system as JSON: show what it says to us")
    parser.add_argument("--tables", type=Path, help="folder with the tables instead of the one in the settings")


def run(arguments: argparse.Namespace) -> int:
    """Print both sides of every sample; 1 with all problems if anything does not fit, 2 if there is nothing to try."""
    folder = arguments.tables or read_settings(arguments).tables_dir
    path = folder / "mappings" / f"{arguments.code}.toml"
    inspection = Inspection(folder)
    wrong = [one for one in inspection.errors if one.path == path]
    if wrong:
        print(*map(_line, wrong), sep="\n")
        return 1
    mapping = inspection.mappings.get(arguments.code)
    try:
        return _try(mapping, inspection, arguments) if mapping else _without(path)
    except BadSample as error:
        print(error, file=sys.stderr)
        return BAD_INPUT


def _without(path: Path) -> int:
    raise BadSample(f"没有 {_shown(path)}：先照 config/mappings 里的样例写一个，写法见样例开头的说明。")


def _try(mapping: DepartmentMapping, inspection: Inspection, arguments: argparse.Namespace) -> int:
    if arguments.answer:
        return _attempt(f"{arguments.answer} → 给我们的答复", partial(_answer, mapping, record(arguments.answer)))
    given = [from_file(arguments.case)] if arguments.case else []
    samples = given or cases(mapping.table, inspection.catalogue, arguments.item, arguments.step)
    if not samples:
        raise BadSample(f"{arguments.code} 不参加办理这个事项，或没有这个环节。")
    return max([_attempt(_heading(mapping, data), partial(_both_sides, mapping, data)) for data in samples])


def _attempt(heading: str, work: Callable[[], list[str]]) -> int:
    try:
        lines, worked = work(), True
    except MappingProblems as error:
        lines, worked = [_line(problem) for problem in error.problems], False
    print(heading, *lines, "", sep="\n")
    return 0 if worked else 1


def _heading(mapping: DepartmentMapping, data: dict[str, Any]) -> str:
    return f"{data['item']['code']} {data['item']['name']}，环节 {data['step']} → {mapping.table.system}"


def _both_sides(mapping: DepartmentMapping, data: dict[str, Any]) -> list[str]:
    """A line a field: our value, theirs, and where that is written; then what of the form goes nowhere."""
    form = mapping.outgoing("task.requested", data)
    if form is None:
        return ["  这个环节没有给部门的表：消息照原样发送。"]
    fields, ours = mapping.fields(data), by_name(data)
    used = {path for _, rule in fields for path in rule.paths}
    unused = [f"form.{name}" for name in data["form"] if f"form.{name}" not in used]
    rows = [row for key, rule in fields for row in _rows(rule, ours, form, mapping.line(key))]
    return _columns([*rows, *((_said(ours, path), "（没有对应的栏）", "") for path in unused)])


def _rows(rule: FieldRule, ours: dict[str, Any], form: dict[str, Any], line: int) -> list[tuple[str, str, str]]:
    """Left our values, a row for each source; right the department's, in the first row."""
    first, *more = [_said(ours, path) for path in rule.paths] or ["（固定内容）"]
    return [(first, _said(form, rule.target), f"第 {line} 行"), *((path, "", "") for path in more)]


def _said(data: dict[str, Any], path: str) -> str:
    return f"{path} = {_value(look(data, path))}"


def _answer(mapping: DepartmentMapping, kept: dict[str, Any]) -> list[str]:
    kind, data = mapping.incoming(kept)
    return [f"  {kind}", *(f"  {name} = {_value(value)}" for name, value in data.items())]


def _value(value: object) -> str:
    """A value on one line; "—" where there is none."""
    return "—" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _columns(rows: list[tuple[str, str, str]]) -> list[str]:
    left, right = (max(_width(row[side]) for row in rows) for side in (0, 1))
    return [f"  {_padded(ours, left)} │ {_padded(theirs, right)}  {place}".rstrip() for ours, theirs, place in rows]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """Places on the screen, where a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _line(one: Finding | MappingProblem) -> str:
    return f"{_shown(one.path)}:{one.line}: error [{one.rule}] {one.message} → {one.remedy}"


def _shown(path: Path) -> Path:
    """The path as the caller would type it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
