"""The inbox: who sees what, in which order, page by page, and that reading it does not look at what it does not show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handlers import claims, desk, handovers, paperdesk, supervision, supervision_cards, worklist_views
from handlers.access import Officer
from handlers.caseviews import CaseView
from handlers.claims import Passing
from handlers.corrections import Correction, MaterialNote
from handlers.errors import Refused
from handlers.office import Office
from handlers.priorities import Marking
from handlers.worklist_views import Query, TaskItem
from storage import worklist
from storage.bell import Bell
from storage.database import Database
from storage.redis import RedisStore
from tests.support.lives import accepted_case, approver, clock_of, new_case, officer
from tests.support.office import CLERK, DIVISION, open_office
from tests.support.staffed import hired

ALONE, TOGETHER = "MZ-03", "MZ-01"  # MZ decides alone; five departments review
SUPERVISOR = Officer("s", "supervisor", "", "", DIVISION)


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def inbox(office: Office, who: Officer, **query: object) -> list[TaskItem]:
    items, _ = await worklist_views.inbox(office, who, Query(**query), "", 100)  # type: ignore[arg-type]
    return items


async def ids(office: Office, who: Officer, **query: object) -> list[str]:
    return [one.case_id for one in await inbox(office, who, **query)]


async def ordinary(office: Office) -> CaseView:
    """A new case of somebody whom no rule puts first."""
    case = await new_case(office, ALONE)
    return await paperdesk.mark(office, CLERK, case.id, case.version, Marking(""))


async def test_each_role_finds_what_it_can_take_further(office: Office):
    new, taken = await new_case(office, ALONE), await accepted_case(office, ALONE, CLERK)

    assert await ids(office, CLERK) == [new.id]
    assert await ids(office, officer("MZ")) == [new.id]
    assert set(await ids(office, approver("MZ"))) == {new.id, taken.id}  # may also refuse to accept
    assert await ids(office, officer("GA")) == []
    assert await ids(office, SUPERVISOR) == []
    assert set(await ids(office, SUPERVISOR, show="all")) == {new.id, taken.id}


async def test_departments_with_a_part_have_a_task_of_their_own_until_they_have_answered(office: Office):
    case = await accepted_case(office, TOGETHER, CLERK)
    [part] = await inbox(office, officer("GA"))
    task = next(one for one in case.tasks if one.department.code == "GA" and one.step == "review")

    await desk.give_opinion(office, officer("GA"), task.id, case.id, case.version, "agreed", "属实")

    assert (part.lead, part.step, part.due_on, part.version) == (False, "review", task.due_on, case.version)
    assert await ids(office, officer("GA"), show="all") == []
    assert [one.step for one in await inbox(office, officer("MZ"), show="all")] == ["wait"]


async def test_the_steps_follow_the_case_to_its_end(office: Office):
    case = await new_case(office, ALONE, handovers.Wish("counter"))
    steps = [one.step for one in await inbox(office, CLERK, show="all")]
    asked = Correction("请补", (), (MaterialNote("id_card", "重拍"),))
    await desk.request_correction(office, CLERK, case.id, case.version, asked)
    steps += [one.step for one in await inbox(office, CLERK, show="all")]
    await office.database.execute("UPDATE cases SET state = 'submitted' WHERE id = $1", case.id)
    await office.database.execute("UPDATE task SET state = 'requested' WHERE case_id = $1", case.id)
    accepted = await desk.accept(office, CLERK, case.id, case.version + 1)
    steps += [one.step for one in await inbox(office, CLERK, show="all")]
    decided = await desk.decide(office, approver("MZ"), case.id, accepted.version, "granted", "")
    steps += [one.step for one in await inbox(office, CLERK)]
    sent = await desk.deliver(office, CLERK, case.id, decided.version, handovers.Dispatch("counter"))
    steps += [one.step for one in await inbox(office, CLERK)]
    await desk.complete(office, CLERK, case.id, sent.version, "张三")

    assert steps == ["accept", "wait", "decide", "deliver", "sign"]
    assert await ids(office, CLERK, show="all") == []


async def test_who_goes_first_comes_first_then_cards_then_what_is_due_soonest_then_the_oldest(office: Office):
    plain, late, first, soon = [await ordinary(office) for _ in range(4)]
    await office.database.execute("UPDATE desk_task SET due_on = '2026-02-14' WHERE case_id = $1", soon.id)
    await office.database.execute("UPDATE desk_task SET level = 3, urgency = urgency - 3 WHERE case_id = $1", late.id)
    await paperdesk.mark(office, CLERK, first.id, first.version, Marking("disabled", "残疾人证"))

    assert await ids(office, CLERK) == [first.id, late.id, soon.id, plain.id]
    assert [one.priority for one in await inbox(office, CLERK)] == [1, 0, 0, 0]


async def test_a_supervision_card_moves_a_case_up_and_its_revocation_down_again(office: Office):
    older, case = await ordinary(office), await ordinary(office)
    manual = {"case_number": case.number, "ground": office.supervision.grounds[0].code, "level": "red", "reason": "推诿"}
    card = await supervision_cards.issue_by_hand(office, SUPERVISOR, supervision_cards.Manual(**manual))
    with_card = [(one.case_id, one.card) for one in await inbox(office, CLERK)]
    await paperdesk.mark(office, CLERK, case.id, case.version, Marking("disabled", "残疾人证"))
    await paperdesk.mark(office, CLERK, case.id, case.version + 1, Marking(""))
    unchanged = await ids(office, CLERK)
    await supervision_cards.revoke(office, SUPERVISOR, card["id"], "查无此事")

    assert with_card == [(case.id, "red"), (older.id, "none")]
    assert unchanged == [case.id, older.id]
    assert await ids(office, CLERK) == [older.id, case.id]


async def test_what_the_sweep_of_supervision_finds_late_is_marked(office: Office):
    case = await accepted_case(office, ALONE, CLERK)
    clock_of(office).advance(days=60)
    await supervision.sweep(office)

    [found] = [one for one in await inbox(office, approver("MZ"), late=True) if one.case_id == case.id]

    assert found.card == "red"


async def test_filters_leave_out_the_rest(office: Office):
    new, other, taken = await new_case(office, ALONE), await new_case(office, "MZ-04"), await accepted_case(office, ALONE, CLERK)

    assert await ids(office, CLERK, item="MZ-04") == [other.id]
    assert await ids(office, CLERK, show="all", state="in_review") == [taken.id]
    assert await ids(office, CLERK, late=True) == []
    clock_of(office).advance(days=20)
    assert await ids(office, CLERK, late=True) == [new.id, other.id]
    with pytest.raises(Refused, match="bad_request"):
        await ids(office, CLERK, state="dancing")


async def test_mine_and_free_tell_who_has_what(office: Office):
    me, other = await hired(office, "张伟", "MZ"), await hired(office, "李娜", "MZ")
    mine, theirs, free = [await new_case(office, ALONE) for _ in range(3)]
    await claims.claim(office, me, mine.id)
    await claims.claim(office, other, theirs.id)

    assert await ids(office, me) == [mine.id, theirs.id, free.id]
    assert [(one.holder.name, one.holder.own) if one.holder else None for one in await inbox(office, me)] == [
        ("张*", True), ("李*", False), None,
    ]  # fmt: skip
    assert await ids(office, me, show="mine") == [mine.id]
    assert await ids(office, me, show="free") == [free.id]
    clock_of(office).advance(minutes=31)
    assert await ids(office, me, show="mine") == []
    assert len(await ids(office, me, show="free")) == 3


async def test_what_was_handed_over_comes_first_also_after_its_lease(office: Office):
    me, chief = await hired(office, "张伟", "MZ"), await hired(office, "赵敏", "MZ", "approver")
    cases = [await new_case(office, ALONE) for _ in range(4)]
    urgent, given = cases[0], cases[3]
    await paperdesk.mark(office, CLERK, urgent.id, urgent.version, Marking("disabled", "残疾人证"))
    await claims.assign(office, chief, given.id, Passing(me.id))

    at_once = await ids(office, me)
    clock_of(office).advance(minutes=31)

    assert at_once == [given.id, urgent.id, cases[1].id, cases[2].id]
    assert await ids(office, me) == at_once
    assert await ids(office, me, show="mine") == [given.id]
    assert (await inbox(office, me))[0].holder.live is False


async def test_who_changes_departments_leaves_his_work_behind(office: Office):
    me, chief = await hired(office, "张伟", "MZ"), await hired(office, "赵敏", "MZ", "approver")
    given, taken = await new_case(office, ALONE), await new_case(office, ALONE)
    await claims.assign(office, chief, given.id, Passing(me.id))
    await claims.claim(office, me, taken.id)
    moved = Officer(me.id, "officer", "GA", "", DIVISION)

    for show in ("todo", "mine", "all"):
        assert await ids(office, moved, show=show) == []


@pytest.mark.parametrize("late", [False, True])
async def test_pages_show_each_part_once(office: Office, *, late: bool):
    me, chief = await hired(office, "张伟", "MZ"), await hired(office, "赵敏", "MZ", "approver")
    cases = [await new_case(office, ALONE) for _ in range(7)]
    for one in cases[4:]:
        await claims.assign(office, chief, one.id, Passing(me.id))
    await accepted_case(office, ALONE, CLERK)
    clock_of(office).advance(days=20)

    for size in (1, 2, 3, 7, 50):
        seen: list[str] = []
        cursor, more = "", True
        while more:
            items, cursor = await worklist_views.inbox(office, me, Query(late=late), cursor, size)
            seen += [one.case_id for one in items]
            more = bool(cursor)
        assert seen == [one.id for one in (*cases[4:], *cases[:4])], size


@pytest.mark.parametrize("cursor", ["1.x.y.z", "0.99999999999.2026-02-13.a", "0.99999999999999999999999.2026-02-13.a", "2.1.2026-02-13.a"])
async def test_what_is_no_cursor_of_ours_is_refused_before_any_store_is_asked(office: Office, cursor: str):
    with pytest.raises(Refused, match="invalid_cursor"):
        await worklist_views.inbox(office, CLERK, Query(), cursor, 5)


async def test_another_town_sees_nothing(office: Office):
    await new_case(office, ALONE)
    for role, department in (("clerk", ""), ("officer", "MZ"), ("approver", "MZ"), ("supervisor", "")):
        assert await ids(office, Officer("x", role, department, "", "130208109"), show="all") == []
    with pytest.raises(Refused, match="forbidden"):
        await ids(office, Officer("x", "administrator", "", "", DIVISION))


WANTED = [
    ("MZ", False, ""),
    ("MZ", True, ""),
    (None, False, ""),
    (None, False, "MZ-03"),
    ("MZ", False, "MZ-03"),
]


@pytest.mark.parametrize(("department", "late", "item"), WANTED)
async def test_every_page_is_read_from_an_index_in_its_order(office: Office, department: str | None, item: str, *, late: bool):
    """No plan reads the table whole or sorts more than the pages of the steps."""
    await office.database.execute(
        "INSERT INTO resident (id, openid, preferences, created_at) VALUES ('r', 'o', '{}', $1)", office.clock.now()
    )
    await _fill(office, 3000)
    now = office.clock.now()
    late_on = now.date() if late else None
    wanted = worklist.Wanted(DIVISION, department, "me", now, ["accept", "decide"], item=item, late_on=late_on)
    sql, values = worklist.statement(wanted, (3, now.date(), "a"), 50)

    explain = "EXPLAIN QUERY PLAN" if office.database.dialect == "sqlite" else "EXPLAIN"
    plan = [str(list(row.values())[-1]) for row in await office.database.rows(f"{explain} {sql}", *values)]

    reads = [line for line in plan if re.search(r"(?:Scan|SEARCH|SCAN)\b.* desk_task", line)]
    assert len(reads) == len(wanted.steps)
    assert all("desk_task_" in line for line in reads), plan
    assert all("SEARCH" in line or "Index" in line for line in reads), plan


async def _fill(office: Office, number: int) -> None:
    now = office.clock.now()
    rows = [(f"c{n:05}", f"N{n}", now, now.date()) for n in range(number)]
    await office.database.execute_many(
        "INSERT INTO cases (id, number, resident_id, item_code, item_version, department, area, state, form_sealed, card, "
        "created_at, updated_at, submitted_at, promised_on) "
        f"VALUES ($1, $2, 'r', 'MZ-03', 1, 'MZ', '{DIVISION}', 'submitted', '', '{{}}', $3, $3, $3, $4)",
        rows,
    )
    await office.database.execute(
        "INSERT INTO desk_task (case_id, department, area, item_code, state, step, is_lead, urgency, due_on) "
        "SELECT id, department, area, item_code, state, 'accept', TRUE, 11, promised_on FROM cases WHERE number LIKE 'N%'"
    )
    await office.database.execute("ANALYZE")
