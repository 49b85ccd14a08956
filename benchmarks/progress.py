"""One case's progress, authorised: warm against bare aiohttp with the same bytes, cold against aiohttp and asyncpg on the same row."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from urllib.request import Request, urlopen

import msgspec

from benchmarks.load import Round, get, load
from benchmarks.machine import Server, cores, peer_server, town_server
from benchmarks.result import Result, compare
from benchmarks.town import DIALECTS, Place, Resident, application, nobody_waits, place, settle_in
from handlers import cases, procedure
from handlers.actors import department_actor
from handlers.casefile import open_form, opened, seal_form
from handlers.cases import Application
from handlers.office import Office
from mobile_api.web.server import run
from storage import cases as case_rows
from storage.ids import uuid7
from tests.support.apart import run_apart

ITEM = "MZ-01"
WARM_TARGET, COLD_TARGET = 0.5, 0.75
COPIES = 16_000  # more than can be looked at while a look is remembered
CONNECTIONS = 32
ROUNDS, SECONDS = 5, 1.2


def measure() -> Iterator[Result]:
    """Warm and cold on PostgreSQL; the same on SQLite for orientation."""
    for dialect in DIALECTS:
        with place(dialect) as town:
            resident, ids = run_apart(prepare(town))
            with town_server(town.environment, cores()[0], town.folder / "log") as server:
                yield warm(town, dialect, server, resident, ids[0])
                yield cold(town, dialect, server, resident, ids)


def warm(town: Place, dialect: str, server: Server, resident: Resident, case_id: str) -> Result:
    """The same case again and again."""
    path = f"/api/v1/cases/{case_id}"
    with urlopen(Request(f"http://127.0.0.1:{server.port}{path}", headers={"Authorization": f"Bearer {resident.token}"})) as answer:
        (town.folder / "answer").write_bytes(answer.read())
    request = get(path, resident.token)
    with peer_server("bytes", str(town.folder / "answer"), core=cores()[0]) as peer:

        def ask(at: Server) -> Round:
            return run(load(at, lambda _: itertools.repeat(request), connections=CONNECTIONS, seconds=SECONDS))

        target = WARM_TARGET if dialect == "postgres" else None
        return compare("progress-warm", "req/s", lambda: ask(server), lambda: ask(peer), rounds=ROUNDS, target=target, database=dialect)


def cold(town: Place, dialect: str, server: Server, resident: Resident, ids: list[str]) -> Result:
    """Another case each time, none of which was looked at within the time that a look is remembered."""
    requests = [get(f"/api/v1/cases/{case_id}", resident.token) for case_id in ids]
    turn = itertools.cycle(requests)

    def ask(at: Server) -> Round:
        return run(load(at, lambda _: turn, connections=CONNECTIONS, seconds=SECONDS))

    if dialect == "sqlite":
        return compare("progress-cold", "req/s", lambda: ask(server), None, rounds=ROUNDS, database=dialect)
    with peer_server("row", town.database_url, core=cores()[0]) as peer:
        return compare(
            "progress-cold", "req/s", lambda: ask(server), lambda: ask(peer), rounds=ROUNDS, target=COLD_TARGET, database=dialect
        )


async def prepare(town: Place) -> tuple[Resident, list[str]]:
    """A resident with a case in review by five departments, and many more of the same."""
    async with town.opened() as stores:
        office = stores.office
        [resident] = await settle_in(office, 1)
        wanted = msgspec.convert(await application(office, resident, ITEM), Application)
        view = await cases.apply(office, resident.id, wanted, nobody_waits)
        async with opened(office, view.id) as file:
            procedure.accept(file, department_actor(view.department.code))
        return resident, [view.id, *await _copies(office, view.id)]


async def _copies(office: Office, case_id: str) -> list[str]:
    row = await case_rows.by_id(office.database, case_id)
    assert row is not None  # noqa: S101
    form, ids = open_form(office, row), [uuid7() for _ in range(COPIES)]
    async with office.database.transaction() as tx:
        for n, copy in enumerate(ids):
            sealed = seal_form(office, copy, form)
            await case_rows.insert(tx, {**row, "id": copy, "number": f"{row['number'][:17]}{n:06d}", "form_sealed": sealed})
    return ids
