"""A town, its departments and its stores as processes that can be struck one by one."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.chaos.check import read
from tests.chaos.exchange.department_book import open_lines
from tests.chaos.exchange.pipe import Pipe
from tests.chaos.exchange.plan import DEPARTMENTS, OFFICES, WORKERS, WRITERS, Plan
from tests.chaos.exchange.proxy import Proxy
from tests.chaos.exchange.shifted import shift
from tests.chaos.exchange.truth import PostgresTruth, SqliteTruth, through
from tests.support.processes import Process, until

_OPEN = "SELECT count(*) AS number FROM outbox WHERE confirmed_at IS NULL"
_HEARD = "SELECT count(DISTINCT actor_id) AS number FROM case_event"


class World:
    """Everything there is. `links` are the cables to Redis and `database_links` those to PostgreSQL, by the name of their user."""

    def __init__(self, plan: Plan, folder: Path, truth: SqliteTruth | PostgresTruth, pipe: Pipe) -> None:
        self.plan = plan
        self.folder = folder
        self.truth = truth
        self.pipe = pipe
        self.links = {name: Proxy(pipe.socket) for name in (*WORKERS, *OFFICES)}
        users = (*WORKERS, *WRITERS) if isinstance(truth, PostgresTruth) else ()
        self.database_links = {name: Proxy(truth.cluster.socket) for name in users} if isinstance(truth, PostgresTruth) else {}
        self.processes: dict[str, Process] = {}
        self.ended: list[str] = []
        """Processes that ended by themselves, with their last words."""

    @property
    def books(self) -> Path:
        """Where writers keep what they were told."""
        return self.folder / "books"

    def book_of(self, office: str) -> Path:
        """What a department keeps."""
        return self.folder / f"{office}.db"

    def clock_of(self, worker: str) -> Path:
        """The file that says how wrong a worker's clock is."""
        return self.folder / f"{worker}.clock"

    async def start(self) -> None:
        """Lay the cables and start every process."""
        self.books.mkdir()
        ports = {name: await link.start() for name, link in self.links.items()}
        addresses = {name: through(await link.start()) for name, link in self.database_links.items()}
        for name in WORKERS:
            self._add_worker(name, addresses.get(name, self.truth.url), ports[name])
        for name in OFFICES:
            self._add_department(name, ports[name])
        for name in WRITERS:
            self._add_writer(name, addresses.get(name, self.truth.url))
        for process in self.processes.values():
            await process.start()

    def _add_worker(self, name: str, database: str, port: int) -> None:
        shift(self.clock_of(name), 0)
        words = ["--name", name, "--database", database, "--redis", f"redis://127.0.0.1:{port}", "--clock", str(self.clock_of(name))]
        self._add(name, "worker", *words, "--control", self.plan.control, *_DEPARTMENTS)

    def _add_department(self, name: str, port: int) -> None:
        code = name.removeprefix("department-")
        words = ["--code", code, "--redis", str(port), "--book", str(self.book_of(name)), "--partitions", str(DEPARTMENTS[code])]
        self._add(name, "department", *words, *(["--leave-early"] if self.plan.leaves_early else []))

    def _add_writer(self, name: str, database: str) -> None:
        words = ["--name", name, "--database", database, "--books", str(self.books)]
        self._add(name, "writer", *words, "--seed", str(self.plan.seed), "--pace", str(self.plan.pace), *_DEPARTMENTS)

    def _add(self, name: str, program: str, *words: str) -> None:
        self.processes[name] = Process(name, ["-m", f"tests.chaos.exchange.{program}", *words], {}, self.folder)

    async def watch(self) -> None:
        """Start again, for ever, what ended by itself, and remember that it did."""
        while True:
            for name, process in self.processes.items():
                if process.returncode not in {None, -signal.SIGKILL}:
                    self.ended.append(f"{name} ended with {process.returncode}: {process.said()[-500:]}")
                    await process.start()
            await asyncio.sleep(0.2)

    async def begun(self) -> None:
        """Until a message to each department has gone the whole way and back."""

        async def is_heard() -> bool:
            return int((await read(self.truth.url, _HEARD))[0]["number"]) == len(DEPARTMENTS)

        await until(is_heard, "the first answer's effect", 120)

    async def is_drained(self) -> bool:
        """Whether nothing is under way: every message is confirmed, in both directions, and no stream holds anything, not even a copy."""
        if (await read(self.truth.url, _OPEN))[0]["number"] or any(open_lines(self.book_of(office)) for office in OFFICES):
            return False
        return not await self.pipe.held()

    async def silence(self) -> None:
        """No more writing."""
        for name in WRITERS:
            await self.processes[name].kill()

    async def stop(self) -> None:
        """End every process and cable."""
        for process in self.processes.values():
            await process.kill()
        for link in (*self.links.values(), *self.database_links.values()):
            await link.stop()


_DEPARTMENTS = ("--departments", ",".join(f"{code}:{count}" for code, count in DEPARTMENTS.items()))


@asynccontextmanager
async def opened(plan: Plan, folder: Path) -> AsyncIterator[World]:
    """A world at work; nothing of it is left afterwards."""
    async with AsyncExitStack() as stack:
        truth = PostgresTruth() if plan.database == "postgres" else SqliteTruth(folder)
        stack.push_async_callback(truth.stop)
        await truth.start()
        pipe = Pipe(folder)
        stack.push_async_callback(pipe.stop)
        await pipe.start()
        world = World(plan, folder, truth, pipe)
        stack.push_async_callback(world.stop)
        await world.start()
        yield world
