"""Nothing outlives a run: a process bound here is killed by the kernel when the one that started it ends, however it ends.

`python -m tests.chaos.exchange.bound PROGRAM WORDS...` binds a foreign program.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1  # prctl(2), PR_SET_PDEATHSIG: kept over execve


def to_parent() -> None:
    """Die with the parent; where the system cannot do that (it is Linux's), nothing happens."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


if __name__ == "__main__":
    to_parent()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the machine names the program
