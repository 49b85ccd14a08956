"""The machine under a benchmark: which core does what, and the processes that serve."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from urllib.error import URLError
from urllib.request import urlopen

from storage.valkey import EmbeddedValkey
from tests.support import postgres
from tests.support.apart import run_apart

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60.0


def cores() -> tuple[int, int]:
    """The core of the server that is measured, and the core of everything else (the same one where there is only one)."""
    known = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    return known[0], known[-1]


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """This process, and what it starts meanwhile, stays on one core, where the system knows how."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class Server:
    """A server process that listens."""

    port: int
    process_id: int

    def cpu_seconds(self) -> float:
        """The CPU time it has used up to now; 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self.process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def postgres_server(core: int) -> Iterator[postgres.PostgresServer]:
    """A PostgreSQL of our own with its defaults: fsync and synchronous_commit are on."""
    with on_core(core):
        server = postgres.start(safe=True)
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def valkey_server(folder: Path, core: int) -> Iterator[str]:
    """A Valkey of our own; its address."""
    server = EmbeddedValkey(folder)
    with on_core(core):
        url = run_apart(server.start())
    try:
        yield url
    finally:
        run_apart(server.stop())


@contextlib.contextmanager
def town_server(environment: Mapping[str, str], core: int, log: Path, only: str = "api") -> Iterator[Server]:
    """The product as its command starts it, on one core, once it is ready."""
    port = _free_port()
    command = [sys.executable, "-m", "mobile_api", "serve", "--only", only, "--port", str(port)]
    with log.open("ab") as lines, on_core(core), Popen(command, cwd=ROOT, env={**os.environ, **environment}, stderr=lines) as process:
        try:
            _wait_ready(process, port, log)
            with on_core(cores()[1]):
                yield Server(port, process.pid)
        finally:
            process.terminate()


@contextlib.contextmanager
def peer_server(kind: str, *arguments: str, core: int) -> Iterator[Server]:
    """A server to compare with (benchmarks/peers.py), on one core."""
    command = [sys.executable, "-m", "benchmarks.peers", kind, *arguments]
    with on_core(core), Popen(command, cwd=ROOT, stdout=PIPE, stderr=DEVNULL) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            port = int(process.stdout.readline())
            with on_core(cores()[1]):
                yield Server(port, process.pid)
        finally:
            process.terminate()


def _wait_ready(process: Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1).close()
        except (URLError, OSError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"The server did not start:\n{log.read_text(errors='replace')[-2000:]}") from None
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
