"""Brings a database to the schema this code was written for: ordered SQL files, one set for both dialects (decision 4).

Everything pending is applied in one transaction, by one process however many start together, or not at all. An applied
file must not change: a correction is a new file.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.database import Database, Queries
from storage.errors import MigrationError as MigrationError  # noqa: PLC0414 - raised from here, caught by the commands

FOLDER = Path(__file__).parent / "migrations"

_TABLE = """
CREATE TABLE IF NOT EXISTS migration (
    name VARCHAR(100) NOT NULL PRIMARY KEY,
    checksum VARCHAR(64) NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL
)
"""
_HAS_TABLE = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'migration'",
    "postgres": "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'migration'",
}
_TURN = 0x6D6967726174
"""The number under which processes take turns on PostgreSQL: "migrat" in ASCII."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `NNNN_name`, its text and the SHA-256 of that text."""

    name: str
    sql: str
    checksum: str

    def statements(self) -> Iterator[str]:
        """The file's statements one by one; comments travel with the statement they stand before."""
        lines: list[str] = []
        for line in self.sql.splitlines(keepends=True):
            lines.append(line)
            if sqlite3.complete_statement("".join(lines)):
                yield "".join(lines).strip()
                lines.clear()
        if any(line.strip() and not line.strip().startswith("--") for line in lines):
            raise MigrationError(f"Migration {self.name}: the last statement does not end with a semicolon.")


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """The files of a folder in order; raises MigrationError unless they are numbered from 0001 without gap."""
    found = [_read(file) for file in sorted(folder.glob("*.sql"))]
    for number, migration in enumerate(found, start=1):
        if not migration.name.startswith(f"{number:04}_"):
            raise MigrationError(f"Migration {migration.name}.sql should have number {number:04}: numbers rise by one, each used once.")
    return found


async def pending(database: Database, folder: Path = FOLDER) -> list[str]:
    """Names of the migrations that `migrate` would apply; changes nothing, raises MigrationError like `migrate`."""
    applied = await _applied(database) if await database.rows(_HAS_TABLE[database.dialect]) else {}
    return [migration.name for migration in _missing(migrations(folder), applied)]


async def migrate(database: Database, folder: Path = FOLDER) -> list[str]:
    """Apply what is pending and give the names; raises MigrationError and leaves the database as it was if that cannot be."""
    if not await pending(database, folder):
        return []
    await _make_table(database)
    async with _foreign_keys_off(database), database.transaction() as tx:
        if tx.dialect == "postgres":
            await tx.execute("LOCK TABLE migration IN EXCLUSIVE MODE")
        missing = _missing(migrations(folder), await _applied(tx))
        for migration in missing:
            await _apply(tx, migration)
        await _check_references(tx)
    return [migration.name for migration in missing]


def _read(file: Path) -> Migration:
    text = file.read_text(encoding="utf-8").replace("\r\n", "\n")
    return Migration(file.stem, text, hashlib.sha256(text.encode()).hexdigest())


async def _applied(db: Queries) -> dict[str, str]:
    return {row["name"]: row["checksum"] for row in await db.rows("SELECT name, checksum FROM migration ORDER BY name")}


def _missing(known: Sequence[Migration], applied: dict[str, str]) -> Sequence[Migration]:
    newer = sorted(applied.keys() - {migration.name for migration in known})
    if newer:
        raise MigrationError(
            f"This code is older than the data: the database has {', '.join(newer)}. Install the newer version of the code."
        )
    for migration in known[: len(applied)]:
        if applied.get(migration.name) != migration.checksum:
            raise MigrationError(
                f"Migration {migration.name} was changed after it had been applied. Restore the file; write the change as a new migration."
            )
    return known[len(applied) :]


async def _apply(db: Queries, migration: Migration) -> None:
    for statement in migration.statements():
        await db.execute(statement)
    await db.execute(
        "INSERT INTO migration (name, checksum, applied_at) VALUES ($1, $2, $3)",
        migration.name,
        migration.checksum,
        dt.datetime.now(dt.UTC),
    )


async def _make_table(database: Database) -> None:
    """IF NOT EXISTS is not enough on PostgreSQL: two at the same moment clash in its catalogue, so they take turns."""
    async with database.transaction() as tx:
        if tx.dialect == "postgres":
            await tx.execute("SELECT pg_advisory_xact_lock($1)", _TURN)
        await tx.execute(_TABLE)


@asynccontextmanager
async def _foreign_keys_off(database: Database) -> AsyncIterator[None]:
    """On SQLite a table is changed by rebuilding it; with foreign keys on, dropping the old one deletes its children."""
    if database.dialect != "sqlite":
        yield
        return
    await database.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        await database.execute("PRAGMA foreign_keys = ON")


async def _check_references(db: Queries) -> None:
    if db.dialect == "sqlite" and (broken := await db.rows("PRAGMA foreign_key_check")):
        tables = ", ".join(sorted({str(row["table"]) for row in broken}))
        raise MigrationError(f"A migration left rows in {tables} that refer to rows which do not exist. Nothing was applied.")
