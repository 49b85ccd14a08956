"""What a pretend department behind a gatekeeper knows of its batches, both ways. A plain SQLite file; every method is one transaction."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS taken (number INTEGER PRIMARY KEY, digest TEXT);
CREATE TABLE IF NOT EXISTS sent (number INTEGER PRIMARY KEY, digest TEXT, rows BLOB, many INT, made_at TEXT, written_at REAL,
    is_done INT DEFAULT 0);
"""


class FileBook:
    """Batches taken from the town, and batches of ours with their rows."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {_SCHEMA}")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def last_taken(self) -> int:
        """The number up to which the town's batches are taken."""
        return int(self._db.execute("SELECT coalesce(max(number), 0) FROM taken").fetchone()[0])

    def digest_taken(self, number: int) -> str:
        """The digest of the town's batch of this number, "" if there is none."""
        row = self._db.execute("SELECT digest FROM taken WHERE number = ?", (number,)).fetchone()
        return str(row["digest"]) if row else ""

    def take(self, number: int, digest: str) -> None:
        """The town's batch is ours."""
        self._db.execute("INSERT OR IGNORE INTO taken VALUES (?, ?)", (number, digest))

    def restore(self, number: int) -> None:
        """As it was in a backup that knew the town's batches up to a number."""
        self._db.execute("DELETE FROM taken WHERE number > ?", (number,))

    def make(self, rows: bytes, many: int, made_at: str) -> int:
        """A new batch of ours; its number."""
        self._db.execute("INSERT INTO sent (digest, rows, many, made_at) VALUES ('', ?, ?, ?)", (rows, many, made_at))
        return int(self._db.execute("SELECT max(number) FROM sent").fetchone()[0])

    def digest_sent(self, number: int) -> str:
        """The digest of a batch of ours as the town knows it, "" if there is none."""
        row = self._db.execute("SELECT digest FROM sent WHERE number = ?", (number,)).fetchone()
        return str(row["digest"]) if row else ""

    def wrote(self, number: int, digest: str, now: float) -> None:
        """A batch of ours is on its way."""
        self._db.execute("UPDATE sent SET digest = ?, written_at = ? WHERE number = ?", (digest, now, number))

    def due(self, before: float) -> list[sqlite3.Row]:
        """Batches of ours that are not acknowledged and were not written since a moment, in order."""
        query = "SELECT * FROM sent WHERE is_done = 0 AND coalesce(written_at, 0) <= ? ORDER BY number LIMIT 8"
        return self._db.execute(query, (before,)).fetchall()

    def write_soon(self, number: int) -> None:
        """A batch of ours is asked for."""
        self._db.execute("UPDATE sent SET written_at = 0 WHERE number = ? AND is_done = 0", (number,))

    def done(self, number: int, digest: str) -> None:
        """The town has taken a batch under this number, and everything before it, for it takes them in order."""
        self._db.execute("UPDATE sent SET is_done = 1, digest = ? WHERE number = ?", (digest, number))

    def is_done(self) -> bool:
        """Whether the town has everything."""
        return self._db.execute("SELECT 1 FROM sent WHERE is_done = 0").fetchone() is None
