"""A pretend department's own records: what it was told, what it answered, what was confirmed. A plain SQLite file.

Every method is one transaction, so that the program may be killed anywhere: a command is decided on once, and an answer
that was numbered is sent under that number for ever.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS line (department TEXT, case_id TEXT, lane TEXT, received INT DEFAULT 0, sent INT DEFAULT 0,
    PRIMARY KEY (department, case_id));
CREATE TABLE IF NOT EXISTS command (department TEXT, case_id TEXT, sequence INT, source TEXT, id TEXT, body TEXT,
    PRIMARY KEY (department, case_id, sequence));
CREATE TABLE IF NOT EXISTS answer (n INTEGER PRIMARY KEY, department TEXT, case_id TEXT, lane TEXT, task TEXT, kind TEXT, data TEXT,
    number TEXT, cause TEXT, due REAL, sequence INT, body BLOB, held_until REAL DEFAULT 0, sent_at REAL, stream_id TEXT,
    is_confirmed INT DEFAULT 0, UNIQUE (department, case_id, sequence));
CREATE INDEX IF NOT EXISTS answer_open ON answer (department, is_confirmed, sent_at);
CREATE TABLE IF NOT EXISTS said (department TEXT, case_id TEXT, what TEXT, PRIMARY KEY (department, case_id, what));
"""


@dataclass(frozen=True, slots=True)
class Planned:
    """An answer to be given: kind ("task.decided"), data, and after how many seconds from now."""

    kind: str
    data: Mapping[str, Any]
    after: float


class Book:
    """The records of every department that this program plays; only one program at a time may have it open (BlockingIOError)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = path.with_suffix(".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {_SCHEMA}")

    def close(self) -> None:
        """Close the file and let another program have it."""
        self._db.close()
        self._lock.close()

    def begin(self) -> None:
        """Begin a transaction; nothing may be awaited before `commit` or `undo`."""
        self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make what was written since `begin` last."""
        self._db.execute("COMMIT")

    def undo(self) -> None:
        """Forget what was written since `begin`."""
        self._db.execute("ROLLBACK")

    def keep(self, department: str, lane: str, command: Mapping[str, Any]) -> None:
        """Keep a command as it came, even one that came too early; a repeated one changes nothing."""
        case_id, sequence = command["partitionkey"], int(command["sequence"])
        self._db.execute("INSERT OR IGNORE INTO line (department, case_id, lane) VALUES (?, ?, ?)", (department, case_id, lane))
        row = (department, case_id, sequence, command["source"], command["id"], json.dumps(command, ensure_ascii=False))
        if sequence > self.received(department, case_id):
            self._db.execute("INSERT OR IGNORE INTO command VALUES (?, ?, ?, ?, ?, ?)", row)

    def received(self, department: str, case_id: str) -> int:
        """The number up to which a case's commands were dealt with."""
        row = self._db.execute("SELECT received FROM line WHERE department = ? AND case_id = ?", (department, case_id)).fetchone()
        return int(row["received"]) if row else 0

    def restore(self, department: str, sequence: int) -> None:
        """As it was in a backup that knew the commands of each case up to a number."""
        self._db.execute("UPDATE line SET received = min(received, ?) WHERE department = ?", (sequence, department))
        self._db.execute("DELETE FROM command WHERE department = ? AND sequence > ?", (department, sequence))

    def next_command(self, department: str, case_id: str) -> dict[str, Any] | None:
        """The command whose turn it is; counted as dealt with from here on."""
        key = (department, case_id, self.received(department, case_id) + 1)
        row = self._db.execute("SELECT body FROM command WHERE department = ? AND case_id = ? AND sequence = ?", key).fetchone()
        if row is None:
            return None
        self._db.execute("UPDATE line SET received = ? WHERE department = ? AND case_id = ?", (key[2], department, case_id))
        found: dict[str, Any] = json.loads(row["body"])
        return found

    def once(self, department: str, case_id: str, what: str) -> bool:
        """True the first time that this is asked."""
        said = self._db.execute("INSERT OR IGNORE INTO said VALUES (?, ?, ?)", (department, case_id, what))
        return said.rowcount == 1

    def plan(self, department: str, lane: str, command: Mapping[str, Any], answers: Iterable[Planned], now: float) -> None:
        """Note what is to be answered, and when."""
        for planned in answers:
            self._db.execute(
                "INSERT INTO answer (department, case_id, lane, task, kind, data, number, cause, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    department, command["partitionkey"], lane, command["data"]["task"], planned.kind,
                    json.dumps(planned.data, ensure_ascii=False), command["data"]["case"], command["id"], now + planned.after,
                ),
            )  # fmt: skip

    def trace(self, department: str, case_id: str, command_id: str) -> dict[str, str]:
        """The trace of the command that is answered, with a span of this department's own (W3C Trace Context)."""
        query = "SELECT body FROM command WHERE department = ? AND case_id = ? AND id = ?"
        row = self._db.execute(query, (department, case_id, command_id)).fetchone()
        given = json.loads(row["body"]).get("traceparent") if row else None
        if given is None:
            return {}
        version, trace_id, _, flags = given.split("-")
        return {"traceparent": f"{version}-{trace_id}-{os.urandom(8).hex()}-{flags}"}

    def drop(self, department: str, case_id: str, task: str) -> None:
        """Give up the answers of a task that nobody wants any more; what has a number was said and stays."""
        key = (department, case_id, task)
        self._db.execute("DELETE FROM answer WHERE department = ? AND case_id = ? AND task = ? AND sequence IS NULL", key)

    def due(self, department: str, now: float) -> list[sqlite3.Row]:
        """Answers whose time has come and that have no number yet."""
        return self._db.execute(
            "SELECT * FROM answer WHERE department = ? AND sequence IS NULL AND due <= ? ORDER BY due, n", (department, now)
        ).fetchall()

    def next_due(self, department: str) -> float | None:
        """When the next answer falls due."""
        row = self._db.execute("SELECT min(due) FROM answer WHERE department = ? AND sequence IS NULL", (department,)).fetchone()
        return row[0] if row else None

    def take_number(self, department: str, case_id: str) -> int:
        """The next number of the answers of a case."""
        row = self._db.execute(
            "UPDATE line SET sent = sent + 1 WHERE department = ? AND case_id = ? RETURNING sent", (department, case_id)
        ).fetchone()
        return int(row["sent"])

    def number(self, n: int, sequence: int, body: bytes, held_until: float) -> None:
        """An answer is written out under its number."""
        self._db.execute("UPDATE answer SET sequence = ?, body = ?, held_until = ? WHERE n = ?", (sequence, body, held_until, n))

    def unsent(self, department: str, now: float) -> list[sqlite3.Row]:
        """Numbered answers that are not in the stream yet, in order."""
        return self._db.execute(
            "SELECT * FROM answer WHERE department = ? AND sequence IS NOT NULL AND sent_at IS NULL AND held_until <= ? ORDER BY n",
            (department, now),
        ).fetchall()

    def mark_sent(self, n: int, stream_id: str, now: float) -> None:
        """An answer is in the stream."""
        self._db.execute("UPDATE answer SET sent_at = ?, stream_id = ? WHERE n = ?", (now, stream_id, n))

    def unconfirmed(self, department: str, before: float) -> list[sqlite3.Row]:
        """Answers sent before a moment that the town has not confirmed."""
        return self._db.execute(
            "SELECT * FROM answer WHERE department = ? AND is_confirmed = 0 AND sent_at < ? ORDER BY n LIMIT 200", (department, before)
        ).fetchall()

    def confirm(self, department: str, case_id: str, sequence: int) -> None:
        """The town has taken in everything of a case up to a number."""
        self._db.execute(
            "UPDATE answer SET is_confirmed = 1 WHERE department = ? AND case_id = ? AND sequence <= ?", (department, case_id, sequence)
        )
