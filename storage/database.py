"""One database behind two dialects: the same SQL runs on SQLite and on PostgreSQL (decision 4)."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg
from tortoise.backends.asyncpg.client import TransactionWrapper
from tortoise.backends.sqlite.client import SqliteTransactionWrapper
from tortoise.context import TortoiseContext, _current_context
from tortoise.exceptions import IntegrityError, OperationalError

from storage.bell import Bell
from storage.errors import Conflict, StoreUnavailable

Row = dict[str, Any]

_PLACEHOLDER = re.compile(r"\$(\d+)")
_SQLITE_PRAGMAS = {"busy_timeout": "10000", "case_sensitive_like": "ON", "synchronous": "FULL", "foreign_keys": "ON"}
_CONNECT_SECONDS = 10.0
_COMMAND_SECONDS = 60.0


class Queries:
    """Reading and writing by raw SQL with `$1` placeholders; the part a database and a transaction share.

    Column names carry their type, so that both dialects give back the same values: `*_at` is an aware
    UTC datetime, `*_on` a date, `is_*` a boolean. Ids are strings, JSON columns are JSON text.
    """

    def __init__(self, client: Any, dialect: str) -> None:
        self.client = client
        self.dialect = dialect

    async def rows(self, sql: str, *arguments: object) -> list[Row]:
        """All rows of a query, or of a statement with RETURNING; raises Conflict or StoreUnavailable."""
        with _translated:
            if self.dialect == "postgres":
                return await self._fetch(sql, arguments)
            found = await self.client.execute_query_dict(_numbered(sql), [_to_sqlite(value) for value in arguments])
        return [_from_sqlite(row) for row in found]

    # The driver itself is asked: an act of an officer waits for some twenty statements.
    async def _fetch(self, sql: str, arguments: Sequence[object]) -> list[Row]:
        async with self.client.acquire_connection() as connection:
            return [dict(record) for record in await connection.fetch(sql, *arguments)]

    async def one(self, sql: str, *arguments: object) -> Row | None:
        """The first row, or None."""
        found = await self.rows(sql, *arguments)
        return found[0] if found else None

    async def execute(self, sql: str, *arguments: object) -> None:
        """A statement whose answer nobody needs."""
        await self.rows(sql, *arguments)

    async def execute_many(self, sql: str, arguments: Iterable[Sequence[object]]) -> None:
        """The same statement for many rows, in one go."""
        rows = [list(row) for row in arguments]
        if not rows:
            return
        if self.dialect == "sqlite":
            sql, rows = _numbered(sql), [[_to_sqlite(value) for value in row] for row in rows]
        with _translated:
            await self.client.execute_many(sql, rows)


class Transaction(Queries):
    """Statements that take effect together; what is rung here sounds after the commit."""

    def __init__(self, client: Any, dialect: str) -> None:
        super().__init__(client, dialect)
        self.rung: set[str] = set()
        self.after: list[Callable[[], None]] = []

    async def _fetch(self, sql: str, arguments: Sequence[object]) -> list[Row]:
        fetch = self.client._connection.fetch  # noqa: SLF001 - a transaction has its connection, one statement at a time
        return [dict(record) for record in await fetch(sql, *arguments)]

    def ring(self, topic: str) -> None:
        """Wake the readers of `topic` once this transaction is committed (decision 7)."""
        self.rung.add(topic)

    def after_commit(self, act: Callable[[], None]) -> None:
        """Do a thing of this process (forget a cached row, say) once this transaction is committed."""
        self.after.append(act)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that may fail alone: its exception undoes the part, and the transaction can go on."""
        async with self.client._in_transaction():  # noqa: SLF001 - tortoise's only handle for a nested transaction
            yield


class Database(Queries):
    """An open database; `transaction()` = commit, then ring."""

    # Tortoise's models are classes, so that what it prepares them with is this process's: once for a dialect, at 15 ms of CPU.
    _models_are_for: ClassVar[str] = ""

    def __init__(self, context: TortoiseContext, dialect: str, bell: Bell) -> None:
        super().__init__(context.db(), dialect)
        self._context = context
        self._bell = bell

    @classmethod
    async def open(cls, url: str, bell: Bell, *, pool: int = 10) -> Database:
        """Connect to `sqlite://path` or `postgres://...`; raises ValueError or StoreUnavailable, both name the setting."""
        try:
            connection, dialect = _connection(url, pool)
        except OSError as error:
            raise StoreUnavailable(f"database.url (MOBILE_API_DATABASE__URL) cannot be used: {error}") from error
        context = TortoiseContext()
        context.__enter__()
        is_first = cls._models_are_for != dialect
        # The alias names the dialect: tortoise caches statements by alias and table.
        await context.init(
            config={
                "connections": {dialect: connection},
                "apps": {
                    "storage": {
                        "models": ["storage.models", "storage.exchange_models", "storage.office_models"],
                        "default_connection": dialect,
                    }
                },
                "use_tz": True,
                "timezone": "UTC",
            },
            init_connections=is_first,
        )
        cls._models_are_for = dialect
        database = cls(context, dialect, bell)
        try:
            await database.one("SELECT 1 AS ready")
        except (StoreUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error, TypeError) as error:
            await database.close()  # TypeError: asyncpg does not know an option of the address
            raise StoreUnavailable(f"database.url (MOBILE_API_DATABASE__URL) cannot be used: {error}") from error
        return database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Run statements together; all take effect, or none if the block raises or is cancelled."""
        begun = (_sqlite_transaction if self.dialect == "sqlite" else _postgres_transaction)(self.client)
        with _translated:
            client = await begun.__aenter__()
        work = Transaction(client, self.dialect)
        try:
            with self._ambient(client):
                yield work
        except BaseException as error:
            with suppress(Exception):  # on a lost connection there is nothing to roll back; what went wrong first is what matters
                await begun.__aexit__(type(error), error, error.__traceback__)
            raise
        with _translated:
            await begun.__aexit__(None, None, None)
        for act in work.after:
            act()
        for topic in work.rung:
            self._bell.ring(topic)

    async def execute_many(self, sql: str, arguments: Iterable[Sequence[object]]) -> None:
        """The same statement for many rows, all or none."""
        async with self.transaction() as tx:
            await tx.execute_many(sql, arguments)

    async def close(self) -> None:
        """Close every connection; the interpreter cannot end before."""
        await self._context.close_connections()

    @contextmanager
    def _ambient(self, client: Any) -> Iterator[None]:
        """Models that are used within the block speak to this database, within this transaction."""
        here = _current_context.set(self._context)
        token = self._context.connections.set(self.dialect, client)
        try:
            yield
        finally:
            self._context.connections.reset(token)
            _current_context.reset(here)


# Both are written here because tortoise's own keep the lock (SQLite) or the connection (PostgreSQL) for ever
# if the task is cancelled, or the database is busy, while they begin.
@asynccontextmanager
async def _sqlite_transaction(parent: Any) -> AsyncIterator[Any]:
    """The write lock is taken at once: a transaction that reads first could not get it later."""
    async with parent.acquire_connection() as connection:
        try:
            if connection.in_transaction:  # left by a statement whose task was cancelled
                await connection.rollback()
            await connection.execute("BEGIN IMMEDIATE")
            yield SqliteTransactionWrapper(parent)
            await connection.commit()
        except BaseException:
            await connection.rollback()
            raise


@asynccontextmanager
async def _postgres_transaction(parent: Any) -> AsyncIterator[Any]:
    async with parent.acquire_connection() as connection, connection.transaction():
        client = TransactionWrapper(parent)
        client._connection = connection  # noqa: SLF001 - what tortoise's own context does
        yield client


_SQLITE_DOWN = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
}  # fmt: skip
_POSTGRES_DOWN = (
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.TransactionRollbackError,
    asyncpg.InternalClientError,  # what a connection answers that the server ended while it was idle
)


class _Translated:
    """The drivers' errors in storage's own words. Every statement passes here, so that it is no generator."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            return
        if isinstance(error, IntegrityError | asyncpg.IntegrityConstraintViolationError):
            raise Conflict(str(error).partition("\n")[0]) from None
        if isinstance(error, OperationalError | asyncpg.DataError):
            raise _operational(error) from None
        if (trouble := _outage(error)) is not None:
            raise StoreUnavailable(trouble) from error


_translated = _Translated()


def _outage(error: BaseException) -> str | None:
    """What is said of a store that does not answer; None for every other error."""
    if isinstance(error, sqlite3.OperationalError):
        return _told(error)
    if isinstance(error, (OSError, *_POSTGRES_DOWN)):
        return f"{type(error).__name__}: {error}"
    text = str(error) if isinstance(error, asyncpg.InterfaceError) else ""
    return text if "clos" in text or "released" in text else None  # the connection was lost, or the pool is closing


def _told(error: sqlite3.Error) -> str:
    busy = error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return f"{error}: another program is writing to it; end that one (a copy, a tool), or try again later" if busy else str(error)


def _operational(error: OperationalError | asyncpg.DataError) -> Exception:
    """Without the values of the row, which PostgreSQL's texts name behind a colon."""
    cause = error.args[0] if isinstance(error, OperationalError) and error.args else error
    if isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode & 0xFF in _SQLITE_DOWN:
        return StoreUnavailable(_told(cause))
    return OperationalError(str(cause).partition(":")[0]) if isinstance(cause, asyncpg.DataError) else error


def _connection(url: str, pool: int) -> tuple[dict[str, Any], str]:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        path = url.removeprefix("sqlite://")
        file = Path(path).expanduser().absolute()
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_dir():
            raise IsADirectoryError(f"{file} is a folder: name the file in it, such as town.db")
        credentials = {"file_path": path, **_SQLITE_PRAGMAS}
        return {"engine": "tortoise.backends.sqlite", "credentials": credentials}, "sqlite"
    if parts.scheme in {"postgres", "postgresql"}:
        return {"engine": "tortoise.backends.asyncpg", "credentials": _postgres(url, pool)}, "postgres"
    message = f"database.url must begin with sqlite:// or postgres://, not {parts.scheme or 'nothing'}://"
    raise ValueError(message)


def _postgres(url: str, pool: int) -> dict[str, Any]:
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if "sslmode" in options:
        options["ssl"] = options.pop("sslmode")
    return {
        "host": options.pop("host", None) or parts.hostname or "127.0.0.1",
        "port": parts.port or 5432,
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password) if parts.password else None,
        "database": unquote(parts.path.lstrip("/")),
        "minsize": 1,
        "maxsize": pool,
        "reset": _keep,
        "timeout": _CONNECT_SECONDS,
        "command_timeout": _COMMAND_SECONDS,
        **options,
    }


async def _keep(_connection: object) -> None:
    """Spare the reset query at every release of a connection: only transaction-level state is used."""


@lru_cache(maxsize=2048)
def _numbered(sql: str) -> str:
    return _PLACEHOLDER.sub(r"?\1", sql)


def _to_sqlite(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def _from_sqlite(row: Row) -> Row:
    for name, value in row.items():
        if value is None:
            continue
        if name.startswith("is_"):
            row[name] = bool(value)
        elif name.endswith("_at"):
            row[name] = dt.datetime.fromisoformat(value)
        elif name.endswith("_on"):
            row[name] = dt.date.fromisoformat(value)
    return row
