"""Taking a whole town along: a copy of its SQLite file while it works, its files, and every row into another database."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

from storage.database import Database, Queries, Row
from storage.errors import MigrationError, StoreUnavailable
from storage.migrate import migrate, migrations, pending

_PAGE = 1000
_STEP = re.compile(
    r"^(?:CREATE TABLE (?P<made>\w+)|DROP TABLE (?P<dropped>\w+)|ALTER TABLE (?P<old>\w+) RENAME TO (?P<new>\w+))", re.MULTILINE
)


def back_up_database(url: str, file: Path) -> None:
    """Copy the SQLite database of `sqlite://PATH` as it stands at one moment, whoever writes meanwhile; raises StoreUnavailable."""
    path = Path(url.removeprefix("sqlite://")).expanduser().resolve()
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as source, closing(sqlite3.connect(file)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a journal beside it
            found = copy.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.Error as error:
        raise StoreUnavailable(f"database.url (MOBILE_API_DATABASE__URL): {path} cannot be copied: {error}") from error
    if found != "ok":
        raise StoreUnavailable(f"The copy of {path} is not whole: {found}. Look at the disk; keep your older backups.")
    file.chmod(0o600)
    _flush(file)


def back_up_files(url: str, folder: Path) -> int:
    """Copy the sealed files of `file://FOLDER` into a new folder; how many there were."""
    source, number = Path(url.removeprefix("file://")), 0
    folder.mkdir(mode=0o700)
    for path in sorted(source.glob("*/*")):
        if path.is_file() and path.parent.name != "drafts":
            target = folder / path.relative_to(source)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                shutil.copy2(path, target)
            except FileNotFoundError:  # forgotten in this moment, as what no case takes is
                continue
            _flush(target)
            number += 1
    return number


async def copy_rows(source: Database, target: Database) -> dict[str, int]:
    """Bring every row into an empty database, all or none; rows by table. Raises MigrationError when the two do not fit."""
    if left := await pending(source):
        raise MigrationError(f"The database to copy from lacks {', '.join(left)}: run `mobile-api migrate` first.")
    await migrate(target)
    async with source.transaction() as reading, target.transaction() as writing:
        return {table: await _copy(reading, writing, table) for table in await _tables(writing)}


async def _tables(target: Queries) -> list[str]:
    """Every table, those that others refer to first: a migration can refer only to what was made before."""
    tables: dict[str, None] = {}
    for step in (step for migration in migrations() for step in _STEP.finditer(migration.sql)):
        tables.pop(step["dropped"] or step["old"], None)
        if name := step["made"] or step["new"]:
            tables[name] = None
    for table in tables:
        if await target.one(f"SELECT 1 AS found FROM {table} LIMIT 1"):  # noqa: S608 - names of our own migrations
            raise MigrationError(f"The database to copy to is not empty: table {table} has rows. Make a new one.")
    return list(tables)


async def _copy(source: Queries, target: Queries, table: str) -> int:
    number = 0
    async for rows in (_cursor if source.dialect == "postgres" else _walk)(source, table):
        names = list(rows[0])
        places = ", ".join(f"${n}" for n in range(1, len(names) + 1))
        await target.execute_many(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})",  # noqa: S608
            [[row[name] for name in names] for row in rows],
        )
        number += len(rows)
    return number


async def _cursor(source: Queries, table: str) -> AsyncIterator[list[Row]]:
    """Each row once, a page at a time; PostgreSQL has no number by which rows could be found again."""
    await source.execute(f"DECLARE moved_{table} NO SCROLL CURSOR FOR SELECT * FROM {table}")  # noqa: S608 - names of our own migrations
    while rows := await source.rows(f"FETCH {_PAGE} FROM moved_{table}"):
        yield rows


async def _walk(source: Queries, table: str) -> AsyncIterator[list[Row]]:
    """The same along SQLite's numbers of the rows."""
    page = f"SELECT rowid AS place, * FROM {table} WHERE rowid > $1 ORDER BY rowid LIMIT {_PAGE}"  # noqa: S608
    last = -1
    while rows := await source.rows(page, last):
        last = rows[-1]["place"]
        yield [{name: value for name, value in row.items() if name != "place"} for row in rows]


def _flush(file: Path) -> None:
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())
