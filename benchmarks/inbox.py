"""A list among a million cases, against the same list among ten thousand: a resident's own cases, and an officer's inbox.

Both towns have a party with 10,000 cases (a firm that files every day) and a department with 10,000 open ones; in the large town they lie
evenly among 1,000,000. A page is read from a random place of the list by HTTP, logged in, one after the other; the figure is the time
below which 95 of 100 pages came. What a page costs must not grow with what it does not show.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.machine import cores, town_server
from benchmarks.result import Result
from benchmarks.town import DIALECTS, place, settle_in
from handlers import sessions
from handlers.office import Office
from mobile_api.identity import Identity
from storage import staff
from storage.ids import uuid7
from tests.support.apart import run_apart

TARGET = 1.2
OWN, FEW, MANY = 10_000, 10_000, 1_000_000
ROUNDS, PAGES = 7, 200
ITEM, DEPARTMENT = "GA-05", "GA"
_NEIGHBOURS = 1_000
_AT_ONCE = 10_000  # rows a statement: none may last longer than the product lets one last
_DAY = dt.date(2026, 6, 1)

_NUMBERS = {
    "postgres": "SELECT n FROM generate_series({}, {}) AS n",
    "sqlite": "SELECT n FROM (WITH RECURSIVE c(n) AS (SELECT {} UNION ALL SELECT n + 1 FROM c WHERE n < {}) SELECT n FROM c)",
}
_ID = {"postgres": "'00000000-0000-7000-8000-' || lpad(n::text, 12, '0')", "sqlite": "printf('00000000-0000-7000-8000-%012d', n)"}
_DUE = {"postgres": "DATE '{day}' + CAST(n % 90 AS INTEGER)", "sqlite": "date('{day}', '+' || (n % 90) || ' days')"}
_RESIDENTS = "INSERT INTO resident (id, openid, preferences, created_at) SELECT 'r' || n, 'o' || n, '{{}}', $1 FROM ({made}) AS made"
_CASES = """
INSERT INTO cases (id, number, resident_id, item_code, item_version, department, area, state, version, events, form_sealed, card,
    receipt_version, created_at, updated_at, submitted_at, promised_on)
SELECT {id}, 'N' || n, CASE WHEN n % {every} = 0 THEN $3 ELSE 'r' || (n % {neighbours} + 1) END, '{item}', 1,
    CASE WHEN n % {every} = 0 THEN '{department}' ELSE 'D' || (n % 20) END, '{area}', 'submitted', 3, 3, $1, '{{}}', 1, $2, $2, $2, {due}
FROM ({made}) AS made
"""
_PARTS = """
INSERT INTO desk_task (case_id, department, area, item_code, state, step, is_lead, urgency, due_on)
SELECT id, department, area, item_code, state, 'accept', TRUE, 11 - (CAST(substr(id, 25) AS INTEGER) / {every}) % 12, promised_on FROM cases
WHERE id BETWEEN $1 AND $2
"""


@dataclass(frozen=True, slots=True)
class Town:
    """A server with its number of cases, and who asks it."""

    port: int
    every: int
    resident: str
    officer: str


def measure() -> Iterator[Result]:
    """On both databases; the rounds of the two towns alternate."""
    for dialect in DIALECTS:
        with contextlib.ExitStack() as stack:
            few, many = (_town(stack, dialect, number) for number in (FEW, MANY))
            yield _compared("inbox", dialect, few, many, _own_cases)
            yield _compared("inbox-desk", dialect, few, many, _inbox)


def _compared(name: str, dialect: str, few: Town, many: Town, path: Callable[[Town, int], tuple[str, str]]) -> Result:
    pairs = [_pair(few, many, path, turn) for turn in range(ROUNDS + 1)][1:]
    ratio = round(statistics.median(large / small for small, large in pairs), 3)
    baseline, value = (round(statistics.median(times) * 1000, 2) for times in zip(*pairs, strict=True))
    target = TARGET if dialect == "postgres" else None
    holds = ratio <= TARGET if target else None
    return Result(name, value, "ms p95 a page", baseline, ratio, target, holds, dialect, samples=ROUNDS * PAGES)


def _pair(few: Town, many: Town, path: Callable[[Town, int], tuple[str, str]], turn: int) -> tuple[float, float]:
    """A round of each; they take turns in being the first, which finds a server that has had nothing to do."""
    if turn % 2:
        large = _round(many, path)
        return _round(few, path), large
    return _round(few, path), _round(many, path)


def _round(town: Town, path: Callable[[Town, int], tuple[str, str]]) -> float:
    """Seconds below which 95 of 100 pages came, each from another place of the list."""
    places, times = random.Random(ROUNDS), []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", town.port)) as connection:
        for _ in range(PAGES):
            address, token = path(town, places.randrange(OWN // 10, OWN))
            started = time.perf_counter()
            connection.request("GET", address, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            body = answer.read()
            times.append(time.perf_counter() - started)
            if answer.status != http.client.OK or b'"next_cursor":"' not in body:
                raise SystemExit(f"inbox: the server answered {answer.status} to {address}, or the page was not full")
    return statistics.quantiles(times, n=20)[-1]


def _own_cases(town: Town, number: int) -> tuple[str, str]:
    """A page of a resident's cases from before his case of this number on."""
    return f"/api/v1/cases?limit=20&cursor={_case(number * town.every)}", town.resident


def _inbox(town: Town, number: int) -> tuple[str, str]:
    """A page of the officer's inbox from behind some place in the order of urgency on."""
    due_on = _DAY + dt.timedelta(days=number % 60)
    return f"/api/v1/desk/tasks?limit=50&cursor=0.{number % 11}.{due_on}.{_case(number * town.every)}", town.officer


def _case(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012d}"


def _town(stack: contextlib.ExitStack, dialect: str, number: int) -> Town:
    where = stack.enter_context(place(dialect))

    async def fill() -> tuple[str, str]:
        async with where.opened() as stores:
            return await _fill(stores.office, number)

    resident, officer = run_apart(fill())
    server = stack.enter_context(town_server(where.environment, cores()[0], where.folder / "log"))
    return Town(server.port, number // OWN, resident, officer)


async def _fill(office: Office, number: int) -> tuple[str, str]:
    """The cases of a town; tokens of the party and of an officer."""
    db, now, dialect = office.database, office.clock.now(), office.database.dialect
    [resident] = await settle_in(office, 1)
    await db.execute(_RESIDENTS.format(made=_NUMBERS[dialect].format(1, _NEIGHBOURS)), now)
    values = {
        "id": _ID[dialect], "due": _DUE[dialect].format(day=_DAY), "every": number // OWN, "neighbours": _NEIGHBOURS, "item": ITEM,
        "department": DEPARTMENT, "area": office.division,
    }  # fmt: skip
    for first in range(1, number, _AT_ONCE):
        made = _NUMBERS[dialect].format(first, first + _AT_ONCE - 1)
        await db.execute(_CASES.format(**values, made=made), b"\x01" * 64, now, resident.id)
        await db.execute(_PARTS.format(every=number // OWN), _case(first), _case(first + _AT_ONCE - 1))
    await db.execute("ANALYZE")
    return resident.token, await _officer(office)


async def _officer(office: Office) -> str:
    staff_id = uuid7()
    row = {
        "id": staff_id, "username": "officer", "name": "经办", "role": "officer", "department": DEPARTMENT, "hall": None,
        "area": office.division, "password_hash": "-", "totp_sealed": None, "created_at": office.clock.now(),
    }  # fmt: skip
    await staff.insert(office.database, row)
    return Identity(office).issue(await sessions.open_session(office, staff_id, "staff", "benchmark")).access_token
