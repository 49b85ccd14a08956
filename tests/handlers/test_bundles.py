"""A bundle below HTTP: certificates handed on from part to part, refusals that stop only what needs them, and what survives a crash."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import pytest

from handlers import bundles, bundlesteps, cases
from handlers.bundleguides import bundle_view
from handlers.bundleviews import PartView, UmbrellaView
from handlers.cases import Application
from handlers.debts import Signing
from handlers.errors import Refused
from handlers.materials import HandedIn
from handlers.office import Office
from mobile_api.journey.sample import fill_form
from storage import account_events, umbrellas
from storage.bell import Bell
from storage.database import Database, Transaction
from storage.redis import RedisStore
from tests.support.office import open_office, ready_upload
from tests.support.reviews import accept, decide, events_of, row_of, say, with_item
from tests.support.town import settle_in

RESTAURANT, FAREWELL, HOMESTEAD = "YJS-02", "YJS-03", "YJS-04"
CREDIT_CODE = "91350100M000100Y43"


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


@pytest.fixture
async def resident(office: Office) -> str:
    return await settle_in(office.database, "o1")


async def settled(_tx: Transaction, _view: object) -> None:
    """Nobody waits for an answer to be kept."""


async def applied(office: Office, resident: str, code: str, *parts: str) -> UmbrellaView:
    guide = bundle_view(office.catalogue, office.catalogue.bundle(code), parts)
    papers = tuple([HandedIn(one.code, (await ready_upload(office, resident),)) for one in guide.materials if one.required])
    form = fill_form(msgspec.to_builtins(guide.form.fields), office.clock.now().date())
    return await bundles.apply(office, resident, Application(bundle=code, parts=parts, form=form, materials=papers), settled)


async def grant(office: Office, part: PartView, *answering: str) -> None:
    await accept(office, part.case_id)
    for department in answering:
        await say(office, part.case_id, "task.decided", department, "review", result="agreed")
    await decide(office, part.case_id, "granted")


async def now(office: Office, resident: str, umbrella: UmbrellaView) -> dict[str, PartView]:
    """The parts as they are after whoever was rung for has looked."""
    await bundlesteps.advance_due(office)
    return {part.code: part for part in (await bundles.show(office, resident, umbrella.id)).parts}


async def test_the_number_of_a_certificate_goes_on_to_the_parts_that_ask_for_it(office: Office, resident: str):
    umbrella = await applied(office, resident, RESTAURANT)
    licence = umbrella.parts[0]
    await accept(office, licence.case_id)
    facts = {"certificate_type": "BIZ_LICENSE", "number": CREDIT_CODE, "issued_on": "2026-02-13"}
    await say(office, licence.case_id, "certificate.issued", "SJ", "accept", **facts)
    for department in ("SW", "GA"):
        await say(office, licence.case_id, "task.decided", department, "review", result="agreed")
    await decide(office, licence.case_id, "granted")

    parts = await now(office, resident, umbrella)

    assert {part.state for code, part in parts.items() if code != "SJ-01"} == {"submitted"}
    sign = await cases.show(office, resident, parts["CG-01"].case_id)
    assert sign.form["credit_code"] == CREDIT_CODE
    assert [(one.material, one.source) for one in sign.materials if one.material == "biz_license"] == [("biz_license", "certificate")]


async def test_without_the_number_the_resident_is_asked_and_a_number_that_comes_later_is_enough(office: Office, resident: str):
    umbrella = await applied(office, resident, RESTAURANT)
    licence = umbrella.parts[0]
    await grant(office, licence, "SW", "GA")

    asked = await now(office, resident, umbrella)
    news = await account_events.since(office.database, resident, 0, 100)
    facts = {"certificate_type": "BIZ_LICENSE", "number": CREDIT_CODE, "issued_on": "2026-02-13"}
    await say(office, licence.case_id, "certificate.issued", "SJ", "decide", **facts)
    parts = await now(office, resident, umbrella)

    assert {part.public_state for code, part in asked.items() if code != "SJ-01"} == {"needs_you"}
    assert [event.type for event in news].count("case.part_asks") == 3
    assert {part.state for code, part in parts.items() if code != "SJ-01"} == {"submitted"}


async def test_a_refused_part_stops_what_needs_it_and_nothing_else(office: Office, resident: str):
    umbrella = await applied(office, resident, FAREWELL, "YB-05")
    cremation = umbrella.parts[0]
    await accept(office, cremation.case_id)
    await decide(office, cremation.case_id, "refused", "不属于本馆火化")

    parts = await now(office, resident, umbrella)
    await grant(office, parts["GA-02"])
    parts = await now(office, resident, umbrella)

    assert (parts["MZ-08"].decision, parts["GA-02"].decision) == ("refused", "granted")
    assert (parts["RS-03"].state, parts["RS-03"].reason) == ("expired", "需要先办成的“火化证明开具”没有办成")
    assert parts["YB-05"].state == "submitted"
    assert await events_of(office, parts["RS-03"].case_id) == ["part_stopped"]


async def test_nobody_at_work_in_the_moment_of_a_decision_loses_the_next_stage(office: Office, resident: str):
    umbrella = await applied(office, resident, FAREWELL)
    await grant(office, umbrella.parts[0])

    due = await umbrellas.due(office.database, office.clock.now(), 10)  # what a process finds that starts only now
    parts = await now(office, resident, umbrella)

    assert due == [umbrella.id]
    assert parts["GA-02"].number is not None
    assert await umbrellas.due(office.database, office.clock.now(), 10) == []


async def test_two_processes_that_advance_at_once_begin_a_part_once(office: Office, resident: str):
    umbrella = await applied(office, resident, FAREWELL)
    await grant(office, umbrella.parts[0])

    await bundlesteps.advance(office, umbrella.id)
    await bundlesteps.advance(office, umbrella.id)

    part = (await now(office, resident, umbrella))["GA-02"]
    assert (await events_of(office, part.case_id)).count("submitted") == 1


async def test_a_part_keeps_the_version_of_its_item_that_was_applied_for(office: Office, resident: str):
    umbrella = await applied(office, resident, FAREWELL)
    await grant(office, umbrella.parts[0])

    town = await with_item(office, "GA-02", notes="改版")
    part = (await now(town, resident, umbrella))["GA-02"]

    assert (await row_of(town, part.case_id))["item_version"] == office.catalogue.item("GA-02").version


async def test_taking_back_the_whole_leaves_what_is_decided(office: Office, resident: str):
    umbrella = await applied(office, resident, FAREWELL, "GA-07")
    await grant(office, umbrella.parts[0])
    await now(office, resident, umbrella)

    await bundles.withdraw(office, resident, umbrella.id, "不办了", settled)

    parts = await now(office, resident, umbrella)
    assert {code: part.state for code, part in parts.items()} == {
        "MZ-08": parts["MZ-08"].state, "GA-02": "withdrawn", "RS-03": "withdrawn", "GA-07": "withdrawn",
    }  # fmt: skip
    assert parts["MZ-08"].decision == "granted"
    assert (await bundles.show(office, resident, umbrella.id)).finished_at is not None
    with pytest.raises(Refused) as refused:
        await bundles.withdraw(office, resident, umbrella.id, "", settled)
    assert refused.value.code == "bundle_over"


async def test_taking_back_one_part_stops_only_what_needs_it(office: Office, resident: str):
    umbrella = await applied(office, resident, FAREWELL, "GA-07")
    await grant(office, umbrella.parts[0])
    parts = await now(office, resident, umbrella)

    await cases.withdraw(office, resident, parts["GA-02"].case_id, "", settled)
    parts = await now(office, resident, umbrella)

    assert parts["RS-03"].state == "expired"  # the funeral grant needs the death registered
    assert parts["GA-07"].state == "submitted"


async def test_a_refused_application_leaves_nothing_behind(office: Office, resident: str):
    with pytest.raises(Refused) as refused:
        await bundles.apply(office, resident, Application(bundle=FAREWELL, form={}), settled)

    assert refused.value.code == "invalid_form"
    assert await bundles.mine(office, resident, None, 10) == ([], None)


async def test_what_one_part_tolerates_as_missing_is_signed_for_with_the_whole(office: Office, resident: str):
    guide = bundle_view(office.catalogue, office.catalogue.bundle(HOMESTEAD), ())
    papers = tuple([HandedIn(one.code, (await ready_upload(office, resident),)) for one in guide.materials if not one.tolerable])
    form = {**fill_form(msgspec.to_builtins(guide.form.fields), office.clock.now().date()), "applicant_name": "张三"}
    unsigned = Application(bundle=HOMESTEAD, form=form, materials=papers)
    with pytest.raises(Refused, match="commitment_unsigned"):
        await bundles.apply(office, resident, unsigned, settled)

    signed = msgspec.structs.replace(unsigned, commitments=(Signing("tolerated-1", "张三"),))
    umbrella = await bundles.apply(office, resident, signed, settled)

    owed = {part.code: [one.material for one in (await cases.show(office, resident, part.case_id)).debts] for part in umbrella.parts}
    assert owed == {"NY-01": [], "ZR-01": ["house_design"], "BD-01": []}


async def test_a_later_part_whose_promise_bears_a_strange_name_asks_for_it_when_its_turn_comes(office: Office, resident: str):
    guide = bundle_view(office.catalogue, office.catalogue.bundle(FAREWELL), ())
    promised = [HandedIn(one.code, commitment=True) for one in guide.materials if one.commitment]
    given = [HandedIn(one.code, (await ready_upload(office, resident),)) for one in guide.materials if one.required and not one.commitment]
    form = {**fill_form(msgspec.to_builtins(guide.form.fields), office.clock.now().date()), "applicant_name": "张三"}
    signed = Application(bundle=FAREWELL, form=form, materials=(*given, *promised), commitments=(Signing("commitment-1", "李四"),))
    umbrella = await bundles.apply(office, resident, signed, settled)
    await grant(office, next(part for part in umbrella.parts if part.code == "MZ-08"))
    await grant(office, (await now(office, resident, umbrella))["GA-02"])

    asking = (await now(office, resident, umbrella))["RS-03"]
    draft = await cases.show(office, resident, asking.case_id)
    await cases.change_draft(office, resident, draft.id, draft.version, cases.Change(commitments=(Signing("commitment-1", "张三"),)))
    await cases.submit(office, resident, draft.id, settled)

    assert (asking.state, asking.waiting) == ("draft", False)
    (debt,) = (await cases.show(office, resident, draft.id)).debts
    assert (debt.kind, debt.text_version) == ("commitment", "commitment-1")


async def test_a_bundle_is_promised_as_one_from_the_day_it_came_in(office: Office, resident: str):
    umbrella = await applied(office, resident, FAREWELL)  # eight working days over the Spring Festival

    assert umbrella.promised_on == office.calendar.add_workdays(dt.date(2026, 2, 13), 8).day
