"""A child that a hostile file has taken over can compute, and nothing else."""

from __future__ import annotations

import asyncio
import os
import platform
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.media import Laundry

ROOT = Path(__file__).parents[2]
LOCKED = """
import ctypes, os, socket, subprocess, sys
from handlers.media_confinement import limit, lock
from handlers.media_limits import Limits
limit(Limits())
assert lock()
try:
    {act}
except (PermissionError, MemoryError) as error:
    print(type(error).__name__, flush=True)
else:
    print("done", flush=True)
"""
PARENT = """
import asyncio
from handlers.media import Laundry

async def main():
    laundry = Laundry()
    await laundry.warm()
    print(laundry._idle[0].process.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""

needs_lock = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"}, reason="the lock is made for Linux on x86-64 and arm64"
)


def attempt(act: str) -> str:
    words, environment = [sys.executable, "-c", LOCKED.format(act=act)], {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False)
    return ended.stdout.strip() or f"ended by {-ended.returncode}"


@needs_lock
@pytest.mark.parametrize(
    "act",
    [
        "open('/etc/passwd').read()",
        "os.open('/tmp', os.O_RDONLY)",
        "socket.socket()",
        "socket.socket(socket.AF_UNIX)",
        "os.execv('/bin/true', ['true'])",
        "subprocess.run(['/bin/true'])",
        "os.kill(os.getppid(), 0)",
        "os.unlink('/tmp/no-such-file')",
        "os.listdir('/')",
        "os.mkdir('/tmp/no-such-folder')",
        "os.chmod('/', 0o755)",
    ],
)
def test_files_sockets_programs_and_other_processes_are_out_of_reach(act: str):
    assert attempt(act) == "PermissionError"


@needs_lock
def test_plain_computing_goes_on():
    assert attempt("sum(bytes(10_000_000))") == "done"


@needs_lock
def test_memory_ends_at_the_limit():
    assert attempt("bytearray(1100 << 20)") == "MemoryError"


@needs_lock
def test_the_lock_cannot_be_opened_again():
    assert attempt("ctypes.CDLL(None).prctl(22, 0, 0, 0, 0) == 0 and sys.exit(5) or open('/etc/passwd')") == "PermissionError"


async def test_the_child_learns_nothing_from_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    report = tmp_path / "environment"
    spy = tmp_path / "spy"
    spy.write_text(f"#!/bin/sh\nenv > {report}\npwd >> {report}\nls -l /proc/$$/fd | wc -l >> {report}\n")
    spy.chmod(0o700)
    monkeypatch.setenv("MOBILE_API_WECHAT__SECRET", "very-secret")
    monkeypatch.setattr(sys, "executable", str(spy))
    laundry = Laundry()
    await laundry.clean(0, _nothing())
    await laundry.close()
    assert "very-secret" not in report.read_text()
    assert "MOBILE_API" not in report.read_text()


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


@needs_lock
async def test_a_child_does_not_outlive_its_parent():
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    child = int(await parent.stdout.readline())
    assert Path(f"/proc/{child}").exists()
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(10):
        while _alive(child):
            await asyncio.sleep(0.01)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
