"""What a department keeps, in an SQLite file of its own. Its effects are the rows of `command`: no key keeps them single."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS line (
    case_id TEXT PRIMARY KEY, received INTEGER NOT NULL DEFAULT 0, said INTEGER NOT NULL DEFAULT 0, confirmed INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS command (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL, case_id TEXT NOT NULL, sequence INTEGER NOT NULL, mark TEXT NOT NULL, stream TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS answer (
    n INTEGER PRIMARY KEY, case_id TEXT NOT NULL, sequence INTEGER NOT NULL, command TEXT NOT NULL, stream TEXT NOT NULL,
    body BLOB NOT NULL, entry_id BLOB, said_at REAL
);
CREATE TABLE IF NOT EXISTS early (case_id TEXT NOT NULL, sequence INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (case_id, sequence));
CREATE INDEX IF NOT EXISTS answer_line ON answer (case_id, sequence);
CREATE INDEX IF NOT EXISTS unsaid ON answer (n) WHERE entry_id IS NULL;
"""
_UNCONFIRMED = """
SELECT a.n, a.stream, a.body, a.entry_id FROM line l JOIN answer a ON a.case_id = l.case_id AND a.sequence > l.confirmed
WHERE l.confirmed < l.said AND a.said_at < ? ORDER BY a.n
"""
_OPEN = "SELECT count(*) FROM line WHERE confirmed < said"


class DepartmentBook:
    """The book of one department; every method is one transaction."""

    def __init__(self, path: Path, code: str) -> None:
        self._code = code
        self._file = sqlite3.connect(path, isolation_level="IMMEDIATE", timeout=30)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=FULL")
        self._file.executescript(_SCHEMA)

    def take(self, commands: Iterable[dict[str, Any]], stream: str, *, keep_early: bool) -> dict[str, int]:
        """Take in those commands that are next in their lines, and keep those that are early, if so told; how far each line is now."""
        received: dict[str, int] = {}
        with self._file as file:
            for command in sorted(commands, key=lambda one: int(one["sequence"])):
                case_id, sequence = command["partitionkey"], command["sequence"]
                file.execute("INSERT OR IGNORE INTO line (case_id) VALUES (?)", (case_id,))
                (last,) = file.execute("SELECT received FROM line WHERE case_id = ?", (case_id,)).fetchone()
                if sequence == last + 1:
                    last = self._act_on_run(file, command, stream)
                elif sequence > last and keep_early:
                    file.execute("INSERT OR IGNORE INTO early VALUES (?, ?, ?)", (case_id, sequence, json.dumps(command).encode()))
                received[case_id] = last
        return received

    def _act_on_run(self, file: sqlite3.Connection, command: dict[str, Any], stream: str) -> int:
        """Act on a command and on those kept that follow it without gap; the number of the last."""
        case_id, last = command["partitionkey"], int(command["sequence"])
        self._act(file, command, stream)
        while kept := file.execute("SELECT body FROM early WHERE case_id = ? AND sequence = ?", (case_id, last + 1)).fetchone():
            last += 1
            self._act(file, json.loads(kept[0]), stream)
        file.execute("DELETE FROM early WHERE case_id = ? AND sequence <= ?", (case_id, last))
        return last

    def _act(self, file: sqlite3.Connection, command: dict[str, Any], stream: str) -> None:
        """The effect, and the answer to it."""
        case_id, mark = command["partitionkey"], command["data"]["reason"]
        effect = (command["id"], case_id, command["sequence"], mark, stream, json.dumps(command).encode())
        file.execute("INSERT INTO command (id, case_id, sequence, mark, stream, body) VALUES (?, ?, ?, ?, ?, ?)", effect)
        (number,) = file.execute(
            "UPDATE line SET received = received + 1, said = said + 1 WHERE case_id = ? RETURNING said", (case_id,)
        ).fetchone()
        reply = (case_id, number, command["id"], stream, self._answer(command, number))
        file.execute("INSERT INTO answer (case_id, sequence, command, stream, body) VALUES (?, ?, ?, ?, ?)", reply)

    def _answer(self, command: dict[str, Any], number: int) -> bytes:
        """The envelope of an answer; it names the command it answers."""
        envelope = {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": f"/departments/{self._code}",
            "type": "cn.gov.town.task.progressed.v1",
            "subject": command["subject"],
            "partitionkey": command["partitionkey"],
            "sequence": number,
            "causationid": command["id"],
            "data": {"case": command["data"]["case"], "task": command["data"]["task"], "text": command["id"]},
        }
        return json.dumps(envelope).encode()

    def unsaid(self, limit: int) -> list[tuple[int, str, bytes, bytes | None]]:
        """(number, stream, bytes, None) of answers that were never sent, oldest first."""
        return self._file.execute(
            "SELECT n, stream, body, entry_id FROM answer WHERE entry_id IS NULL ORDER BY n LIMIT ?", (limit,)
        ).fetchall()

    def unconfirmed(self, before: float) -> list[tuple[int, str, bytes, bytes | None]]:
        """(number, stream, bytes, entry) of answers sent before a moment (Unix time) that the town has not confirmed."""
        return self._file.execute(_UNCONFIRMED, (before,)).fetchall()

    def said(self, answers: Sequence[tuple[bytes, float, int]]) -> None:
        """(entry, Unix time, number) of answers that are in the stream now."""
        if answers:
            with self._file as file:
                file.executemany("UPDATE answer SET entry_id = ?, said_at = ? WHERE n = ?", answers)

    def confirm(self, taken: Iterable[tuple[str, int]]) -> None:
        """The town has taken in everything of each case up to a number."""
        with self._file as file:
            file.executemany("UPDATE line SET confirmed = max(confirmed, ?) WHERE case_id = ?", [(number, case) for case, number in taken])


def open_lines(path: Path) -> int:
    """How many lines of a book have answers that the town has not confirmed: for the machine, from outside."""
    file = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    try:
        return int(file.execute(_OPEN).fetchone()[0])
    finally:
        file.close()
