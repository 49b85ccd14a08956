"""What the stand-in remembers: people, used codes, the subscription ledger and the messages on every phone (sqlite3)."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS person (openid TEXT PRIMARY KEY, appid TEXT NOT NULL, user TEXT NOT NULL, session_key TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS code (
    code TEXT PRIMARY KEY, kind TEXT NOT NULL, user TEXT NOT NULL, expires REAL NOT NULL, used INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS credit (openid TEXT, template_id TEXT, credits INTEGER NOT NULL, PRIMARY KEY (openid, template_id));
CREATE TABLE IF NOT EXISTS message (
    msgid TEXT PRIMARY KEY, openid TEXT NOT NULL, template_id TEXT NOT NULL, page TEXT NOT NULL, data TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS message_of ON message (openid, at);
"""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message on a phone."""

    msgid: str
    user: str
    template_id: str
    page: str
    data: dict[str, str]
    at: float


class Store:
    """A small sqlite file, or memory only."""

    def __init__(self, path: str = ":memory:") -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + _TABLES)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def put_person(self, openid: str, appid: str, user: str, session_key: str) -> None:
        """Remember a person and the session key in force."""
        self._db.execute(
            "INSERT INTO person VALUES (?, ?, ?, ?) ON CONFLICT (openid) DO UPDATE SET session_key = excluded.session_key",
            (openid, appid, user, session_key),
        )

    def user_of(self, openid: str) -> str | None:
        """The test user behind an openid."""
        row = self._db.execute("SELECT user FROM person WHERE openid = ?", (openid,)).fetchone()
        return row[0] if row else None

    def users(self) -> list[str]:
        """Every test user seen so far."""
        return [row[0] for row in self._db.execute("SELECT DISTINCT user FROM person ORDER BY user")]

    def put_code(self, code: str, kind: str, user: str, expires: float) -> None:
        """Issue a code."""
        self._db.execute("INSERT OR IGNORE INTO code VALUES (?, ?, ?, ?, 0)", (code, kind, user, expires))

    def code(self, code: str, kind: str) -> tuple[str, float, bool] | None:
        """User, end of life and whether used, of a code of this kind."""
        row = self._db.execute("SELECT user, expires, used FROM code WHERE code = ? AND kind = ?", (code, kind)).fetchone()
        return (row[0], row[1], bool(row[2])) if row else None

    def use_code(self, code: str) -> None:
        """A code is spent."""
        self._db.execute("UPDATE code SET used = 1 WHERE code = ?", (code,))

    def credits(self, openid: str, template_id: str) -> int:
        """Messages that may still be sent; for a lasting template 1 is on and 0 is off."""
        row = self._db.execute("SELECT credits FROM credit WHERE openid = ? AND template_id = ?", (openid, template_id)).fetchone()
        return row[0] if row else 0

    def set_credits(self, openid: str, template_id: str, credit: int) -> None:
        """Write the ledger."""
        self._db.execute("INSERT OR REPLACE INTO credit VALUES (?, ?, ?)", (openid, template_id, credit))

    def put_message(self, msgid: str, openid: str, template_id: str, page: str, data: dict[str, Any], at: float) -> None:
        """A message has reached a phone."""
        row = (msgid, openid, template_id, page, json.dumps(data, ensure_ascii=False), at)
        self._db.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)", row)

    def messages(self, user: str | None, limit: int) -> list[Delivered]:
        """The messages on one phone, or on all, newest first."""
        rows = self._db.execute(
            "SELECT msgid, user, template_id, page, data, at FROM message JOIN person USING (openid) "
            "WHERE ? IS NULL OR user = ? ORDER BY at DESC, msgid DESC LIMIT ?",
            (user, user, limit),
        )
        return [Delivered(row[0], row[1], row[2], row[3], json.loads(row[4]), row[5]) for row in rows]
