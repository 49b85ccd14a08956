"""The run's own PostgreSQL, with fsync as in production, so that it can be killed -9 and started again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.support.postgres import START_SECONDS, Account, NoPostgresError, _environment, _find, _usable
from tests.support.processes import alive, family, until

# The folder is $1, the programs are in $2. Every line that is read starts the server (a second one refuses to start), the end of
# the input, also by the death of the process that holds its other end, is the end of everything.
_KEEPER = """
umask 077
"$2/initdb" -D "$1/data" -U postgres -A trust --locale=C -E UTF8 --no-sync >"$1/log" 2>&1 || exit 1
while read -r _; do
    "$2/postgres" -D "$1/data" -k "$1" -c listen_addresses= -c max_connections=60 >>"$1/log" 2>&1 &
done
while [ -f "$1/data/postmaster.pid" ] && kill -INT "$(head -n 1 "$1/data/postmaster.pid")" 2>/dev/null; do sleep 0.05; done
cd /; rm -rf "$1"
"""


class Cluster:
    """One server in a folder of its own. Raises NoPostgresError where the machine has no PostgreSQL."""

    def __init__(self) -> None:
        account = Account.choose()
        self.folder = Path(tempfile.mkdtemp(prefix="chaos-pg-"))
        try:
            account.own(self.folder)
            programs = _usable(_find(), self.folder, account)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.socket = self.folder / ".s.PGSQL.5432"
        self.url = f"postgres://postgres@/postgres?host={self.folder}"
        words = ["/bin/sh", "-c", _KEEPER, "keeper", str(self.folder), str(programs)]
        self._keeper = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd=self.folder,
            start_new_session=True,
            **account.keywords,
        )

    async def start(self) -> None:
        """Start it, or start it again after `kill`, and wait until it has recovered."""
        before = self._pid()
        while self._pid() in {None, before} or self._status() != "ready":
            self._say_start()
            with suppress(AssertionError):  # the dead one's memory may still be in use: the new one refuses and is asked again
                await until(lambda: self._pid() not in {None, before} and self._status() == "ready", "PostgreSQL", 5)

    def _say_start(self) -> None:
        if self._keeper.poll() is not None:
            raise NoPostgresError(f"initdb failed: {(self.folder / 'log').read_text(errors='replace')[-2000:]}")
        assert self._keeper.stdin is not None
        self._keeper.stdin.write(b"start\n")
        self._keeper.stdin.flush()

    async def kill(self) -> None:
        """kill -9 of the server and of every process that works for it."""
        pid = self._pid()
        assert pid is not None
        everyone = [pid, *family(pid)]
        for one in everyone:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        await until(lambda: not any(alive(one) for one in everyone), "the end of PostgreSQL")

    async def stop(self) -> None:
        """End it, and the folder with it."""
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        await asyncio.to_thread(self._keeper.wait, START_SECONDS)

    def _pid(self) -> int | None:
        lines = self._lines()
        return int(lines[0]) if lines and lines[0].isdecimal() else None

    def _status(self) -> str:
        lines = self._lines()
        return lines[7].strip() if len(lines) > 7 else ""

    def _lines(self) -> list[str]:
        try:
            return (self.folder / "data" / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []
