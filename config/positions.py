"""On which line of a TOML file each key stands: tomllib says what a file holds, but not where."""

from __future__ import annotations

import re
import tomllib

Key = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_PLAIN = re.compile(r"[^,\]}#\n]*")
_STRINGS = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\])*"|\'[^\']*\'', re.DOTALL)


def line_numbers(text: str) -> dict[Key, int]:
    """The line (from 1) of every table, key and array element of a valid TOML text, e.g. `("materials", 0, "name")`."""
    return _Walk(text).lines


class _Walk:
    """One walk through a text that tomllib has accepted: only places are noted, nothing is judged."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line, self._counted_to = 1, 0
        self._array_tables: dict[Key, int] = {}
        self.lines: dict[Key, int] = {}
        table: Key = ()
        self._skip(_SPACE)
        while self._at < len(text):
            if text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_SPACE)

    def _header(self) -> Key:
        """A `[table]` or `[[element of an array of tables]]`."""
        twice = self._text.startswith("[[", self._at)
        self._at += 2 if twice else 1
        key = self._inside(self._dotted_key())
        if twice:
            count = self._array_tables.get(key, 0)
            self._array_tables[key] = count + 1
            key = (*key, count)
        self._note(key)
        self._at += 2 if twice else 1
        return key

    def _inside(self, names: Key) -> Key:
        """A header's names below the newest elements of the arrays of tables they pass through."""
        key: Key = ()
        for name in names:
            if key in self._array_tables:
                key = (*key, self._array_tables[key] - 1)
            key = (*key, name)
            self._note(key)
        return key

    def _pair(self, table: Key) -> None:
        names = self._dotted_key()
        for depth in range(1, len(names) + 1):
            self._note((*table, *names[:depth]))
        self._skip(_BLANK)
        self._at += 1  # the equals sign
        self._skip(_BLANK)
        self._value((*table, *names))

    def _dotted_key(self) -> Key:
        names: list[str] = []
        while True:
            self._skip(_BLANK)
            bare = _BARE.match(self._text, self._at)
            names.append(bare[0] if bare else self._quoted_name())
            if bare:
                self._at = bare.end()
            self._skip(_BLANK)
            if self._text[self._at : self._at + 1] != ".":
                return tuple(names)
            self._at += 1

    def _quoted_name(self) -> str:
        begin = self._at
        self._skip(_STRINGS)
        name: str = tomllib.loads(f"name = {self._text[begin : self._at]}")["name"]
        return name

    def _value(self, key: Key) -> None:
        opening = self._text[self._at]
        if opening == "[":
            self._array(key)
        elif opening == "{":
            self._inline_table(key)
        else:
            self._skip(_STRINGS if opening in "\"'" else _PLAIN)

    def _array(self, key: Key) -> None:
        count = 0
        while not self._closed("]"):
            self._note((*key, count))
            self._value((*key, count))
            count += 1

    def _inline_table(self, key: Key) -> None:
        while not self._closed("}"):
            self._pair(key)

    def _closed(self, bracket: str) -> bool:
        """Step over the opening bracket or a comma; True once the closing bracket is passed."""
        self._skip(_SPACE)
        if self._text[self._at] != bracket:
            self._at += self._text[self._at] in "[{,"
            self._skip(_SPACE)
        if self._text[self._at] != bracket:
            return False
        self._at += 1
        return True

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _note(self, key: Key) -> None:
        self._line += self._text.count("\n", self._counted_to, self._at)
        self._counted_to = self._at
        self.lines.setdefault(key, self._line)
