"""Mappings written as an office worker writes them, read as the town reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backoffice.mapping import DepartmentMapping
from backoffice.mapping_table import MappingTable
from config.tables import read_table
from mobile_api.decoding import decode

HEAD = 'code = "AA"\nsystem = "示例系统"\n'


def mapping(folder: Path, text: str) -> DepartmentMapping:
    """The mapping of department AA: two lines of head, then this text."""
    path = folder / "AA.toml"
    path.write_text(HEAD + text, encoding="utf8")
    table = read_table(path)
    made, hits = decode(MappingTable, table.values)
    assert made is not None, hits
    return DepartmentMapping(made, path, table.line)


def form_of(folder: Path, words: str) -> DepartmentMapping:
    """The mapping of one field `X` in a form for every item."""
    return mapping(folder, f'[[forms]]\nitem = "*"\n[[forms.fields]]\ntarget = "X"\n{words}\n')


def task(**changes: Any) -> dict[str, Any]:
    """The data of a task as the town sends it."""
    return {
        "case": "2611240001", "case_id": "c-1", "task": "t-1", "step": "review", "action": "核对", "due_on": "2026-12-01",
        "item": {"code": "AA-01", "name": "示例事项", "version": 3}, "applicant": {},
        "form": {"name": "张三", "born_on": "1990-02-03", "size": 3, "income": 12.5, "mite": 1e-6, "ticked": True, "kind": "red",
                 "id": "11010519491231002X"},
        "materials": [
            {"material": "id_card", "name": "身份证", "source": "upload",
             "files": [{"upload": "u-1", "size": 7}, {"upload": "u-2", "size": 8}]},
            {"material": "photo", "name": "照片", "source": "upload", "files": [{"upload": "u-3", "size": 9}]},
        ],
        "opinions": [{"department": "BB", "result": "agreed", "opinion": None}],
        **changes,
    }  # fmt: skip
