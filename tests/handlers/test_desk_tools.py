"""What officers work with beside the acts themselves: notes, reply templates, many cases at once, finding a case."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from handlers import batches, cases, casesearch, claims, desk, handovers, notes, particulars, replies, timeline
from handlers.access import Officer
from handlers.batches import Batch, Chosen
from handlers.cases import Change
from handlers.casesearch import Search
from handlers.caseviews import CaseView
from handlers.corrections import Correction, FieldNote
from handlers.errors import Refused
from handlers.notes import Note
from handlers.office import Office
from handlers.replies import Template
from handlers.shortcodes import receipt_code
from storage import audit
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.support.lives import accepted_case, approver, clock_of, new_case, no_answer, now, officer, row_of
from tests.support.office import CLERK, DIVISION, open_office
from tests.support.staffed import hired

ALONE, TOGETHER = "MZ-03", "MZ-01"
SUPERVISOR = Officer("s", "supervisor", "", "", DIVISION)
ELSEWHERE = Officer("x", "clerk", "", "", "130208109")


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


# Notes


async def test_a_note_has_author_and_time_and_rests_sealed(office: Office):
    me, case = await hired(office, "张伟", "MZ"), await new_case(office, ALONE)

    written = await notes.add(office, me, case.id, Note(" 申请人电话打不通，下午再联系 "))
    [row] = await office.database.rows("SELECT * FROM case_note")

    assert (written.author, written.organisation, written.at) == ("张伟", "民政", office.clock.now())
    assert written.text == "申请人电话打不通，下午再联系"
    assert "电话".encode() not in bytes(row["text_sealed"])
    assert await notes.of_case(office, CLERK, case.id, None, 10) == [written]


async def test_who_writes_a_note_is_answered_with_his_own_also_beside_a_machine_whose_clock_is_ahead(office: Office):
    me, case = await hired(office, "张伟", "MZ"), await new_case(office, ALONE)
    later = f"f{await notes.write(office, office.database, CLERK, case.id, '别人的备注')}"[:36]
    await office.database.execute("UPDATE case_note SET id = $1", later)

    assert (await notes.add(office, me, case.id, Note("我的备注"))).text == "我的备注"


async def test_a_look_at_numbers_and_addresses_alone_is_in_the_record_too(office: Office):
    me, case = await hired(office, "张伟", "MZ"), await new_case(office, ALONE)

    await particulars.show(office, me, case.id)
    with pytest.raises(Refused, match="not_found"):
        await particulars.show(office, officer("GA"), case.id)

    looks = [row for row in await audit.of_object(office.database, "case", case.id) if row["action"] == "case.particulars_seen"]
    assert [row["actor_id"] for row in looks] == [me.id]


async def test_a_note_is_never_in_what_its_resident_sees(office: Office):
    case = await new_case(office, ALONE)
    await notes.add(office, CLERK, case.id, Note("疑似重复申请"))

    seen = [await cases.show(office, (await row_of(office, case))["resident_id"], case.id), await timeline.history(office, case.id, 0, 100)]
    events = await office.database.rows("SELECT data FROM account_event")

    assert "疑似重复申请" not in msgspec.json.encode(seen).decode() + str(events)


async def test_notes_are_for_those_who_may_see_the_case(office: Office):
    case = await new_case(office, ALONE)
    for stranger in (officer("SW"), ELSEWHERE):
        with pytest.raises(Refused, match="not_found"):
            await notes.add(office, stranger, case.id, Note("看看"))
        with pytest.raises(Refused, match="not_found"):
            await notes.of_case(office, stranger, case.id, None, 10)
    with pytest.raises(Refused, match="forbidden"):
        await notes.add(office, SUPERVISOR, case.id, Note("看看"))
    with pytest.raises(Refused, match="note_empty"):
        await notes.add(office, CLERK, case.id, Note("   "))


# Templates


async def test_a_template_fills_its_gaps_from_the_case(office: Office):
    me, case = officer("MZ"), await new_case(office, ALONE)
    text = "{applicant}：您申请的“{item}”（{number}）缺少材料。{date}"

    await replies.add(office, me, Template("correction", "缺材料", text))
    [ready] = await replies.for_case(office, CLERK, case.id)

    name = str(case.form["applicant_name"])
    assert ready.text.startswith(f"{name[0]}*")
    assert name not in ready.text
    assert ready.text.endswith(f"您申请的“{case.item.name}”（{case.number}）缺少材料。2026年2月13日")


@pytest.mark.parametrize("text", ["{name}您好", "{applicant", "applicant}", "{}", "{applicant.x}", "{{item}}"])
async def test_an_unknown_placeholder_is_refused_at_saving_and_not_echoed(office: Office, text: str):
    with pytest.raises(Refused, match="placeholder_unknown") as refused:
        await replies.add(office, officer("MZ"), Template("note", "题", text))
    assert refused.value.values == {"known": "{applicant}、{item}、{number}、{date}"}


async def test_templates_belong_to_their_department(office: Office):
    made = await replies.add(office, officer("MZ"), Template("note", "题", "文"))

    assert await replies.listing(office, officer("GA")) == []
    with pytest.raises(Refused, match="not_found"):
        await replies.change(office, officer("GA"), made.id, Template("note", "题", "改"))
    with pytest.raises(Refused, match="not_found"):
        await replies.retire(office, officer("GA"), made.id)
    for role in ("clerk", "supervisor", "administrator"):
        with pytest.raises(Refused, match="forbidden"):
            await replies.add(office, Officer("x", role, "", "", DIVISION), Template("note", "题", "文"))

    changed = await replies.change(office, approver("MZ"), made.id, Template("opinion", "题二", "文二"))
    assert await replies.listing(office, officer("MZ"), "opinion") == [changed]
    await replies.retire(office, officer("MZ"), made.id)
    assert await replies.listing(office, officer("MZ")) == []
    with pytest.raises(Refused, match="not_found"):
        await replies.change(office, officer("MZ"), made.id, Template("note", "题", "文"))
    with pytest.raises(Refused, match="template_empty"):
        await replies.add(office, officer("MZ"), Template("note", " ", "文"))


# Many at once


def chosen(*views: CaseView) -> tuple[Chosen, ...]:
    return tuple(Chosen(view.id, view.version) for view in views)


async def test_each_case_of_a_batch_has_a_result_of_its_own(office: Office):
    good, stale, held, foreign = [await new_case(office, ALONE) for _ in range(3)] + [await new_case(office, "SJ-03")]
    await claims.claim(office, await hired(office, "李娜", "MZ"), held.id)
    me = officer("MZ")
    batch = Batch("accept", (*chosen(good), Chosen(stale.id, 0), *chosen(held, foreign), Chosen("nothing", 1)))

    outcomes = await batches.run(office, me, batch, "key")

    codes = [one.refused.code if one.refused else None for one in outcomes]
    assert codes == [None, "precondition_failed", "claimed", "not_found", "not_found"]
    assert (await now(office, good)).state == "in_review"
    assert {(await now(office, one)).state for one in (stale, held, foreign)} == {"submitted"}


async def test_a_batch_sent_again_says_the_same_and_does_nothing_twice(office: Office):
    first, second = await new_case(office, ALONE), await new_case(office, ALONE)
    cut_off = Batch("accept", chosen(first))
    await batches.run(office, officer("MZ"), cut_off, "key")

    again = await batches.run(office, officer("MZ"), Batch("accept", chosen(first, second)), "key")
    other = await batches.run(office, officer("MZ"), Batch("deliver", chosen(first)), "key")
    somebody_else = await batches.run(office, officer("MZ", "another"), cut_off, "key")

    assert [one.refused for one in again] == [None, None]
    assert other[0].refused.code == "idempotency_key_reused"
    assert somebody_else[0].refused.code == "precondition_failed"
    assert [one.type for one in await timeline.history(office, first.id, 0, 100)].count("accepted") == 1


async def test_of_a_batch_that_is_sent_twice_at_once_both_say_that_it_is_done(office: Office):
    batch = Batch("accept", chosen(*[await new_case(office, ALONE) for _ in range(2)]))

    twice = await asyncio.gather(*(batches.run(office, officer("MZ"), batch, "key") for _ in range(2)))

    assert [[one.refused for one in outcomes] for outcomes in twice] == [[None, None], [None, None]]
    for one in batch.cases:
        assert [line.type for line in await timeline.history(office, one.id, 0, 100)].count("accepted") == 1


async def test_a_department_agrees_to_many(office: Office):
    asked = [await accepted_case(office, TOGETHER, CLERK) for _ in range(2)]
    not_asked = await accepted_case(office, ALONE, CLERK)

    outcomes = await batches.run(office, officer("GA"), Batch("agree", chosen(*asked, not_asked), opinion="户籍属实"), "key")

    assert [one.refused.code if one.refused else None for one in outcomes] == [None, None, "not_found"]
    for case in asked:
        told = next(task for task in (await now(office, case)).tasks if task.department.code == "GA")
        assert (told.result, told.opinion) == ("agreed", "户籍属实")
    lead = await batches.run(office, officer("MZ"), Batch("agree", chosen(not_asked)), "key")
    assert lead[0].refused.code == "not_found"


async def test_results_are_laid_ready_for_many(office: Office):
    wish = handovers.Wish("counter")
    made = [await new_case(office, ALONE, wish) for _ in range(2)]
    ready = []
    for case in made:
        accepted = await desk.accept(office, CLERK, case.id, case.version)
        ready.append(await desk.decide(office, approver("MZ"), case.id, accepted.version, "granted", ""))

    outcomes = await batches.run(office, CLERK, Batch("deliver", chosen(*ready)), "key")

    assert [one.refused for one in outcomes] == [None, None]
    assert {(await now(office, case)).state for case in made} == {"delivering"}


async def test_who_gave_an_opinion_is_known_to_the_office(office: Office):
    me, case = await hired(office, "王强", "GA"), await accepted_case(office, TOGETHER, CLERK)
    await batches.run(office, me, Batch("agree", chosen(case)), "key")

    given = (await particulars.of_case(office, me, case.id)).opinions[-1]

    assert (given.name, given.at) == ("王强", office.clock.now())


# Finding a case


async def found(office: Office, who: Officer, **wanted: Any) -> list[str]:
    hits, _ = await casesearch.search(office, who, Search("handling", **wanted))
    return [one.case.id for one in hits]


async def test_a_case_is_found_by_its_number_its_end_and_its_receipt(office: Office):
    case, other = await new_case(office, ALONE), await new_case(office, "SJ-03")
    number = str(case.number)
    receipt = receipt_code(office.keys, number, 1)

    for code in (number, f" {number[:9]} {number[9:]} ", number[-6:], number[-6:].lower(), receipt, f"https://xn.gov.cn/r/{receipt}"):
        assert await found(office, CLERK, code=code) == [case.id], code
    for code in (number[-5:], number[:-1] + ("0" if number[-1] != "0" else "1"), "%", receipt[:-1] + "*", "x" * 200):
        assert await found(office, CLERK, code=code) == [], code
    assert await found(office, officer("MZ"), code=str(other.number)) == []


async def test_a_name_is_found_whole_or_not_at_all(office: Office):
    case = await new_case(office, ALONE)
    name = str(case.form["applicant_name"])
    [row] = await office.database.rows("SELECT * FROM case_search")

    assert await found(office, CLERK, applicant=f" {name[0]}　{name[1:]} ") == [case.id]
    assert await found(office, CLERK, applicant=name[:-1]) == []
    assert name not in str(row)


async def test_after_a_correction_the_new_name_finds_it(office: Office):
    case = await new_case(office, ALONE)
    resident = (await row_of(office, case))["resident_id"]
    await desk.request_correction(
        office, CLERK, case.id, case.version, Correction("姓名有误", (FieldNote("applicant_name", "与身份证一致"),), ())
    )
    await cases.correct(office, resident, case.id, Change({"applicant_name": "欧阳锋"}), no_answer)

    assert await found(office, CLERK, applicant="欧阳锋") == [case.id]
    assert await found(office, CLERK, applicant=str(case.form["applicant_name"])) == []


async def test_item_and_days_narrow_it_down_page_by_page(office: Office):
    made = []
    for _ in range(5):
        made.append((await new_case(office, ALONE)).id)
        clock_of(office).advance(days=1)
    await new_case(office, "SJ-03")
    first = office.clock.now().date().replace(day=14)

    seen: list[str] = []
    cursor, more = "", True
    while more:
        hits, cursor = await casesearch.search(office, CLERK, Search("check", item=ALONE, since=first, cursor=cursor, limit=2))
        seen += [one.case.id for one in hits]
        more = bool(cursor)

    assert seen == made[:0:-1]
    assert await found(office, CLERK, since=first, until=first) == [made[1]]
    with pytest.raises(Refused, match="search_span"):
        await found(office, CLERK, since=first, until=first.replace(day=1))
    with pytest.raises(Refused, match="search_empty"):
        await found(office, CLERK)
    with pytest.raises(Refused, match="invalid_cursor"):
        await found(office, CLERK, item=ALONE, cursor="yesterday")


async def test_everybody_finds_his_own_only_and_each_search_is_in_the_record(office: Office):
    case = await accepted_case(office, TOGETHER, CLERK)
    name = str(case.form["applicant_name"])

    for who in (CLERK, SUPERVISOR, officer("MZ"), approver("MZ"), officer("GA")):
        assert await found(office, who, applicant=name) == [case.id], who
    for who in (officer("SF"), ELSEWHERE):
        assert await found(office, who, applicant=name) == [], who
    with pytest.raises(Refused, match="forbidden"):
        await found(office, Officer("a", "administrator", "", "", DIVISION), applicant=name)

    kept = await office.database.rows("SELECT data FROM audit WHERE action = 'case.searched' AND actor_id = $1", CLERK.id)
    assert [msgspec.json.decode(row["data"]) for row in kept] == [{"purpose": "handling", "by": ["applicant"], "shown": 1}]
    assert name not in str(await office.database.rows("SELECT data FROM audit"))
