"""The town's data as TOML files: each read with the line of every key, so that a mistake is shown where it stands.

Folders: services/ (one file an item), bundles/, departments/, certificates/, events/, calendar/, commitments/.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from config.positions import Key, line_numbers

NOT_UTF8 = "not UTF-8"

_PLACE = re.compile(r" \(at line (\d+), column \d+\)$")


@dataclass(frozen=True)
class Table:
    """One file: its values as TOML gives them, and where each stands."""

    path: Path
    values: Mapping[str, Any]
    text: str = field(repr=False)

    @cached_property
    def lines(self) -> Mapping[Key, int]:
        """The line of every key; looked for only when there is something to say about the file, for it takes as long as reading it."""
        return line_numbers(self.text)

    def line(self, key: Key) -> int:
        """The line of a key, or of the nearest thing around it that is written down."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)


class UnreadableTable(Exception):
    """A file is no TOML, or no UTF-8 text."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason


def read_table(path: Path) -> Table:
    """One file; raises UnreadableTable with the line at fault."""
    text = _text(path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        raise UnreadableTable(path, line, _PLACE.sub("", str(error)).removesuffix(" (at end of document)")) from error
    return Table(path, values, text)


def read_folder(folder: Path) -> tuple[list[Table], list[UnreadableTable]]:
    """Every `*.toml` of a folder in order of names, and what could not be read; one bad file hides no other."""
    tables: list[Table] = []
    unreadable: list[UnreadableTable] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            tables.append(read_table(path))
        except UnreadableTable as error:
            unreadable.append(error)
    return tables, unreadable


def _text(path: Path) -> str:
    """The text with plain line ends; a byte order mark, as Windows editors write it, is dropped."""
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise UnreadableTable(path, raw.count(b"\n", 0, error.start) + 1, NOT_UTF8) from error
