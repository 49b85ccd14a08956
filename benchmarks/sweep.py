"""A sweep of supervision with 1,000 cases due among 1,000,000 open ones, against the same 1,000 among 10,000.

Each round the same thousand looks are due again and earn their cards anew: read, counted, written and put into the record, in the
sweep's own batches. What the sweep costs must grow with what is due, not with what is open.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import statistics
import time
from collections.abc import Iterator

from benchmarks import letters
from benchmarks.letters import Desk
from benchmarks.result import Result
from benchmarks.town import DIALECTS, place
from handlers import supervision
from handlers.office import Office
from storage.clock import SettableClock

TARGET = 1.2
DUE, FEW, MANY = 1_000, 10_000, 1_000_000
ROUNDS = 7
ITEM = "GA-05"
ACCEPTED, NOW = dt.datetime(2026, 3, 2, 2, tzinfo=dt.UTC), dt.datetime(2026, 6, 1, 2, tzinfo=dt.UTC)
"""When the thousand were accepted, and when they are looked at."""
_RESIDENT = "INSERT INTO resident (id, openid, preferences, created_at) VALUES ('r', 'o', '{}', $1)"
_CASES = {
    "postgres": "SELECT n, '00000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS id FROM generate_series(1, {}) AS n",
    "sqlite": (
        "SELECT value AS n, printf('00000000-0000-7000-8000-%012d', value) AS id FROM (WITH RECURSIVE c(value) AS "
        "(SELECT 1 UNION ALL SELECT value + 1 FROM c WHERE value < {}) SELECT value FROM c)"
    ),
}
_OPEN = """
INSERT INTO cases (id, number, resident_id, item_code, item_version, department, area, state, version, events, form_sealed, card,
    receipt_version, created_at, updated_at, submitted_at, accepted_at, promised_on, legal_on)
SELECT id, 'N' || n, 'r', '{item}', 1, 'GA', '{area}', 'in_review', 3, 3, $1, '{{}}', 1, $2, $2, $2, $2, $3, $3 FROM ({cases}) AS made
"""
_LATE = "UPDATE cases SET accepted_at = $1 WHERE id IN (SELECT id FROM ({cases}) AS made WHERE n % {every} = 0)"
_LOOKS = "INSERT INTO supervision_due (object_kind, object_id, case_id, look_at) SELECT 'case', id, id, $1 FROM cases"
_OVER = "DELETE FROM supervision_due WHERE case_id IN (SELECT id FROM cases WHERE accepted_at = $1)"


def measure() -> Iterator[Result]:
    """On both databases; the rounds of the two towns alternate."""
    for dialect in DIALECTS:
        with contextlib.ExitStack() as stack:
            few, many = (_town(stack, dialect, number) for number in (FEW, MANY))
            pairs = [(_round(few), _round(many)) for _ in range(ROUNDS + 1)][1:]
        ratio = round(statistics.median(late / early for early, late in pairs), 3)
        baseline, value = (round(statistics.median(times) * 1000, 1) for times in zip(*pairs, strict=True))
        yield Result("sweep", value, "ms for 1,000 due", baseline, ratio, TARGET, ratio <= TARGET, dialect, samples=ROUNDS)


def _town(stack: contextlib.ExitStack, dialect: str, number: int) -> Desk:
    desk = stack.enter_context(letters.desk(stack.enter_context(place(dialect))))
    desk.runner.run(_fill(desk.office, number))
    return desk


async def _fill(office: Office, number: int) -> None:
    """Open cases, all in time but a thousand that lie evenly among them."""
    db, made = office.database, _CASES[office.database.dialect].format(number)
    await db.execute(_RESIDENT, NOW)
    await db.execute(_OPEN.format(item=ITEM, area=office.division, cases=made), b"\x01" * 64, NOW, NOW.date() + dt.timedelta(days=30))
    await db.execute(_LATE.format(cases=made, every=number // DUE), ACCEPTED)
    await db.execute(_LOOKS, NOW + dt.timedelta(days=5))
    await db.execute("ANALYZE")


def _round(desk: Desk) -> float:
    return desk.runner.run(_sweep(dataclasses.replace(desk.office, clock=SettableClock(NOW))))


async def _sweep(office: Office) -> float:
    """Seconds of one sweep; what the last one did is undone before."""
    db = office.database
    await db.execute("DELETE FROM supervision_card")
    await db.execute(_OVER, ACCEPTED)
    await db.execute(f"{_LOOKS} WHERE accepted_at = $2", NOW, ACCEPTED)
    started = time.perf_counter()
    issued = await supervision.sweep(office)
    took = time.perf_counter() - started
    if issued < DUE:
        raise SystemExit(f"sweep: {issued} cards of {DUE} cases that are late")
    return took
