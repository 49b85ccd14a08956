"""Column names carry their type, since storage/database.py reads it from them; applied migrations do not change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from storage.database import Database
from storage.migrate import migrations

OpenDatabase = Callable[..., Awaitable[Database]]
FROZEN = Path(__file__).parent / "frozen_migrations.txt"
ENDINGS = {"_at": "TIMESTAMPTZ", "_on": "DATE"}
TOLD = {"BOOLEAN", *ENDINGS.values()}
SHARED_TYPES = {"VARCHAR", "TEXT", "INTEGER", "BIGINT", "BOOLEAN", "BYTEA", "JSONB", "TIMESTAMPTZ", "DATE", "DOUBLE PRECISION"}


async def columns(database: Database) -> list[tuple[str, str, str]]:
    found = []
    for row in await database.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"):
        described = await database.rows(f"PRAGMA table_info({row['name']})")
        found += [(row["name"], column["name"], column["type"].partition("(")[0]) for column in described]
    return found


async def test_a_columns_name_tells_its_type(sqlite_url: str, open_database: OpenDatabase):
    for table, column, kind in await columns(await open_database(sqlite_url)):
        told = "BOOLEAN" if column.startswith("is_") else next((name for end, name in ENDINGS.items() if column.endswith(end)), None)
        assert told == (kind if kind in TOLD else None), f"{table}.{column} is {kind}"


async def test_only_types_that_both_databases_know_alike_are_used(sqlite_url: str, open_database: OpenDatabase):
    strange = [column for column in await columns(await open_database(sqlite_url)) if column[2] not in SHARED_TYPES]
    assert strange == []


def test_only_the_newest_migration_may_still_change():
    """Add a line `name checksum` to frozen_migrations.txt when a version is given out, at the latest with the next migration."""
    known = {migration.name: migration.checksum for migration in migrations()}
    frozen = dict(line.split() for line in FROZEN.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    assert {name: known.get(name) for name in frozen} == frozen
    assert sorted(known)[:-1] == sorted(frozen.keys() - {max(known)})
