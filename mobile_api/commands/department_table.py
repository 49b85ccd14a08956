"""The table of a department, departments/CODE.toml: a new one, or the lines that say how it is connected, changed in place."""

from __future__ import annotations

import difflib
import json
import re
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from handlers.catalogue import Department
from mobile_api.tables import Inspection

Value = str | bool | int

_HEAD = """\
# {name}：一个部门一个文件。
# link：与部门系统的连接方式。"queue" 消息队列，"pull" 部门来取，"webhook" 送到部门的地址（address），"files" 文件批次（address 为文件夹）；
# "desk"：部门没有系统，工作人员在本系统的工作台上办理。怎样选择，见 docs/how-to/connect-a-department.md。
# partitions：与部门系统并行的队列数，一般 2 条；改动前请先与部门系统的维护人员商定。
# 电话：0000 开头的是示例，上线前必须换成真实号码；咨询电话和投诉电话不能相同。

"""
_ORDER = ("code", "name", "unit", "link", "address", "border", "partitions", "consult_phone", "complaint_phone")
_BEHIND = {"address": "link", "border": "link", "link": "unit"}


class TableUnfit(Exception):
    """The table cannot be like this; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A table as it is (empty: there is none) and as it is to be."""

    path: Path
    old: str
    new: str

    @property
    def is_changed(self) -> bool:
        """Whether anything would be written."""
        return self.old != self.new

    def difference(self) -> list[str]:
        """The lines that go and come, each with its sign; a new table as a whole."""
        lines = difflib.unified_diff(self.old.splitlines(), self.new.splitlines(), n=0, lineterm="")
        return [line for line in lines if not line.startswith(("---", "+++", "@@"))]

    def write(self) -> None:
        """Whole or not at all: a server may be reading."""
        draft = self.path.with_suffix(".toml.new")
        draft.write_text(self.new, encoding="utf-8")
        draft.replace(self.path)


def draft(tables: Path, code: str, wanted: Mapping[str, Value]) -> tuple[Draft, Department]:
    """The table with what is `wanted`, and the department that it makes; raises TableUnfit unless all tables would hold with it."""
    path = tables / "departments" / f"{code}.toml"
    if path.exists():
        old = path.read_text(encoding="utf-8")
        made = Draft(path, old, changed(old, wanted))
    else:
        made = Draft(path, "", _new(code, wanted))
    return made, _checked(tables, made, code)


def changed(text: str, wanted: Mapping[str, Value]) -> str:
    """A table's text with other values; comments and everything else stay. A key that is missing is put where it belongs."""
    for key, value in wanted.items():
        line = rf"(?m)^({key}[ \t]*=[ \t]*)(\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|[^\s#]+)"
        if re.search(line, text):
            text = re.sub(line, lambda found, value=value: found[1] + _literal(value), text, count=1)  # type: ignore[misc]  # mypy knows no default in a lambda
        else:
            text = _added(text, key, value)
    return text


def _added(text: str, key: str, value: Value) -> str:
    found = re.search(rf"(?m)^{_BEHIND.get(key, 'link')}[ \t]*=.*\n", text) or re.search(r"(?m)^code[ \t]*=.*\n", text)
    place = found.end() if found else len(text)
    return f"{text[:place]}{key} = {_literal(value)}\n{text[place:]}"


def _new(code: str, wanted: Mapping[str, Value]) -> str:
    values = {"code": code, "partitions": 2, **wanted}
    if missing := [key for key in ("name", "unit", "consult_phone", "complaint_phone") if not values.get(key)]:
        options = " ".join(f"--{key.replace('_', '-')}" for key in missing)
        raise TableUnfit(f"There is no department {code} yet. To make it, give {options} too.")
    lines = [f"{key} = {_literal(values[key])}" for key in _ORDER if key in values]
    return _HEAD.format(name=values["name"]) + "\n".join(lines) + "\n"


def _literal(value: Value) -> str:
    return json.dumps(value, ensure_ascii=False)  # TOML's strings, booleans and integers are written as JSON's


def _checked(tables: Path, made: Draft, code: str) -> Department:
    """The department, after `mobile-api check` of everything with the new table in its place."""
    _must_keep_the_rest(made)
    with tempfile.TemporaryDirectory() as folder:
        for part in (entry for entry in tables.iterdir() if entry.is_dir()):
            shutil.copytree(part, Path(folder) / part.name, ignore=shutil.ignore_patterns("__pycache__"))
        (Path(folder) / "departments" / made.path.name).write_text(made.new, encoding="utf-8")
        inspection = Inspection(Path(folder))
    if inspection.errors:
        raise TableUnfit("\n".join(f"{one.path.name}:{one.line}: {one.message_en} → {one.remedy_en}" for one in inspection.errors))
    return inspection.catalogue.departments[code]


def _must_keep_the_rest(made: Draft) -> None:
    """A hand-written table may be odder than the pattern that changes it knows."""
    try:
        before, after = tomllib.loads(made.old), tomllib.loads(made.new)
    except tomllib.TOMLDecodeError as error:
        raise TableUnfit(f"{made.path} cannot be changed by this command: {error}. Change it by hand.") from error
    if any(after.get(key) != value for key, value in before.items() if key not in {"link", "address", "border", *_ORDER}):
        raise TableUnfit(f"{made.path} cannot be changed by this command without damage. Change it by hand.")
