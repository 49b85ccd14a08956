"""Carriers of files, each in a process of its own that ends by kill -9 at a step it is told: `python -m tests.support.doomed_carrier`.

For each line `point when` on its input the program forks a carrier, so that the imports are paid once, and says how that ended.
"""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backoffice import file_folder, file_format
from backoffice.counts import Counts
from backoffice.file_batches import FileCarrier, files_lease
from backoffice.intake import Intake
from handlers.catalogue import Catalogue, Department
from handlers.keys import Keys
from handlers.media import Laundry
from handlers.office import Office
from handlers.workdays import WorkCalendar
from storage import file_batches, journal, leases
from storage.bell import Bell
from storage.blocks import Blocks
from storage.clock import SystemClock
from storage.database import Database
from storage.files import open_files
from storage.fleeting import Fleeting
from tests.support.exchange import DIVISION, Ledger
from tests.support.gatekept import HASTY

POINTS: dict[str, tuple[Any, str]] = {
    "post": (journal, "post"),
    "make": (file_batches, "make"),
    "compose": (file_format, "compose"),
    "fsync": (os, "fsync"),
    "rename": (Path, "rename"),
    "sync": (file_folder, "_sync"),
    "confirm": (journal, "confirm"),
    "settle": (file_batches, "settle"),
    "take": (file_batches, "take"),
    "effect": (Intake, "take"),
    "acknowledge": (file_format, "compose_ack"),
    "unlink": (Path, "unlink"),
}
"""Steps at which the process can end: where each is found."""


def doom(point: str, when: str) -> None:
    """End at the first call of a step: before it happens, or after."""
    owner, name = POINTS[point]
    real: Callable[..., Any] = getattr(owner, name)

    def end() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if asyncio.iscoroutinefunction(real):

        @functools.wraps(real)
        async def last(*arguments: Any, **more: Any) -> Any:
            if when == "after":
                await real(*arguments, **more)
            end()

        setattr(owner, name, last)
    else:

        @functools.wraps(real)
        def last_one(*arguments: Any, **more: Any) -> Any:
            if when == "after":
                real(*arguments, **more)
            end()

        setattr(owner, name, last_one)


async def carry(url: str, folder: Path, exchange: str) -> None:
    """Carry for ever, or until the end."""
    database = await Database.open(url, Bell())
    department = Department(
        code="MZ", name="民政办", unit="示例镇", link="files", address=exchange, partitions=2, consult_phone="1", complaint_phone="2"
    )
    nothing: Any = None
    office = Office(
        database=database, bell=Bell(), clock=SystemClock(), catalogue=Catalogue(items=[], departments=[department]),
        calendar=WorkCalendar(), keys=Keys.load(folder / "secrets"), files=open_files(f"file://{folder}/files"), laundry=Laundry(),
        fleeting=Fleeting(nothing), numbers=Blocks(database), division=DIVISION, town="示例镇", hotline="1", public_base="http://127.0.0.1",
    )  # fmt: skip
    fence = await leases.acquire(database, files_lease("MZ"), "doomed", office.clock.now(), 1e6)
    assert fence
    carrier = FileCarrier(
        office, department, lease=lambda: (files_lease("MZ"), "doomed", fence), counts=Counts(), pace=HASTY, effect=Ledger().record
    )
    await carrier.begin()
    while True:
        await carrier.step()
        await asyncio.sleep(0.01)


def main(url: str, folder: Path, exchange: str) -> None:
    """One carrier a line."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            doom(*line.split())
            asyncio.run(carry(url, folder, exchange))
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{ended}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
