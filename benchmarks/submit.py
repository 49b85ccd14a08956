"""Whole submissions over HTTP (form and three uploaded materials, 16 residents at once), against pgbench running the same SQL."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

import aiohttp
import msgspec

from benchmarks import pgscript
from benchmarks.load import Round, load, post
from benchmarks.machine import Server, cores, on_core, town_server
from benchmarks.pgscript import Returned, Script, Statement
from benchmarks.result import Result, compare
from benchmarks.town import DIALECTS, Place, Resident, application, place, settle_in
from handlers.cases import Application
from mobile_api.app import wechat_platform
from mobile_api.commands.serve import api
from mobile_api.web.server import run
from storage.database import Database
from storage.ids import uuid7
from tests.support.apart import run_apart

ITEM = "GA-06"
TARGET = 0.5
CLIENTS = 16
ROUNDS, SECONDS = 4, 3.0
PATH = "/api/v1/cases"
_PEOPLE, _UPLOADS = 2 * 10**18, 3 * 10**18  # ids of pgbench's residents and their uploads

Applicants = list[tuple[Resident, bytes]]


def measure() -> Iterator[Result]:
    """On PostgreSQL with synchronous_commit on; the same on SQLite with synchronous=FULL for orientation."""
    for dialect in DIALECTS:
        with place(dialect) as town:
            applicants = run_apart(prepare(town))
            script = run_apart(caught(town, applicants[-1])) if dialect == "postgres" else None
            with town_server(town.environment, cores()[0], town.folder / "log") as server:
                yield submissions(town, dialect, server, applicants[:-1], script)


def submissions(town: Place, dialect: str, server: Server, applicants: Applicants, script: Script | None) -> Result:
    """Submissions a second of ours, and of pgbench if it is here."""
    rounds = itertools.count(1)

    def ours() -> Round:
        return run(load(server, lambda n: _requests(*applicants[n]), connections=CLIENTS, seconds=SECONDS, status=201))

    def theirs() -> Round:
        assert script is not None  # noqa: S101
        with on_core(cores()[0]):
            rate = pgscript.transactions(
                script, town.database_url, town.folder, clients=CLIENTS, seconds=SECONDS, round_number=next(rounds)
            )
        return Round(rate)

    if script is not None and pgscript.program() is None:
        print("submit: pgbench is not on this machine (Debian: postgresql-contrib), so there is no baseline", file=sys.stderr)
        script = None
    target = TARGET if script is not None else None
    return compare("submit", "submissions/s", ours, theirs if script else None, rounds=ROUNDS, target=target, database=dialect)


async def prepare(town: Place) -> Applicants:
    """Residents with an application each, one more than submit at once."""
    async with town.opened() as stores:
        found = await settle_in(stores.office, CLIENTS + 1)
        return [(one, msgspec.json.encode(await application(stores.office, one, ITEM))) for one in found]


def _requests(resident: Resident, body: bytes) -> Iterator[bytes]:
    while True:
        yield post(PATH, resident.token, uuid7(), body)


async def caught(town: Place, applicant: tuple[Resident, bytes]) -> Script:
    """The statements of one submission, sent to a server in this process, as a script; the log-in is known from a request before."""
    resident, body = applicant
    async with town.opened() as stores, aiohttp.ClientSession() as http:
        platform = wechat_platform(http, stores.settings, stores.office, stores.office.fleeting)
        async with api(stores, platform, 0) as port:
            await _submit(http, port, resident, uuid7(), body)
            with pgscript.caught() as statements:
                key = uuid7()
                case = await _submit(http, port, resident, key, body)
        uploads = [upload for one in msgspec.json.decode(body, type=Application).materials for upload in one.uploads]
        await _people_of_pgbench(stores.office.database, resident.id, uploads)
    own = {resident.id: f"{_PEOPLE} + :client_id", **{one: f"{_UPLOADS} + :client_id * 10 + {n}" for n, one in enumerate(uploads)}}
    new = {value: pgscript.rising(n) for n, value in enumerate(_new(statements, case, key))}
    return pgscript.script(_of_submission(statements), {**own, **new})


async def _submit(http: aiohttp.ClientSession, port: int, resident: Resident, key: str, body: bytes) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {resident.token}", "Idempotency-Key": key, "Content-Type": "application/json"}
    async with http.post(f"http://127.0.0.1:{port}{PATH}", data=body, headers=headers) as answer:
        found: dict[str, object] = await answer.json()
        if answer.status != 201:  # noqa: PLR2004
            raise SystemExit(f"The submission was refused: {found}")
        return found


async def _people_of_pgbench(database: Database, resident: str, uploads: list[str]) -> None:
    """A resident and uploads for every client of pgbench, like those of the submission that was caught."""
    for client in range(CLIENTS):
        await _copy(database, "resident", resident, {"id": str(_PEOPLE + client), "openid": f"pgbench-{client}"})
        for n, upload in enumerate(uploads):
            changed = {"id": str(_UPLOADS + client * 10 + n), "owner_id": str(_PEOPLE + client)}
            await _copy(database, "upload", upload, changed)


async def _copy(database: Database, table: str, row_id: str, changed: dict[str, str]) -> None:
    row = await database.one(f"SELECT * FROM {table} WHERE id = $1", row_id)  # noqa: S608 - names of our own tables
    values = {**(row or {}), **changed}
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    await database.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", *values.values())  # noqa: S608


def _of_submission(statements: list[Statement]) -> list[Statement]:
    """Without what only one submission of many does (looking the log-in up, taking the next numbers), numbers taken as returned."""
    found = []
    for sql, values in statements:
        if "INTO account_event" in sql:
            found.append((sql, [values[0], Returned("last"), *values[2:]]))
        elif "FROM session" not in sql and "INTO counter" not in sql:
            found.append((sql, values))
    return found


def _new(statements: list[Statement], case: dict[str, object], key: str) -> list[str]:
    """What is new in every submission: its ids, the key, the number."""
    made = [str(values[0]) for sql, values in statements if " (id, " in sql]
    grants = [str(value) for sql, values in statements if "INTO file_grant" in sql for value in values[1::5]]
    return list(dict.fromkeys([str(case["id"]), str(case["number"]), key, *made, *grants]))
