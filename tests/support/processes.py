"""The town as separate processes, so that each can be killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
CLERK, CLERK_PASSWORD = "clerk", "a-clerk-for-tests"
_STOP_SECONDS = 20


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    return _parent(pid) is not None


def family(pid: int) -> dict[int, str]:
    """Everything that descends from a process, by id, and how each was called."""
    parents = {int(path.name): _parent(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdecimal()}
    found, fresh = set[int](), {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh}
        found |= fresh
    return {child: called for child in found if (called := _called(child))}


def _parent(pid: int) -> int | None:
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return None if state == "Z" else int(parent)


def _called(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


class Process:
    """One program, `python` if none is named, at home in the tree; its output goes to a file that a failing test prints."""

    def __init__(
        self,
        name: str,
        arguments: list[str],
        environment: Mapping[str, str],
        folder: Path,
        *,
        program: str = sys.executable,
        home: Path = ROOT,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.kills = 0
        self._words = [program, *arguments]
        self._home = home
        kept = {key: value for key, value in os.environ.items() if not key.startswith("MOBILE_API_")}
        self._environment = {**kept, **environment}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Its process id, which is also the id of its session and group."""
        assert self._process is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """What it ended with; None while it runs."""
        return self._process.returncode if self._process is not None else None

    async def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._words, env=self._environment, cwd=self._home, stdout=log, stderr=log, start_new_session=True
            )

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        if self._process is None or self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self.kills += 1

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """End it the orderly way; its exit code, or -9 if it had to be killed."""
        if self._process is None:
            return 0
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            await self.kill()
        return int(self._process.returncode or 0)

    def said(self) -> str:
        """What it has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""


@dataclass(frozen=True, slots=True)
class Parts:
    """Makes the programs of one town: database and Redis by their addresses, everything else in a folder."""

    folder: Path
    database: str
    redis: str
    port: int
    wechat_port: int

    @property
    def base_url(self) -> str:
        """Where the server answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def wechat_url(self) -> str:
        """Where the stand-in of WeChat answers."""
        return f"http://127.0.0.1:{self.wechat_port}"

    def environment(self, **more: str) -> dict[str, str]:
        """The settings of this town's server."""
        settings = {
            "DATABASE__URL": self.database,
            "REDIS__URL": self.redis,
            "REDIS__DIR": str(self.folder / "valkey"),
            "FILES__URL": f"file://{self.folder / 'files'}",
            "SECRETS__DIR": str(self.folder / "secrets"),
            "WECHAT__BASE_URL": self.wechat_url,
            "HTTP__PORT": str(self.port),
            "HTTP__PACE_FACTOR": "0",
            "EXCHANGE__LEASE_SECONDS": "2",
            "EXCHANGE__RESEND_SECONDS": "2",
            "NOTIFY__POLL_SECONDS": "0.2",
            **more,
        }
        return {f"MOBILE_API_{name}": value for name, value in settings.items()}

    def server(self, only: str = "", name: str = "", **settings: str) -> Process:
        """`mobile-api serve`, everything or the carriers that `only` names."""
        words = ["-m", "mobile_api", "serve", *(["--only", only] if only else [])]
        return Process(name or only or "server", words, self.environment(**settings), self.folder)

    def wechat(self) -> Process:
        """The stand-in of the WeChat platform, which remembers over a restart."""
        callback = f"{self.base_url}/api/v1/wechat/push"
        words = ["--port", str(self.wechat_port), "--state", str(self.folder / "wechat.db"), "--callback", callback]
        return Process("wechat", ["-m", "sandbox.wechat", *words], {}, self.folder)

    def departments(self, redis: str = "", delay: float = 0.02, **faults: float) -> Process:
        """Every department's own system, which remembers over a restart."""
        rates = [word for name, rate in faults.items() for word in ("--faults", f"{name}={rate}")]
        words = ["--redis", redis or self.redis, "--data", str(self.folder / "departments.db"), "--tables", "config/departments"]
        more = ["--delay", str(delay), "--resend-seconds", "2", "--seed", "1", *rates]
        return Process("departments", ["-m", "sandbox.departments", *words, *more], {}, self.folder)

    def journey(self, *words: str, patience: float = 60.0) -> Process:
        """`mobile-api journey` against this town."""
        always = ["--base-url", self.base_url, "--patience", str(patience), "--staff", f"{CLERK}:{CLERK_PASSWORD}"]
        return Process("journey", ["-m", "mobile_api", "journey", *always, *words], {}, self.folder)

    async def add_clerk(self) -> None:
        """The clerk who scans codes, added by the command that a town would use."""
        words = ["user", "add", "--username", CLERK, "--name", "李窗口", "--role", "clerk", "--hall", "便民服务大厅", "--password-stdin"]
        await succeeds([sys.executable, "-m", "mobile_api", *words], CLERK_PASSWORD, self.environment())


async def succeeds(words: list[str], told: str = "", environment: Mapping[str, str] | None = None, folder: Path = ROOT) -> str:
    """Run a program to its end and give what it wrote; fails with its words if it does."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *words, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT, env={**os.environ, **(environment or {})}, cwd=folder
    )
    out, _ = await process.communicate(f"{told}\n".encode())
    assert process.returncode == 0, f"{' '.join(words)} ended with {process.returncode}:\n{out.decode()}"
    return out.decode()


async def plays(journey: Process, seconds: float = 90.0) -> str:
    """Run a journey to its end; what it said. Fails with that, if a step did not hold."""
    await journey.start()
    await until(lambda: journey.returncode is not None, "the journey's end", seconds)
    assert journey.returncode == 0, journey.said()
    return journey.said()


async def answers(url: str, seconds: float = 30.0) -> None:
    """Wait until an address answers 200."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:

        async def asked() -> bool:
            with suppress(aiohttp.ClientError, TimeoutError):
                async with http.get(url) as response:
                    return response.status == 200
            return False

        await until(asked, f"an answer of {url}", seconds)


async def until(look: Callable[[], bool | Awaitable[bool]], wanted: str, seconds: float = 30.0) -> None:
    """Look again and again until it is so; fails with what was wanted when the time is over."""
    try:
        async with asyncio.timeout(seconds):
            while not (await seen if isinstance(seen := look(), Awaitable) else seen):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{wanted} did not come within {seconds:.0f} s") from None


@asynccontextmanager
async def running(*processes: Process) -> AsyncIterator[None]:
    """Start the processes in order and stop them in reverse; when the test fails, say what they said last."""
    try:
        for process in processes:
            await process.start()
        yield
    except BaseException as error:
        for process in processes:
            error.add_note(f"--- {process.name} ({process.returncode}):\n{process.said()[-2000:]}")
        raise
    finally:
        for process in reversed(processes):
            await process.stop()
