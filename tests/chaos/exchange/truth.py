"""The run's own database, which holds the truth: an SQLite file on a small disk, or a PostgreSQL that can be killed."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from storage.bell import Bell
from storage.database import Database
from storage.migrate import migrate
from tests.chaos.exchange.cluster import Cluster
from tests.chaos.exchange.disk import SmallDisk
from tests.support.exchange import add_case, add_resident

CASES = 12


class SqliteTruth:
    """A file that all processes share."""

    def __init__(self, folder: Path) -> None:
        self.disk = SmallDisk(folder / "town")
        self.url = f"sqlite://{self.disk.folder / 'town.db'}"

    async def start(self) -> None:
        """Make the tables and some cases."""
        await _furnish(self.url)

    async def stop(self) -> None:
        """End its disk."""
        self.disk.unmount()


class PostgresTruth:
    """A server; each process has its own link to `cluster.socket`."""

    def __init__(self) -> None:
        self.cluster = Cluster()
        self.url = self.cluster.url

    async def start(self) -> None:
        """Start the server, make the tables and some cases."""
        await self.cluster.start()
        await _furnish(self.url)

    async def stop(self) -> None:
        """End the server."""
        await self.cluster.stop()


def through(port: int) -> str:
    """The address of the PostgreSQL behind a link."""
    return f"postgres://{quote('postgres')}@127.0.0.1:{port}/postgres?sslmode=disable"


async def _furnish(url: str) -> None:
    database = await Database.open(url, Bell())
    try:
        await migrate(database)
        resident = await add_resident(database)
        for n in range(CASES):
            await add_case(database, resident, f"26112400{n:02}")
    finally:
        await database.close()
