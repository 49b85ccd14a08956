"""Who may see and change a case made for somebody else, and who is told; the end of the authority is the end of the agent."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import agents, cases, codes, desk, particulars, proxies, timeline
from handlers.caseviews import CaseView
from handlers.errors import Refused
from handlers.limits import local_date
from handlers.office import Office
from storage import account_events
from storage import cases as rows
from tests.support.lives import approver, clock_of, history, no_answer, officer, row_of
from tests.support.office import CLERK
from tests.support.proxies import (
    GRANDMOTHER,
    OLD,
    RATE,
    RELIEF,
    YOUNG,
    active,
    agent,
    application,
    applied,
    confirmed,
    office,
    principal,
    quiet,
)
from tests.support.town import settle_in

__all__ = ["agent", "office", "principal"]


async def heard(office: Office, account: str) -> list[str]:
    return [one.type for one in await account_events.since(office.database, account, 0, 1000)]


Act = Callable[[Office, str, CaseView], Awaitable[object]]


async def _look(office: Office, account: str, case: CaseView) -> object:
    return await cases.show(office, account, case.id)


async def _withdraw(office: Office, account: str, case: CaseView) -> object:
    return await cases.withdraw(office, account, case.id, "", no_answer)


async def _show_code(office: Office, account: str, case: CaseView) -> object:
    return await codes.issue_lookup(office, account, "s", "hall", [case.id])


@pytest.mark.parametrize("act", [_look, _withdraw, _show_code])
async def test_after_the_revocation_the_agent_does_nothing_and_the_principal_everything(
    office: Office, agent: str, principal: str, act: Act
):
    one = await confirmed(office, agent, principal)
    case = await applied(office, agent, one.id)
    await proxies.revoke(office, principal, one.id)

    with pytest.raises(Refused, match="proxy_over"):
        await act(office, agent, case)
    with pytest.raises(Refused, match="not_found"):
        await act(office, await settle_in(office.database, "stranger"), case)
    await act(office, principal, case)
    assert (await row_of(office, case))["resident_id"] == agent  # what he did stays


async def test_a_draft_made_for_somebody_is_not_handed_in_after_the_revocation(office: Office, agent: str, principal: str):
    one = await confirmed(office, agent, principal)
    draft = await applied(office, agent, one.id, submit=False)
    await proxies.revoke(office, agent, one.id)

    with pytest.raises(Refused, match="proxy_over"):
        await cases.submit(office, agent, draft.id, no_answer)
    with pytest.raises(Refused, match="proxy_over"):
        await cases.change_draft(office, agent, draft.id, draft.version, cases.Change(form={}))
    handed_in = await cases.submit(office, principal, draft.id, no_answer)

    lines = {line.type: line.actor.name for line in await history(office, handed_in)}
    assert (handed_in.state, lines["submitted"]) == ("submitted", "申请人")


async def test_an_authority_that_has_run_out_is_over_without_a_sweep(office: Office, agent: str):
    last = local_date(office.clock.now())
    case = await applied(office, agent, (await active(office, agent, valid_to_on=last)).id)
    clock_of(office).time += dt.timedelta(days=1)

    with pytest.raises(Refused, match="proxy_over"):
        await cases.show(office, agent, case.id)


async def test_a_new_authority_for_the_same_person_goes_on_where_the_old_one_ended(office: Office, agent: str):
    one = await active(office, agent)
    case = await applied(office, agent, one.id)
    await proxies.revoke(office, agent, one.id)

    await active(office, agent)

    assert (await cases.withdraw(office, agent, case.id, "", no_answer)).state == "withdrawn"


async def test_an_authority_of_a_kind_that_may_not_do_the_item_does_not_go_on_with_its_case(office: Office, agent: str):
    """A relative could not have asked for the certificate, so she cannot go on with it after her mandate was taken back."""
    mandate = await active(office, agent, kind="mandate", relation="")
    case = await applied(office, agent, mandate.id, RATE)
    await active(office, agent)
    await cases.show(office, agent, case.id)
    await proxies.revoke(office, agent, mandate.id)

    with pytest.raises(Refused, match="proxy_over"):
        await cases.show(office, agent, case.id)
    with pytest.raises(Refused, match="proxy_over"):
        await cases.withdraw(office, agent, case.id, "", no_answer)
    await active(office, agent, kind="mandate", relation="")
    assert (await cases.show(office, agent, case.id)).id == case.id


@pytest.mark.parametrize("paper", ["receipt_code", "number"])
async def test_a_look_at_the_counter_is_told_to_whom_the_case_is_told(office: Office, agent: str, principal: str, paper: str):
    one = await confirmed(office, agent, principal)
    case = await applied(office, agent, one.id)
    await codes.scan(office, CLERK, str(getattr(case, paper)), "hall")
    assert (await heard(office, agent)).count("code.scanned") == (await heard(office, principal)).count("code.scanned") == 1

    await proxies.revoke(office, principal, one.id)
    await codes.scan(office, CLERK, str(getattr(case, paper)), "hall")

    assert (await heard(office, agent)).count("code.scanned") == 1
    assert (await heard(office, principal)).count("code.scanned") == 2


@pytest.mark.parametrize("linked", [True, False])
async def test_the_office_sees_that_the_agent_may_fetch_nothing_any_more_and_whether_anybody_is_told(
    office: Office, agent: str, principal: str, linked: bool  # noqa: FBT001 - made by pytest
):  # fmt: skip
    one = await (confirmed(office, agent, principal) if linked else active(office, agent))
    case = await applied(office, agent, one.id)

    async def shown() -> tuple[bool, bool, bool]:
        more = (await particulars.of_case(office, officer("MZ"), case.id)).agent
        card = (await codes.scan(office, CLERK, str(case.number), "hall")).cases[0]
        assert more is not None
        return more.holds, more.told, card.agent_over

    assert await shown() == (True, True, False)
    await proxies.revoke(office, agent, one.id)
    assert await shown() == (False, linked, True)


async def test_results_go_to_both_and_after_the_revocation_to_the_principal_alone(office: Office, agent: str, principal: str):
    one = await confirmed(office, agent, principal)
    case = await applied(office, agent, one.id)
    accepted = await desk.accept(office, CLERK, case.id, case.version)
    await proxies.revoke(office, principal, one.id)
    await desk.decide(office, approver("MZ"), case.id, accepted.version, "granted", "符合条件")

    assert {"case.submitted", "case.accepted"} <= set(await heard(office, agent))
    assert "case.decided" not in await heard(office, agent)
    assert {"case.submitted", "case.accepted", "case.decided"} <= set(await heard(office, principal))
    pushed = await office.database.rows("SELECT DISTINCT account_id FROM notification WHERE event = 'case.decided'")
    assert [row["account_id"] for row in pushed] == [principal]


async def test_who_confirms_later_finds_the_cases_of_before(office: Office, agent: str, principal: str):
    one = await active(office, agent)
    case = await applied(office, agent, one.id)
    assert await cases.mine(office, principal, [], None, 10) == []

    await proxies.confirm(office, principal, proxies.Confirming(OLD, str(one.code)), quiet)

    assert [row["id"] for row in await cases.mine(office, principal, [], None, 10)] == [case.id]
    assert [row["id"] for row in await cases.mine(office, principal, ["submitted"], None, 10)] == [case.id]
    assert [row["id"] for row in await cases.mine(office, agent, [], None, 10)] == [case.id]
    assert (await cases.show(office, principal, case.id)).form["id_number"] == OLD


async def test_lists_of_both_halves_are_one_list_in_order(office: Office, agent: str, principal: str):
    one = await confirmed(office, agent, principal)
    made = [(await applied(office, agent, one.id)).id for _ in range(3)]
    plain = await application(office, principal, "", form={"applicant_name": GRANDMOTHER, "id_number": OLD})
    made += [(await cases.apply(office, principal, plain, no_answer)).id]

    first = await cases.mine(office, principal, [], None, 2)
    rest = await cases.mine(office, principal, [], first[-1]["id"], 10)

    assert [row["id"] for row in (*first, *rest)] == sorted(made, reverse=True)


ROW = {"resident_id": "agent"}
ACCOUNTS = ("agent", "principal", "stranger", "other agent")


@given(
    st.sampled_from(ACCOUNTS),
    st.booleans(),
    st.sampled_from([None, "principal"]),
    st.booleans(),
)
def test_who_may_see_a_case(account: str, for_other: bool, linked: str | None, living: bool):  # noqa: FBT001 - made by hypothesis
    both = {"agent_id": "agent", "principal_id": linked} if for_other else None

    found = agents.standing(ROW, both, account, living=living)

    may = found in {"owner", "principal", "agent"}
    assert may == (
        (not for_other and account == "agent")
        or (for_other and account == "agent" and living)
        or (for_other and linked is not None and account == linked)
    )
    assert (found == "former agent") == (for_other and account == "agent" and not living)


def test_every_state_of_an_authority_but_one_leaves_the_agent_without_power():
    today = dt.date(2026, 2, 13)
    for state, days, items in itertools.product(("asked", "active", "refused", "revoked", "ended"), (-1, 0), ((), (RELIEF,), (RATE,))):
        one = agents.Authority("p", "mandate", state, items, today + dt.timedelta(days=days), None, False, agents.Person("赵", OLD))  # noqa: FBT003
        assert one.covers(RELIEF, today) == (state == "active" and days == 0 and items != (RATE,))


async def test_a_case_without_an_agent_asks_for_no_more_than_before(office: Office, agent: str, principal: str):
    wish = await application(office, agent, "", form={"applicant_name": "王小梅", "id_number": YOUNG})
    case = await cases.apply(office, agent, wish, no_answer)
    row = await rows.by_id(office.database, case.id)

    assert row is not None
    assert not row["is_by_agent"]
    assert case.on_behalf_of is None
    assert await agents.told_of(office, office.database, row) == [agent]
    assert (await timeline.history(office, case.id, 0, 10))[0].actor.name == "申请人"
    assert await seen_nothing(office, principal)


async def seen_nothing(office: Office, account: str) -> bool:
    return not await cases.mine(office, account, [], None, 10) and not await proxies.mine(office, account)
