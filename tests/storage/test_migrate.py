from __future__ import annotations

import asyncio
import datetime as dt
import secrets
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from storage import migrate as migrations
from storage.database import Database
from storage.errors import Conflict
from storage.migrate import FOLDER, MigrationError, migrate, pending
from tests.support.postgres import PostgresServer
from tests.support.samples import AT, ON, ROWS, insert

PROCESSES = 4
MIGRATE_SCRIPT = """
import asyncio, sys
from pathlib import Path
from storage.bell import Bell
from storage.database import Database
from storage.migrate import migrate

async def main():
    database = await Database.open(sys.argv[1], Bell())
    print("ready", flush=True)
    sys.stdin.readline()
    print(",".join(await migrate(database, Path(sys.argv[2]))))
    await database.close()

asyncio.run(main())
"""


@pytest.fixture(params=["sqlite", "postgres"])
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite://{tmp_path}/empty.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"test_{secrets.token_hex(6)}"
    yield await server.create(name)
    await server.drop(name)


@pytest.fixture
async def empty(empty_url: str, open_database: Callable[..., Awaitable[Database]]) -> Database:
    return await open_database(empty_url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The real migrations, copied, so that a test may add to them."""
    return shutil.copytree(FOLDER, tmp_path / "migrations")


def add(folder: Path, name: str, sql: str) -> str:
    number = len(list(folder.glob("*.sql"))) + 1
    file = folder / f"{number:04}_{name}.sql"
    file.write_text(sql, encoding="utf-8")
    return file.stem


async def test_an_empty_database_gets_everything_once(empty: Database, folder: Path):
    names = [file.stem for file in sorted(folder.glob("*.sql"))]
    assert await pending(empty, folder) == names
    assert await migrate(empty, folder) == names
    assert await pending(empty, folder) == []
    assert await migrate(empty, folder) == []
    assert [row["name"] for row in await empty.rows("SELECT * FROM migration ORDER BY name")] == names


async def test_a_new_file_is_applied_to_a_database_with_data(empty: Database, folder: Path):
    await migrate(empty, folder)
    await empty.execute("INSERT INTO counter (name, value) VALUES ('a', 1)")
    name = add(
        folder, "notes", "-- a ; in a comment\nALTER TABLE counter ADD COLUMN note VARCHAR(9) NOT NULL DEFAULT 'a;b';\n\n-- the end\n"
    )
    assert await migrate(empty, folder) == [name]
    assert await empty.one("SELECT note FROM counter") == {"note": "a;b"}


async def test_a_bad_file_leaves_nothing_behind(empty: Database, folder: Path):
    good = add(folder, "good", "CREATE TABLE good (id INTEGER PRIMARY KEY);")
    bad = add(folder, "bad", "CREATE TABLE bad (id INTEGER PRIMARY KEY);\nINSERT INTO nowhere VALUES (1);")
    with pytest.raises(Exception, match="nowhere"):
        await migrate(empty, folder)
    assert {good, bad} <= set(await pending(empty, folder))
    (folder / f"{bad}.sql").write_text("CREATE TABLE bad (id INTEGER PRIMARY KEY);")
    assert {good, bad} <= set(await migrate(empty, folder))


async def test_a_changed_file_is_refused_by_name(empty: Database, folder: Path):
    await migrate(empty, folder)
    file = folder / "0001_frame.sql"
    file.write_text(file.read_text() + "-- an afterthought\n")
    for act in (migrate, pending):
        with pytest.raises(MigrationError, match="0001_frame was changed"):
            await act(empty, folder)


async def test_line_ends_of_another_system_are_no_change(empty: Database, folder: Path):
    await migrate(empty, folder)
    file = folder / "0001_frame.sql"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert await pending(empty, folder) == []


async def test_older_code_refuses_newer_data(empty: Database, folder: Path):
    name = add(folder, "future", "CREATE TABLE future (id INTEGER PRIMARY KEY);")
    await migrate(empty, folder)
    (folder / f"{name}.sql").unlink()
    for act in (migrate, pending):
        with pytest.raises(MigrationError, match=f"older than the data.*{name}"):
            await act(empty, folder)


async def test_numbers_rise_without_gap(empty: Database, folder: Path):
    name = add(folder, "next", "CREATE TABLE a (id INTEGER PRIMARY KEY);")
    (folder / f"{name}.sql").rename(folder / "0999_next.sql")
    with pytest.raises(MigrationError, match="0999_next"):
        await migrate(empty, folder)


async def test_a_file_must_end_with_a_whole_statement(empty: Database, folder: Path):
    name = add(folder, "open", "CREATE TABLE a (id INTEGER PRIMARY KEY)")
    with pytest.raises(MigrationError, match=f"{name}.*semicolon"):
        await migrate(empty, folder)
    assert name in await pending(empty, folder)


async def test_a_rebuilt_sqlite_table_keeps_its_children(tmp_path: Path, folder: Path, open_database: Callable[..., Awaitable[Database]]):
    """With foreign keys on, DROP TABLE deletes them."""
    database = await open_database(f"sqlite://{tmp_path}/town.db")
    add(
        folder,
        "family",
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);\nCREATE TABLE child (id INTEGER REFERENCES parent (id) ON DELETE CASCADE);",
    )
    await migrate(database, folder)
    await database.execute("INSERT INTO parent VALUES (1)")
    await database.execute("INSERT INTO child VALUES (1)")
    add(
        folder,
        "rebuild",
        "CREATE TABLE parent_new (id INTEGER PRIMARY KEY, note TEXT);\nINSERT INTO parent_new SELECT id, NULL FROM parent;\n"
        "DROP TABLE parent;\nALTER TABLE parent_new RENAME TO parent;",
    )
    await migrate(database, folder)
    assert await database.rows("SELECT id FROM child") == [{"id": 1}]
    assert await database.one("PRAGMA foreign_keys") == {"foreign_keys": 1}


async def test_a_migration_that_orphans_rows_is_undone(tmp_path: Path, folder: Path, open_database: Callable[..., Awaitable[Database]]):
    database = await open_database(f"sqlite://{tmp_path}/town.db")
    name = add(
        folder,
        "orphans",
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);\nCREATE TABLE child (id INTEGER REFERENCES parent (id));\n"
        "INSERT INTO child VALUES (7);",
    )
    with pytest.raises(MigrationError, match="child"):
        await migrate(database, folder)
    assert name in await pending(database, folder)


async def test_of_several_processes_that_start_together_exactly_one_applies(empty_url: str, folder: Path):
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", MIGRATE_SCRIPT, empty_url, str(folder)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(migrations.__file__).parents[1],
        )
        for _ in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    answers = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert [process.returncode for process in processes] == [0] * PROCESSES
    applied = [out.decode().strip() for out, _ in answers]
    assert max(applied).startswith("0001_frame")
    assert applied.count("") == PROCESSES - 1


async def test_a_town_keeps_its_cards_and_takes_those_of_new_objects(empty: Database, folder: Path):
    """0006 makes the table of cards anew: each card as it was, each index, each rule; a second card of an object and rule stays out."""
    newer = {file: file.read_text(encoding="utf-8") for file in folder.glob("*.sql") if file.stem >= "0006"}
    for file in newer:
        file.unlink()
    await migrate(empty, folder)
    card = {**ROWS["supervision_card"], "case_id": "c", "item_code": "i", "staff_id": "s", "feedback_due_on": ON, "reason": "r"}
    said = {"feedback": "改", "feedback_at": AT, "appeal": "不服", "appealed_at": AT, "settled_by": "s", "settled_at": AT}
    for number, kind in enumerate(("case", "step", "procedure", "complaint")):
        await insert(
            empty, "supervision_card", {**card, **said, "id": f"k{number}", "object_kind": kind, "issued_at": AT, "issued_by": "s"}
        )
    before = await empty.rows("SELECT * FROM supervision_card ORDER BY id")
    for file, text in newer.items():
        file.write_text(text, encoding="utf-8")

    await migrate(empty, folder)

    assert await empty.rows("SELECT * FROM supervision_card ORDER BY id") == before
    for kind in ("delivery", "urgent"):
        await insert(empty, "supervision_card", {**card, "id": kind, "object_kind": kind})
    for wrong in ({"object_kind": "weather"}, {"level": "blue"}, {"object_kind": "urgent"}):
        with pytest.raises(Conflict):
            await insert(empty, "supervision_card", {**card, "id": "no", **wrong})
    names = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'supervision_card'",
        "postgres": "SELECT indexname AS name FROM pg_indexes WHERE tablename = 'supervision_card'",
    }
    found = {row["name"] for row in await empty.rows(names[empty.dialect])}
    assert {"supervision_card_open", "supervision_card_of_case", "supervision_card_time"} <= found


async def test_what_was_open_before_the_desk_had_a_table_waits_at_it_and_is_found(empty: Database, folder: Path):
    """0005: each open case at its lead department's desk, each opinion asked for at its department's; the ended ones nowhere."""
    newer = [file for file in sorted(folder.glob("*.sql")) if file.stem >= "0005"]
    kept = [(file, file.read_text(encoding="utf-8")) for file in newer]
    for file in newer:
        file.unlink()
    await migrate(empty, folder)
    case = {**ROWS["cases"], "decision": None}
    number = "1302081082026021300001O"
    await insert(empty, "resident", ROWS["resident"])
    await insert(empty, "cases", {**case, "id": "a", "number": number, "state": "submitted", "priority": 1, "promised_on": None})
    await insert(empty, "cases", {**case, "id": "b", "number": number[:-1] + "1"})
    await insert(empty, "cases", {**case, "id": "c", "number": "N3", "state": "completed"})
    task = {**ROWS["task"], "result": None, "state": "requested", "case_id": "b"}
    await insert(empty, "task", {**task, "id": "t1", "department": "E"})
    await insert(empty, "task", {**task, "id": "t2", "department": "D", "step": "decide"})
    for file, text in kept:
        file.write_text(text, encoding="utf-8")

    await migrate(empty, folder)

    parts = await empty.rows("SELECT case_id, department, step, is_lead, urgency, due_on FROM desk_task ORDER BY case_id, department")
    assert [tuple(row.values()) for row in parts] == [
        ("a", "D", "accept", True, 7, dt.date.max),
        ("b", "D", "decide", True, 11, ON),
        ("b", "E", "review", False, 11, ON),
    ]
    found = await empty.rows("SELECT case_id, number_tail, received_on FROM case_search ORDER BY case_id")
    assert [tuple(row.values()) for row in found] == [("a", "00001O", dt.date(2026, 2, 13)), ("b", "000011", dt.date(2026, 2, 13))]
