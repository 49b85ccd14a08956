"""A town that outgrew its SQLite file goes on with PostgreSQL, and back, without losing a row or a byte."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mobile_api.__main__ import main
from storage.bell import Bell
from storage.copying import _PAGE
from storage.database import Database
from storage.migrate import migrations
from tests.support.apart import run_apart
from tests.support.samples import AT, insert_all


@pytest.fixture
def file(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database of a town with a row in every table, and in one of them more than a page of the copy."""
    monkeypatch.setenv("MOBILE_API_DATABASE__URL", sqlite_url)

    async def fill() -> None:
        database = await Database.open(sqlite_url, Bell(), pool=1)
        await insert_all(database)
        await database.execute_many(
            "INSERT INTO resident (id, openid, preferences, created_at) VALUES ($1, $1, '{}', $2)",
            [(f"many-{n}", AT) for n in range(_PAGE + 1)],
        )
        await database.close()

    run_apart(fill())
    return tmp_path / "town.db"


def everything(file: Path) -> dict[str, list[dict[str, object]]]:
    """Every row of every table as SQLite keeps it, JSON by its meaning."""
    with closing(sqlite3.connect(file)) as database:
        database.row_factory = sqlite3.Row
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'migration'")]
        return {table: _rows(database, table) for table in tables}


def _rows(database: sqlite3.Connection, table: str) -> list[dict[str, object]]:
    json_names = {row["name"] for row in database.execute(f"PRAGMA table_info({table})") if row["type"] == "JSONB"}
    rows = [dict(row) for row in database.execute(f"SELECT * FROM {table}")]
    for row in rows:
        row.update({name: json.loads(str(row[name])) for name in json_names if row[name] is not None})
    return sorted(rows, key=repr)


def test_every_row_arrives_in_postgresql_and_comes_back(
    file: Path, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    before = everything(file)
    assert main(["move", "--to", postgres_url]) == 0
    told = capsys.readouterr().out
    assert f"{sum(map(len, before.values()))} rows copied" in told
    assert not [table for table, rows in before.items() if not rows]
    assert everything(file) == before

    monkeypatch.setenv("MOBILE_API_DATABASE__URL", postgres_url)
    assert main(["move", "--to", f"sqlite://{tmp_path}/back.db"]) == 0
    assert everything(tmp_path / "back.db") == before


def test_a_database_that_is_in_use_is_not_moved_into(file: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]):
    main(["move", "--to", postgres_url])
    assert main(["move", "--to", postgres_url]) == 1
    assert "is not empty" in capsys.readouterr().err


def test_a_database_of_an_older_version_is_brought_up_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MOBILE_API_DATABASE__URL", f"sqlite://{tmp_path}/new.db")
    assert main(["move", "--to", f"sqlite://{tmp_path}/other.db"]) == 1
    assert migrations()[-1].name in capsys.readouterr().err


@pytest.mark.parametrize("address", ["mysql://town@db/town", "postgres://town:a/b@db/town"])
def test_an_address_that_is_none_is_told(file: Path, address: str, capsys: pytest.CaptureFixture[str]):
    assert main(["move", "--to", address]) == 1
    assert capsys.readouterr().err.startswith("--to: ")
