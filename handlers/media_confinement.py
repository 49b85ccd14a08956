"""How the media child locks itself up: little memory and time, then no file, no socket, no other program."""

from __future__ import annotations

import ctypes
import platform
import resource
import signal
import sys

from handlers.media_limits import Limits

# The calls that decoding needs, by number on x86-64 and on arm64 (Linux unistd headers). `open`, `socket` and `execve` are not here.
_CALLS = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "pread64": (17, 67),
    "readv": (19, 65),
    "writev": (20, 66),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "nanosleep": (35, 101),
    "setitimer": (38, 103),
    "getpid": (39, 172),
    "clone": (56, 220),
    "exit": (60, 93),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "times": (100, 153),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "tgkill": (234, 131),
    "set_robust_list": (273, 99),
    "getrandom": (318, 278),
    "membarrier": (324, 283),
    "rseq": (334, 293),
}
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _KILL, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
_CLONE3 = 435  # its flags lie in memory, where a filter cannot look; told it is unknown (ENOSYS), libc starts threads by clone
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
    if sys.platform != "linux" or machine not in _MACHINES:
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
    column, architecture = _MACHINES[machine]
    numbers = [call[column] for call in _CALLS.values()]
    rules = [_Rule(_LOAD, 0, 0, 4), _Rule(_EQUAL, 1, 0, architecture), _Rule(_RETURN, 0, 0, _KILL), _Rule(_LOAD, 0, 0, 0)]
    rules += [_Rule(_EQUAL, 0, 1, _CLONE3), _Rule(_RETURN, 0, 0, _UNKNOWN)]
    rules += [_Rule(_EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)]
    return [*rules, _Rule(_RETURN, 0, 0, _REFUSE), _Rule(_RETURN, 0, 0, _ALLOW)]
