"""Real stores for every test: an empty, migrated database of each dialect, and a Valkey server.

A test that takes `database` runs twice, on SQLite and on PostgreSQL. Fixtures here: `database_url`, `sqlite_url`,
`postgres_url` (addresses of fresh databases), `bell`, `database`, `open_database`, `valkey_url`, `redis`, `store`.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import settings
from redis import asyncio as aioredis

from storage.bell import Bell
from storage.database import Database
from storage.migrate import migrate
from storage.redis import RedisStore, connect
from storage.valkey import EmbeddedValkey
from tests.support import postgres
from tests.support.apart import Apart, run_apart

# How long an example may take is a matter of the machine, and its first one builds the years of a calendar.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

OpenDatabase = Callable[..., Awaitable[Database]]

_LONG = ("browser", "chaos", "processes", "scale", "examples", "flows")
_skipped = pytest.StashKey[dict[str, str]]()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, copied for every test that needs a database."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    run_apart(_migrated(f"sqlite://{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[postgres.PostgresServer]:
    """The suite's PostgreSQL. Where none can be had the test is skipped, and said so last; with CI=true it fails."""
    try:
        server = postgres.start()
    except postgres.NoPostgresError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        request.config.stash.setdefault(_skipped, {})["PostgreSQL"] = str(error)
        pytest.skip(str(error))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def apart() -> Iterator[Apart]:
    """A loop that stays from test to test."""
    loop = Apart()
    yield loop
    loop.close()


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: postgres.PostgresServer, apart: Apart) -> Iterator[postgres.Databases]:
    """Migrated databases for whoever asks."""
    name = f"test_template_{secrets.token_hex(4)}"
    run_apart(_migrated(run_apart(postgres_server.create(name))))
    databases = postgres.Databases(postgres_server, name)
    yield databases
    apart.run(databases.drop_all())
    run_apart(postgres_server.drop(name))


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh SQLite database."""
    path = tmp_path / "town.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite://{path}"


@pytest.fixture
def postgres_url(postgres_server: postgres.PostgresServer, postgres_databases: postgres.Databases, apart: Apart) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    kept = apart.run(postgres_databases.take())
    yield postgres_server.url(kept.name)
    apart.run(postgres_databases.give_back(kept))


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh, migrated database; the test runs once on each dialect."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def bell() -> Bell:
    """The bell of `database`."""
    return Bell()


@pytest.fixture
async def open_database(bell: Bell) -> AsyncIterator[OpenDatabase]:
    """Opens further databases, `await open_database(url, bell=..., pool=...)`; all are closed after the test."""
    async with AsyncExitStack() as opened:

        async def open_one(url: str, bell: Bell = bell, *, pool: int = 10) -> Database:
            database = await Database.open(url, bell, pool=pool)
            opened.push_async_callback(database.close)
            return database

        yield open_one


@pytest.fixture
async def database(database_url: str, bell: Bell, open_database: OpenDatabase) -> Database:
    """An open, migrated, empty database; the test runs once on each dialect."""
    return await open_database(database_url, bell)


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the suite's own Valkey."""
    server = EmbeddedValkey(tmp_path_factory.mktemp("valkey"))
    url = run_apart(server.start())
    yield url
    run_apart(server.stop())


@pytest.fixture
async def redis(valkey_server: str) -> AsyncIterator[aioredis.Redis]:
    """A plain client of the suite's Valkey, which is empty."""
    async with aioredis.Redis.from_url(valkey_server, driver_info=None) as client:
        await client.flushall()
        yield client


@pytest.fixture
def valkey_url(valkey_server: str, redis: aioredis.Redis) -> str:
    """The address of the suite's Valkey, which is empty."""
    return valkey_server


@pytest.fixture
async def store(valkey_url: str) -> AsyncIterator[RedisStore]:
    """Storage's own clients of the suite's Valkey, which is empty."""
    store = await connect(valkey_url)
    yield store
    await store.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first, so that no process is left alone with one; then SQLite before PostgreSQL: tortoise's models serve one at a time."""
    items.sort(key=lambda item: (_turn(item.path), "postgres" in item.name))


def _turn(path: Path) -> int:
    """The folder's place in the queue."""
    folder = path.relative_to(Path(__file__).parent).parts[0]
    return _LONG.index(folder) if folder in _LONG else len(_LONG)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What was skipped as a whole, and why, is the last thing to read."""
    for what, why in config.stash.get(_skipped, {}).items():
        terminalreporter.write_line(f"Not tested: {what}: {why}", yellow=True)


async def _migrated(url: str) -> None:
    database = await Database.open(url, Bell())
    await migrate(database)
    await database.close()
