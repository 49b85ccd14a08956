from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.positions import Key, line_numbers
from config.tables import UnreadableTable, read_folder, read_table

CONFIG = Path(__file__).parents[2] / "config"

TRICKY = '''\
# a comment with = and [brackets]
title = "a # b = c"   # after
"quoted key" = 1
a.b.c = 2
long = """
x = 1
[not.a.table]
"""
raw = \'\'\'
"""
\'\'\'
rows = [ # comment, with ]
  [1, 2], [],
  { name = "一", deep = { x = [ "]" , '}' ] } },
]
when = 2026-01-01 08:00:00
[table]
key = 1
  [table."sub.table"]
  key = 2
[[list]]
n = 1
[[list.inner]]
m = 1
[list.inner.more]
k = 1
[[list.inner]]
m = 2
[[list]]
n = 2
'''

LINES = {
    ("title",): 2, ("quoted key",): 3, ("a", "b", "c"): 4, ("long",): 5, ("raw",): 9, ("rows",): 12, ("rows", 0, 1): 13, ("rows", 1): 13,
    ("rows", 2, "deep", "x", 1): 14, ("when",): 16, ("table",): 17, ("table", "sub.table", "key"): 20, ("list", 0, "n"): 22,
    ("list", 0, "inner", 0, "m"): 24, ("list", 0, "inner", 0, "more", "k"): 26, ("list", 0, "inner", 1): 27, ("list", 1, "n"): 30,
}  # fmt: skip


def keys(value: Any, key: Key = ()) -> Iterator[Key]:
    if key:
        yield key
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from keys(inner, (*key, name))
    if isinstance(value, list):
        for place, inner in enumerate(value):
            yield from keys(inner, (*key, place))


def test_every_key_of_a_tricky_file_is_found_on_its_line():
    found = line_numbers(TRICKY)
    assert {key: found[key] for key in LINES} == LINES
    assert set(found) == set(keys(tomllib.loads(TRICKY)))


@pytest.mark.parametrize("path", sorted(CONFIG.rglob("*.toml")), ids=lambda path: path.name)
def test_every_key_of_every_shipped_file_stands_on_the_line_found_for_it(path: Path):
    table = read_table(path)
    lines = path.read_text(encoding="utf8").splitlines()
    assert set(table.lines) == set(keys(table.values))
    for key, line in table.lines.items():
        assert isinstance(key[-1], int) or key[-1] in lines[line - 1]


WRITTEN = st.recursive(
    st.integers() | st.booleans() | st.text(st.sampled_from("a'\"\\#[]{}=,.\n 好"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b c", "d.e"]), inner, max_size=3),
    max_leaves=8,
)


def as_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{as_toml(name)} = {as_toml(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[\n" + "".join(f"{as_toml(inner)}, # ]\n" for inner in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return str(value).lower()


@given(st.dictionaries(st.sampled_from(["x", "y", "z z"]), WRITTEN, max_size=4))
def test_whatever_a_file_holds_every_key_has_a_line(values: dict[str, Any]):
    text = "\n".join(f"{as_toml(name)} = {as_toml(value)}" for name, value in values.items())
    assert tomllib.loads(text) == values
    assert set(line_numbers(text)) == set(keys(values))


def test_a_key_that_is_not_written_is_shown_at_what_is_around_it(tmp_path: Path):
    path = tmp_path / "a.toml"
    path.write_text("# c\n[table]\nkey = 1\n", encoding="utf8")
    table = read_table(path)
    assert [table.line(key) for key in (("table", "key"), ("table", "none", 3), ("none",), ())] == [3, 2, 1, 1]


def test_a_file_written_by_windows_is_read(tmp_path: Path):
    path = tmp_path / "a.toml"
    path.write_bytes('\ufeffname = "镇"\r\nother = 1\r\n'.encode())
    table = read_table(path)
    assert table.values == {"name": "镇", "other": 1}
    assert table.line(("other",)) == 2


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ('a = 1\nb = "open\n', 2, "Illegal character"),
        ("a = 1\nb = [1,\n", 2, "Invalid value"),
        ("a = 1\na = 2\n", 2, "Cannot overwrite"),
        ("名称：1\n", 1, "Invalid statement"),
    ],
)
def test_a_file_that_is_no_toml_is_refused_with_its_line(tmp_path: Path, content: str, line: int, reason: str):
    path = tmp_path / "a.toml"
    path.write_text(content, encoding="utf8")
    with pytest.raises(UnreadableTable) as caught:
        read_table(path)
    assert reason in caught.value.reason
    assert abs(caught.value.line - line) <= 1


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path):
    path = tmp_path / "a.toml"
    path.write_bytes(b"a = 1\n" + 'b = "镇"\n'.encode("gbk"))
    with pytest.raises(UnreadableTable) as caught:
        read_table(path)
    assert (caught.value.line, caught.value.reason) == (2, "not UTF-8")


def test_one_bad_file_hides_no_other(tmp_path: Path):
    (tmp_path / "a.toml").write_text("=", encoding="utf8")
    (tmp_path / "b.toml").write_text("x = 1", encoding="utf8")
    (tmp_path / "c.txt").write_text("=", encoding="utf8")
    tables, unreadable = read_folder(tmp_path)
    assert [table.path.name for table in tables] == ["b.toml"]
    assert [error.path.name for error in unreadable] == ["a.toml"]
