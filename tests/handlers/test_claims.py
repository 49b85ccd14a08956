"""Two officers, one case: who holds it, for how long, and what that keeps others from."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from handlers import claims, desk, extensions, notes
from handlers.access import Officer
from handlers.caseviews import CaseView
from handlers.claims import Passing
from handlers.errors import Refused
from handlers.office import Office
from handlers.refusals import REFUSALS
from storage import audit
from storage.bell import Bell
from storage.blocks import Blocks
from storage.database import Database
from storage.redis import RedisStore
from tests.support.lives import accepted_case, approver, clock_of, history, new_case, now, officer
from tests.support.office import CLERK, DIVISION, open_office
from tests.support.staffed import hired

OpenDatabase = Callable[..., Awaitable[Database]]

ALONE, TOGETHER = "MZ-03", "MZ-01"  # MZ decides alone; five departments review


@pytest.fixture
async def office(database: Database, bell: Bell, store: RedisStore, tmp_path: Path) -> Office:
    return await open_office(database, bell, store, tmp_path)


async def held_by(office: Office, reader: Officer, case: CaseView) -> str | None:
    holder = (await claims.show(office, reader, case.id)).holder
    return holder.name if holder else None


async def test_who_claims_holds_and_everybody_else_is_told_who_and_until_when(office: Office):
    first, second = await hired(office, "张伟", "MZ"), await hired(office, "李娜", "MZ")
    case = await new_case(office, ALONE)

    taken = await claims.claim(office, first, case.id)
    with pytest.raises(Refused) as refused:
        await claims.claim(office, second, case.id)

    assert taken.holder is not None
    assert (taken.holder.own, taken.holder.until) == (True, office.clock.now() + dt.timedelta(minutes=30))
    assert (refused.value.code, refused.value.values) == ("claimed", {"holder": "张*", "until": "10:00"})
    assert REFUSALS["claimed"].status == 409
    assert await held_by(office, second, case) == "张*"


async def test_of_two_who_claim_in_the_same_moment_one_gets_it(office: Office, database_url: str, open_database: OpenDatabase):
    """Each on a connection of his own, as two processes have."""
    people = [await hired(office, name, "MZ") for name in ("张伟", "李娜")]
    case = await new_case(office, ALONE)
    offices = [await _another(office, await open_database(database_url)) for _ in people]

    outcomes = await asyncio.gather(
        *(claims.claim(one, who, case.id) for one, who in zip(offices, people, strict=True)), return_exceptions=True
    )

    refused = [one for one in outcomes if isinstance(one, Refused)]
    assert [one.code for one in refused] == ["claimed"]
    assert refused[0].values["holder"] in {"张*", "李*"}
    assert len(await office.database.rows("SELECT * FROM claim")) == 1


async def test_of_two_who_accept_in_the_same_moment_one_does(office: Office, database_url: str, open_database: OpenDatabase):
    people = [await hired(office, name, "MZ") for name in ("张伟", "李娜")]
    case = await new_case(office, ALONE)
    offices = [await _another(office, await open_database(database_url)) for _ in people]

    outcomes = await asyncio.gather(
        *(desk.accept(one, who, case.id, case.version) for one, who in zip(offices, people, strict=True)), return_exceptions=True
    )

    assert [one.code for one in outcomes if isinstance(one, Refused)] == ["precondition_failed"]
    assert [one.type for one in await history(office, case)].count("accepted") == 1


async def test_while_it_is_held_nobody_else_acts_and_the_holder_does(office: Office):
    first, second = await hired(office, "张伟", "MZ"), await hired(office, "李娜", "MZ")
    case = await new_case(office, ALONE)
    await claims.claim(office, first, case.id)

    for other in (second, CLERK):
        with pytest.raises(Refused, match="claimed"):
            await desk.accept(office, other, case.id, case.version)
    accepted = await desk.accept(office, first, case.id, case.version)

    assert accepted.state == "in_review"


async def test_a_claim_is_for_one_step_and_ends_with_it(office: Office):
    first = await hired(office, "张伟", "MZ")
    case = await new_case(office, ALONE)
    await claims.claim(office, first, case.id)

    accepted = await desk.accept(office, first, case.id, case.version)

    assert await held_by(office, first, case) is None
    assert (await desk.decide(office, approver("MZ"), case.id, accepted.version, "granted", "")).decision == "granted"


async def test_departments_hold_their_own_parts_beside_each_other(office: Office):
    lead, police = await hired(office, "张伟", "MZ"), await hired(office, "王强", "GA")
    case = await accepted_case(office, TOGETHER, CLERK)

    await claims.claim(office, lead, case.id)
    part = await claims.claim(office, police, case.id)
    task = next(task for task in case.tasks if task.department.code == "GA" and task.step == "review")
    told = await desk.give_opinion(office, police, task.id, case.id, case.version, "agreed", "属实")

    assert (part.department.code, part.step) == ("GA", "review")
    assert next(one for one in told.tasks if one.id == task.id).result == "agreed"
    assert await held_by(office, lead, case) == "张*"


async def test_every_act_of_the_holder_renews_the_lease(office: Office):
    first, second = await hired(office, "张伟", "MZ"), await hired(office, "李娜", "MZ")
    case = await accepted_case(office, TOGETHER, CLERK)
    await claims.claim(office, first, case.id)

    clock_of(office).advance(minutes=25)
    asked = await desk.ask_extension(office, first, case.id, (await now(office, case)).version, extensions.Asking(3, "需要核实"))
    clock_of(office).advance(minutes=25)
    with pytest.raises(Refused, match="claimed"):
        await claims.claim(office, second, case.id)
    clock_of(office).advance(minutes=6)

    assert (await claims.claim(office, second, case.id)).holder.own
    assert asked.version > case.version


async def test_what_the_holder_asked_for_is_approved_by_somebody_else_all_the_same(office: Office):
    first, chief = await hired(office, "张伟", "MZ"), await hired(office, "赵敏", "MZ", "approver")
    case = await accepted_case(office, TOGETHER, CLERK)
    await claims.claim(office, first, case.id)
    asked = await desk.ask_extension(office, first, case.id, case.version, extensions.Asking(3, "需要核实"))

    approved = await desk.approve_extension(office, chief, case.id, asked.version)

    assert len(approved.extensions) == 1


async def test_an_approver_takes_over_with_a_reason_only(office: Office):
    first, chief = await hired(office, "张伟", "MZ"), await hired(office, "赵敏", "MZ", "approver")
    other = await hired(office, "李娜", "MZ")
    case = await new_case(office, ALONE)
    await claims.claim(office, first, case.id)

    for who, reason in ((chief, ""), (chief, "  "), (other, "我来")):
        with pytest.raises(Refused, match="claimed"):
            await claims.claim(office, who, case.id, reason)
    taken = await claims.claim(office, chief, case.id, "经办人请假")

    assert taken.holder is not None
    assert taken.holder.own
    lines = [row for row in await audit.of_object(office.database, "case", case.id) if row["action"] == "case.claim"]
    assert {(line["actor_id"], line["data"]["reason"], line["data"].get("from")) for line in lines} == {
        (chief.id, "经办人请假", first.id),
        (first.id, "", None),
    }


async def test_the_record_names_from_whom_a_part_was_taken_by_an_assignment(office: Office):
    first, second, chief = (
        await hired(office, "张伟", "MZ"),
        await hired(office, "李娜", "MZ"),
        await hired(office, "赵敏", "MZ", "approver"),
    )
    case = await new_case(office, ALONE)
    await claims.claim(office, first, case.id)

    await claims.assign(office, chief, case.id, Passing(second.id))

    [line] = [row for row in await audit.of_object(office.database, "case", case.id) if row["action"] == "case.assign"]
    assert line["data"] == {"department": "MZ", "to": second.id, "from": first.id}


async def test_only_the_holder_releases(office: Office):
    first, second = await hired(office, "张伟", "MZ"), await hired(office, "李娜", "MZ")
    case = await new_case(office, ALONE)
    await claims.claim(office, first, case.id)

    with pytest.raises(Refused, match="not_held"):
        await claims.release(office, second, case.id)
    await claims.release(office, first, case.id)

    assert (await claims.claim(office, second, case.id)).holder.own


async def test_an_approver_assigns_and_the_officer_holds_it(office: Office):
    first, chief = await hired(office, "张伟", "MZ"), await hired(office, "赵敏", "MZ", "approver")
    case = await new_case(office, ALONE)

    view = await claims.assign(office, chief, case.id, Passing(first.id, "先看户口本"))

    assert view.holder is not None
    assert (view.holder.name, view.holder.given, view.holder.own) == ("张*", True, False)
    assert [one.type for one in await history(office, case)][-1] == "assigned"
    assert (await notes.of_case(office, first, case.id, None, 10))[0].text == "先看户口本"
    [line] = [row for row in await audit.of_object(office.database, "case", case.id) if row["action"] == "case.assign"]
    assert (line["actor_id"], line["data"]) == (chief.id, {"department": "MZ", "to": first.id})


async def test_the_holder_hands_over_and_holds_it_no_longer(office: Office):
    first, second = await hired(office, "张伟", "MZ"), await hired(office, "李娜", "MZ")
    case = await new_case(office, ALONE)
    with pytest.raises(Refused, match="not_held"):
        await claims.hand_over(office, first, case.id, Passing(second.id))
    await claims.claim(office, first, case.id)

    await claims.hand_over(office, first, case.id, Passing(second.id, "我下周出差"))

    with pytest.raises(Refused, match="claimed"):
        await desk.accept(office, first, case.id, (await now(office, case)).version)
    assert (await claims.show(office, second, case.id)).acts == ("release", "hand_over")


async def test_nobody_gets_work_who_is_gone_or_works_elsewhere(office: Office):
    chief, gone, other = (
        await hired(office, "赵敏", "MZ", "approver"), await hired(office, "孙离", "MZ"), await hired(office, "王强", "GA")
    )  # fmt: skip
    away, watcher = await hired(office, "周远", "MZ"), await hired(office, "吴督", "MZ", "supervisor")
    await office.database.execute("UPDATE staff SET is_active = FALSE WHERE id = $1", gone.id)
    await office.database.execute("UPDATE staff SET area = '130208109' WHERE id = $1", away.id)
    case = await new_case(office, ALONE)

    for wrong in (gone, other, away, watcher, chief):
        with pytest.raises(Refused, match="colleague_unknown"):
            await claims.assign(office, chief, case.id, Passing(wrong.id))

    assert await claims.colleagues(office, chief, case.id) == []


async def test_clerks_hand_over_to_clerks(office: Office):
    first, second = await hired(office, "张窗", "", "clerk"), await hired(office, "李窗", "", "clerk")
    case = await new_case(office, ALONE)
    await claims.claim(office, first, case.id)

    assert [one.name for one in await claims.colleagues(office, first, case.id)] == ["李窗"]
    assert (await claims.hand_over(office, first, case.id, Passing(second.id))).holder.name == "李*"


async def test_who_may_not_see_a_case_does_not_learn_who_holds_it(office: Office):
    case = await new_case(office, ALONE)
    for stranger in (officer("SW"), Officer("x", "officer", "MZ", "", "130208109")):
        for act in (claims.show, claims.claim, claims.release, claims.colleagues):
            with pytest.raises(Refused, match="not_found"):
                await act(office, stranger, case.id)
    with pytest.raises(Refused, match="forbidden"):
        await claims.claim(office, Officer("s", "supervisor", "", "", DIVISION), case.id)
    with pytest.raises(Refused, match="forbidden"):
        await claims.assign(office, officer("MZ"), case.id, Passing("x"))


async def test_a_case_that_is_over_is_not_claimed(office: Office):
    first = await hired(office, "张伟", "MZ")
    case = await accepted_case(office, ALONE, CLERK)
    await desk.decide(office, approver("MZ"), case.id, case.version, "granted", "")

    with pytest.raises(Refused, match="nothing_to_claim"):
        await claims.claim(office, first, case.id)


async def _another(office: Office, database: Database) -> Office:
    """The same office as another process has it."""
    return dataclasses.replace(office, database=database, numbers=Blocks(database))
