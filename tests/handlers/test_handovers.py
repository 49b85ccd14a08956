"""How the result reaches the applicant (行政许可法 art. 44), and how he may object (行政复议法 art. 20, 行政诉讼法 art. 46)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import pytest

from handlers import cases, desk, documents, particulars
from handlers.caseviews import CaseView
from handlers.errors import Refused
from handlers.handovers import Dispatch, Wish
from handlers.materials import HandedIn
from handlers.office import Office
from mobile_api.journey.sample import fill_form
from storage import handovers as stored
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.support.calendars import known_calendar
from tests.support.lives import approver, decided_case, history, new_case, no_answer, officer, pushed, told, workdays_later
from tests.support.office import CLERK, open_office, ready_upload
from tests.support.town import settle_in

ADDRESS = "示例镇幸福路 1 号"


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def wished(office: Office, wish: Wish) -> CaseView:
    """A granted case whose applicant said how he wants the result."""
    item, resident = office.catalogue.items["SJ-03"], await settle_in(office.database, "o1")
    needed = [rule for rule in item.materials if rule.source == "upload" and rule.required]
    materials = tuple([HandedIn(rule.code, (await ready_upload(office, resident),)) for rule in needed])
    form = fill_form(msgspec.to_builtins(item.form.fields), office.clock.now().date())
    application = cases.Application(item=item.code, form=form, materials=materials, delivery=wish)
    case = await cases.apply(office, resident, application, no_answer)
    case = await desk.accept(office, CLERK, case.id, 1)
    return await desk.decide(office, approver(item.department), case.id, case.version, "granted", "符合条件")


async def test_an_electronic_result_is_delivered_with_the_decision(office: Office):
    case = await decided_case(office, "SJ-03")

    assert case.state == "completed"
    assert case.delivery is not None
    assert (case.delivery.method, case.delivery.delivered_at) == ("electronic", case.completed_at)


async def test_art_44_a_result_by_post_has_ten_working_days_a_number_and_a_signature(office: Office):
    case = await wished(office, Wish("post", ADDRESS))
    who = officer(case.department.code)
    assert case.delivery is not None
    with pytest.raises(Refused, match="tracking_missing"):
        await desk.deliver(office, who, case.id, case.version, Dispatch("post"))

    sent = await desk.deliver(office, who, case.id, case.version, Dispatch("post", "邮政 EMS", "EX123456789CN"))
    with pytest.raises(Refused, match="signature_name_missing"):
        await desk.complete(office, who, case.id, sent.version, " ")
    done = await desk.complete(office, who, case.id, sent.version, "本人")

    assert (case.state, sent.state, done.state) == ("decided", "delivering", "completed")
    assert case.delivery.due_on == workdays_later(office, dt.date(2026, 2, 13), 10)
    assert sent.delivery is not None
    assert (sent.delivery.carrier, sent.delivery.tracking) == ("邮政 EMS", "EX123456789CN")
    assert "case.delivering" in await pushed(office.database, case)


async def test_what_the_post_brought_back_is_sent_again_within_the_same_limit(office: Office):
    case = await wished(office, Wish("post", ADDRESS))
    assert case.delivery is not None
    sent = await desk.deliver(office, CLERK, case.id, case.version, Dispatch("post", "邮政 EMS", "EX1"))

    again = await desk.deliver(office, CLERK, case.id, sent.version, Dispatch("post", "邮政 EMS", "EX2"))
    done = await desk.complete(office, CLERK, case.id, again.version, "本人")

    assert again.delivery is not None
    assert (again.delivery.tracking, again.delivery.due_on) == ("EX2", case.delivery.due_on)
    assert [one.data["tracking"] for one in await history(office, case) if one.type == "delivering"] == ["EX1", "EX2"]
    assert done.state == "completed"


async def test_the_address_is_sealed_and_shown_only_to_those_who_deliver(office: Office):
    case = await wished(office, Wish("post", ADDRESS))

    row = await stored.of_case(office.database, case.id)
    shown = await particulars.of_case(office, officer(case.department.code), case.id)

    assert row is not None
    assert ADDRESS.encode() not in bytes(row["address_sealed"])
    assert shown.address == ADDRESS


async def test_a_result_is_fetched_at_the_counter_with_a_signature(office: Office):
    case = await wished(office, Wish("counter"))

    done = await desk.complete(office, CLERK, case.id, case.version, "张三")

    assert (case.state, done.state) == ("decided", "completed")
    row = await stored.of_case(office.database, case.id)
    assert row is not None
    assert (row["signed_by"], row["delivered_at"]) == ("张三", done.completed_at)


async def test_what_was_never_posted_is_not_signed_for(office: Office):
    case = await wished(office, Wish("post", ADDRESS))

    with pytest.raises(Refused, match="not_sent_yet"):
        await desk.complete(office, CLERK, case.id, case.version, "张三")


async def test_a_wish_for_the_post_needs_an_address(office: Office):
    with pytest.raises(Refused, match="address_missing"):
        await wished(office, Wish("post"))


async def test_a_refusal_is_told_with_its_reason_and_the_ways_to_object(office: Office):
    case = await decided_case(office, "SJ-03", "refused", "面积超过标准")

    said = await told(office, case, "decided")

    assert case.remedy is not None
    assert (case.remedy.review_until_on, case.remedy.court_until_on) == (dt.date(2026, 4, 14), dt.date(2026, 8, 13))
    assert said["remedy"] == case.remedy.text
    assert "行政复议" in said["remedy"]


async def test_a_non_acceptance_names_its_reason_the_competent_unit_and_the_remedy(office: Office):
    case = await new_case(office, "SJ-03")

    ended = await desk.not_accept(office, CLERK, case.id, case.version, "不属于本机关职权", "县行政审批局")

    said = await told(office, case, "not_accepted")
    assert ended.reason == "不属于本机关职权。请向县行政审批局提出"
    assert said["document"] == f"不予受理通知书 BSL-{case.number}"
    assert ended.remedy is not None
    assert said["remedy"] == ended.remedy.text


def test_six_months_from_the_end_of_august_end_with_february():
    assert documents.remedy(dt.date(2025, 8, 31), known_calendar()).court_until_on == dt.date(2026, 2, 28)  # a Saturday that is worked


@pytest.mark.parametrize(
    ("told_on", "review", "court"),
    [
        (dt.date(2026, 2, 13), dt.date(2026, 4, 14), dt.date(2026, 8, 13)),
        (dt.date(2026, 3, 2), dt.date(2026, 5, 6), dt.date(2026, 9, 2)),  # the sixtieth day, 1 May, begins a holiday of five
        (dt.date(2025, 8, 17), dt.date(2025, 10, 16), dt.date(2026, 2, 24)),  # the Spring Festival lasts until 23 February
    ],
)
def test_art_203_no_way_to_object_ends_on_a_day_off(told_on: dt.date, review: dt.date, court: dt.date):
    found = documents.remedy(told_on, known_calendar())
    assert (found.review_until_on, found.court_until_on) == (review, court)
    assert f"至{review.year}年{review.month}月{review.day}日" in found.text
