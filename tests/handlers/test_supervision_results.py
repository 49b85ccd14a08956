"""Supervision after the decision and by the hour: a result that does not reach its applicant, and urgent aid that is not given in time."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import msgspec
import pytest

from handlers import desk, reports, supervision, supervision_cards, supervision_views
from handlers.access import Officer
from handlers.cards import CardDelivery
from handlers.casefile import opened
from handlers.cases import Change, correct
from handlers.caseviews import CaseView
from handlers.corrections import Correction, MaterialNote
from handlers.handovers import Dispatch, Wish
from handlers.limits import midnight
from handlers.materials import HandedIn
from handlers.office import Office
from storage import supervision_cards as stored
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.support.lives import approver, clock_of, no_answer, officer, row_of
from tests.support.office import CLERK, DIVISION, MORNING, open_office, ready_upload, submitted_case
from tests.support.papers import HURRY, RELIEF, applied
from tests.support.town import settle_in

HOUR, SECOND, INSTANT = dt.timedelta(hours=1), dt.timedelta(seconds=1), dt.timedelta(microseconds=1)
SUPERVISOR = Officer("sup-1", "supervisor", "", "", DIVISION)


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def granted(office: Office, openid: str = "o1") -> CaseView:
    """A permit that its applicant wants to fetch at the counter, decided on 2026-02-13: due for delivery ten working days later."""
    case = await submitted_case(office, await settle_in(office.database, openid), "SJ-03", Wish("counter"))
    case = await desk.accept(office, CLERK, case.id, case.version)
    return await desk.decide(office, approver("SJ"), case.id, case.version, "granted", "符合条件")


async def hurried(office: Office) -> CaseView:
    return await applied(office, await settle_in(office.database, "o1"), RELIEF, urgent=HURRY)


async def sweep_at(office: Office, moment: dt.datetime) -> int:
    clock_of(office).time = moment
    return await supervision.sweep(office)


def on_workday(office: Office, days: int) -> dt.datetime:
    """Ten o'clock on the n-th working day after the decision."""
    return dt.datetime.combine(office.calendar.add_workdays(MORNING.date(), days).day, dt.time(2), dt.UTC)


async def cards(office: Office, case: CaseView, kind: str) -> list[tuple[str, str]]:
    return [(row["level"], row["state"]) for row in await stored.of_case(office.database, case.id) if row["object_kind"] == kind]


async def cards_of(office: Office, kind: str) -> list[dict[str, object]]:
    return await office.database.rows("SELECT id FROM supervision_card WHERE object_kind = $1", kind)


async def looks(office: Office, kind: str) -> list[dt.datetime]:
    return [row["look_at"] for row in await office.database.rows("SELECT look_at FROM supervision_due WHERE object_kind = $1", kind)]


async def test_a_result_that_is_not_delivered_in_its_ten_days_is_warned_of_then_yellow_then_red(office: Office):
    case = await granted(office)
    for days, had in ((7, 0), (8, 1), (10, 1), (11, 2), (12, 3), (40, 3)):
        await sweep_at(office, on_workday(office, days))
        assert len(await cards(office, case, "delivery")) == had, days
    assert await cards(office, case, "delivery") == [("warning", "issued"), ("yellow", "issued"), ("red", "pending")]
    assert await looks(office, "delivery") == []


async def test_what_is_signed_for_in_time_earns_no_card_though_the_post_alone_is_no_delivery(office: Office):
    posted, signed = await granted(office), await granted(office, "o2")
    for case in (posted, signed):
        await desk.deliver(office, officer("SJ"), case.id, case.version, Dispatch("post", "邮政", "EB1"))
    assert len(await looks(office, "delivery")) == 2
    again = await desk.show(office, officer("SJ"), signed.id)
    await desk.complete(office, officer("SJ"), signed.id, again.version, "张三")
    assert len(await looks(office, "delivery")) == 1
    await sweep_at(office, on_workday(office, 11))
    assert await cards(office, posted, "delivery") == [("warning", "issued"), ("yellow", "issued")]
    assert await cards(office, signed, "delivery") == []
    yellow = (await stored.of_case(office.database, posted.id))[-1]
    assert "责任环节：送达（等待签收）" in yellow["text"]


async def test_the_card_of_a_delivery_holds_to_the_day_that_the_pages_show(office: Office):
    case, later = await granted(office), on_workday(office, 13)
    async with opened(office, case.id) as file:
        assert file.card.delivery is not None
        file.card = msgspec.structs.replace(file.card, delivery=CardDelivery("counter", later.date()))
    for moment, had in ((later, 1), (on_workday(office, 14), 2)):
        await sweep_at(office, moment)
        assert len(await cards(office, case, "delivery")) == had


async def test_a_town_that_counts_by_the_instant_is_not_late_before_the_day_that_the_pages_show_is_over(office: Office):
    town = dataclasses.replace(office, counting="instant")
    case = await granted(town)
    late = midnight(town.calendar.add_workdays(MORNING.date(), 11).day)
    for moment, had in ((late - SECOND, 1), (late, 2)):
        clock_of(town).time = moment
        await supervision.sweep(town)
        assert len(await cards(town, case, "delivery")) == had


async def test_deliveries_from_before_the_rules_came_are_found_when_the_town_starts(office: Office):
    case = await granted(office)
    await office.database.execute("DELETE FROM supervision_due")
    await supervision.catch_up(office)
    await sweep_at(office, on_workday(office, 11))
    assert [level for level, _ in await cards(office, case, "delivery")] == ["warning", "yellow"]


async def test_a_warning_of_a_delivery_runs_until_it_is_delivered(office: Office):
    case = await granted(office)
    await sweep_at(office, on_workday(office, 8))
    running = supervision_cards.wanted(level="warning", running=True)
    assert [row["object_kind"] for row in await supervision_cards.listing(office, SUPERVISOR, running, None, 9)] == ["delivery"]
    await desk.complete(office, officer("SJ"), case.id, case.version, "张三")
    assert await supervision_cards.listing(office, SUPERVISOR, running, None, 9) == []


async def test_urgent_aid_not_decided_in_its_hours_is_carded_at_the_second(office: Office):
    case = await hurried(office)
    for hours, count in ((44, 1), (48, 1), (72, 1)):
        full = MORNING + hours * HOUR
        assert await looks(office, "urgent") == [full + INSTANT]
        assert await sweep_at(office, full) == 0, hours
        assert await sweep_at(office, full + SECOND) >= count, hours
    assert await cards(office, case, "urgent") == [("warning", "issued"), ("yellow", "issued"), ("red", "pending")]
    yellow = (await stored.of_case(office.database, case.id))[1]
    assert "申请急难救助已过 49 小时，超过时限 48 小时" in yellow["text"]
    assert yellow["earned_at"] == MORNING + 48 * HOUR + INSTANT


async def test_a_town_of_24_hours_is_warned_after_20(office: Office):
    case = await hurried(office)
    async with opened(office, case.id) as file:
        assert file.card.urgency is not None
        short = msgspec.structs.replace(file.card.urgency, decide_by=file.now + 24 * HOUR)
        file.card = msgspec.structs.replace(file.card, urgency=short)
    assert await looks(office, "urgent") == [MORNING + 20 * HOUR + INSTANT]


async def test_urgent_aid_decided_in_its_hours_earns_no_card_and_is_looked_at_no_more(office: Office):
    case = await hurried(office)
    case = await desk.accept(office, CLERK, case.id, case.version)
    assert len(await looks(office, "urgent")) == 1
    clock_of(office).time = MORNING + 40 * HOUR
    await desk.decide(office, approver("MZ"), case.id, case.version, "granted", "先行救助")
    assert await looks(office, "urgent") == []
    await sweep_at(office, MORNING + 60 * HOUR)
    assert await cards(office, case, "urgent") == []


async def test_while_the_applicant_corrects_no_hour_runs_and_then_they_begin_anew(office: Office):
    case = await hurried(office)
    notice = Correction("户口簿不清楚", (), (MaterialNote("hardship_proof", "请重拍"),))
    case = await desk.request_correction(office, CLERK, case.id, case.version, notice)
    assert await looks(office, "urgent") == []
    assert await sweep_at(office, MORNING + 90 * HOUR) == 0

    resident = (await row_of(office, case))["resident_id"]
    papers = (HandedIn("hardship_proof", (await ready_upload(office, resident),)),)
    view = await correct(office, resident, case.id, Change(materials=papers), no_answer)

    assert view.urgency is not None
    assert view.urgency.decide_by == MORNING + 138 * HOUR
    assert await looks(office, "urgent") == [MORNING + 134 * HOUR + INSTANT]


async def test_a_card_by_the_hour_says_second_by_second_why_and_whom_it_was_told(office: Office):
    case = await hurried(office)
    await sweep_at(office, MORNING + 48 * HOUR + SECOND)
    row = next(row for row in await stored.of_case(office.database, case.id) if row["level"] == "yellow")
    seen = await supervision_views.detail(office, SUPERVISOR, row)
    assert [line.text for line in seen.explanation] == [
        "2026年2月13日09:30:00提出急难救助申请，自此刻起计时，时限 48 小时，夜间、节假日都计入。",
        "2026年2月15日09:30:00届满，超过一秒即为超时。",
        "2026年2月15日达到规则 urgent-yellow（第 1 版）：黄牌。",
    ]
    assert seen.recipients == ("officer", "approver")
    assert (seen.card.kind, seen.card.kind_name) == ("urgent", "急难救助")


async def test_both_kinds_are_foreseen_and_counted_in_the_report(office: Office):
    await hurried(office)
    await granted(office, "o2")
    soon = await supervision_views.outlook(office, SUPERVISOR, 9)
    assert {(one.kind, one.level, one.step) for one in soon} >= {("urgent", "warning", "受理审查"), ("delivery", "warning", "送达")}
    await sweep_at(office, on_workday(office, 12))
    wanted = reports.Wanted(since=dt.date(2026, 2, 1), until=dt.date(2026, 3, 1), group="department")
    lines = {line.key: line for line in (await reports.report(office, SUPERVISOR, wanted)).lines}
    issued = {kind: len(await cards_of(office, kind)) for kind in ("delivery", "urgent")}
    assert issued == {"delivery": 3, "urgent": 3}
    cards = {code: (line.warning.issued, line.yellow.issued, line.red.issued) for code, line in lines.items()}
    # Red ones wait to be confirmed; the certificate and the look before acceptance were late too.
    assert cards == {"SJ": (1, 2, 0), "MZ": (2, 2, 0)}
