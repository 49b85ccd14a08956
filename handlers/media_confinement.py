"""How the media child locks itself up: little memory and time, then no file, no socket, no other program."""

from __future__ import annotations

import ctypes
import platform
import resource
import signal
import sys

from handlers.media_limits import Limits

# The calls that decoding needs, by number on x86-64 and on arm64 (Linux unistd headers). `open` and `socket` are not among them.
_CALLS = {
    "x86_64": (0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 17, 19, 20, 24, 25, 28, 35, 38, 39, 56, 60, 98, 99, 100, 131, 186, 202, 204,
               219, 228, 230, 231, 234, 273, 318, 324, 334),
    "aarch64": (57, 62, 63, 64, 65, 66, 67, 80, 93, 94, 98, 99, 101, 103, 113, 115, 123, 124, 128, 131, 132, 134, 135, 139, 153, 165,
                172, 178, 179, 214, 215, 216, 220, 222, 226, 233, 278, 283, 293),
}  # fmt: skip
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050001
_PDEATHSIG, _DUMPABLE, _SECCOMP, _NO_NEW_PRIVS = 1, 4, 22, 38
_FILTER = 2


def limit(limits: Limits) -> None:
    """Bound memory, time of the whole life, files and dumps; die with the parent. Call before anything else is loaded."""
    life = int(limits.cpu_seconds * (limits.uses + 1)) + 60
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, life),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_DUMPABLE, 0)


def lock() -> bool:
    """Give up every system call but those of plain computing, for good; False where the kernel or machine offers no such lock."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _CALLS:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    rules = _rules(machine)
    program = (_Rule * len(rules))(*rules)
    handle = _Program(len(rules), ctypes.cast(program, ctypes.POINTER(_Rule)))
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_SECCOMP, _FILTER, ctypes.byref(handle), 0, 0) == 0)


def start_cpu_clock(seconds: float) -> None:
    """End the process once it has computed this long for the file at hand (SIGPROF, whose default is to terminate)."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


class _Rule(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("rules", ctypes.POINTER(_Rule)))


def _rules(machine: str) -> list[_Rule]:
    """A filter: other architectures die, listed calls pass, all else is refused with EPERM."""
    numbers = _CALLS[machine]
    rules = [_Rule(_LOAD, 0, 0, 4), _Rule(_EQUAL, 1, 0, _ARCHITECTURE[machine]), _Rule(_RETURN, 0, 0, _KILL), _Rule(_LOAD, 0, 0, 0)]
    rules += [_Rule(_EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)]
    return [*rules, _Rule(_RETURN, 0, 0, _REFUSE), _Rule(_RETURN, 0, 0, _ALLOW)]
