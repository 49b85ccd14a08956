"""Reports (监察报表): the formulas, and figures that are equal to a recount of the event rows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from handlers import reports
from handlers.access import Officer
from handlers.errors import Refused
from handlers.office import Office
from handlers.reports import Group, Report, Wanted, percent, working_days
from storage.bell import Bell
from storage.clock import SettableClock
from storage.database import Database
from storage.redis import RedisStore
from tests.support import recounted, samples
from tests.support.office import CLERK, DIVISION, open_office, ready_upload
from tests.support.simulated import Simulation
from tests.support.town import settle_in

JANUARY, MAY = dt.date(2026, 1, 1), dt.date(2026, 5, 1)
SUPERVISOR = Officer("s1", "supervisor", "", "", DIVISION)
APPROVER = Officer("a1", "approver", "MZ", "", DIVISION)


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def live_through(office: Office, cases: int, days: int, seed: int) -> None:
    """Some weeks of the town."""
    clock = cast("SettableClock", office.clock)
    clock.time = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    people = []
    for n in range(3):
        resident = await settle_in(office.database, f"o{n}")
        people.append((resident, await ready_upload(office, resident)))
    await Simulation(office, clock, people, [CLERK], seed).run(cases, JANUARY, days)


async def lives(office: Office, column: str) -> list[recounted.Life]:
    known = await office.database.rows(f"SELECT id, item_code, {column} AS grp FROM cases WHERE number IS NOT NULL")
    found = {row["id"]: (office.catalogue.items[row["item_code"]], row["grp"]) for row in known}
    events = await office.database.rows("SELECT case_id, type, occurred_at, data FROM case_event ORDER BY case_id, seq")
    return recounted.read(events, found, msgspec.json.decode)


def figures(report: Report, like: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The lines of a report, as far as the recount knows them."""
    return {line.key: {name: getattr(line, name) for name in next(iter(like.values()))} for line in report.lines}


async def test_a_report_is_what_a_recount_of_the_event_rows_gives(office: Office):
    await live_through(office, cases=90, days=60, seed=7)

    groups: dict[Group, str] = {"department": "department", "item": "item_code", "area": "area"}
    for group, column in groups.items():
        found = await reports.report(office, SUPERVISOR, Wanted(JANUARY, dt.date(2026, 4, 30), group))

        counted = recounted.count(await lives(office, column), JANUARY, MAY, office.calendar.is_workday)
        assert figures(found, counted) == counted, group
        assert sum(line.received or 0 for line in found.lines) == found.total.received == 90
        assert found.total.done > 60


async def test_each_month_counts_what_happened_in_it(office: Office):
    await live_through(office, cases=60, days=60, seed=11)
    whole = await lives(office, "area")

    found = await reports.report(office, SUPERVISOR, Wanted(JANUARY, dt.date(2026, 3, 1), "month"))

    for line, month, after in zip(found.lines, (1, 2, 3), (2, 3, 4), strict=True):
        counted = recounted.count(whole, dt.date(2026, month, 1), dt.date(2026, after, 1), office.calendar.is_workday)[DIVISION]
        assert {name: getattr(line, name) for name in counted} == counted, line.key


async def test_an_approver_sees_his_department_alone(office: Office):
    await live_through(office, cases=70, days=20, seed=3)

    found = await reports.report(office, APPROVER, Wanted(JANUARY, MAY))

    assert [line.key for line in found.lines] == ["MZ"]
    assert found.total.received == found.lines[0].received
    with pytest.raises(Refused, match="forbidden"):
        await reports.report(office, APPROVER, Wanted(JANUARY, MAY, department="GA"))
    with pytest.raises(Refused, match="forbidden"):
        await reports.report(office, CLERK, Wanted(JANUARY, MAY))


async def test_a_report_by_staff_charges_nobody_with_what_only_came_in(office: Office):
    await live_through(office, cases=70, days=20, seed=5)

    found = await reports.report(office, SUPERVISOR, Wanted(JANUARY, MAY, "staff"))

    assert {line.key for line in found.lines} == {"", CLERK.id}
    assert all(line.received is None and line.done_rate is None for line in (*found.lines, found.total))
    assert sum(line.done for line in found.lines) == found.total.done


async def test_cards_are_counted_as_issued_revoked_and_effective(office: Office):
    case = {**samples.ROWS["supervision_card"], "case_id": None, "area": DIVISION, "department": "MZ", "issued_at": samples.AT}
    for n, state in enumerate(("issued", "supervised", "revoked")):
        await samples.insert(office.database, "supervision_card", {**case, "id": f"k{n}", "object_id": f"c{n}", "state": state})
    await samples.insert(
        office.database, "supervision_card", {**case, "id": "k9", "object_id": "c9", "state": "pending", "issued_at": None}
    )

    found = await reports.report(office, SUPERVISOR, Wanted(dt.date(2026, 3, 1), dt.date(2026, 3, 31)))

    assert (found.lines[0].key, found.lines[0].yellow) == ("MZ", reports.Cards(issued=3, revoked=1, effective=2))
    assert found.total.red == reports.Cards(0, 0, 0)


@pytest.mark.parametrize(("since", "until"), [("2026-02-01", "2026-01-31"), ("2023-01-01", "2026-01-01")])
async def test_a_span_runs_forward_and_has_an_end(office: Office, since: str, until: str):
    with pytest.raises(Refused, match="report_span"):
        await reports.report(office, SUPERVISOR, Wanted(dt.date.fromisoformat(since), dt.date.fromisoformat(until)))


def test_shares_are_cut_off_after_two_decimals_not_rounded():
    assert percent(2, 3) == 66.66
    assert percent(-1, 3) == -33.33  # longer than the limit
    assert percent(1, 1) == 100.0
    assert percent(0, 0) is None
    assert working_days(86_400 * 2 - 1) == 1.99
