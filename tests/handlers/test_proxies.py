"""Authorities to act for others: asked for, looked at, confirmed, taken back, outlived."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from handlers import proxies, proxydesk, uploads
from handlers.access import Officer
from handlers.errors import Refused
from handlers.limits import local_date
from handlers.office import Office
from storage import account_events
from tests.support.lives import clock_of, officer
from tests.support.office import CLERK, ready_upload
from tests.support.proxies import (
    CHILD,
    FIRM,
    FOREIGN_VILLAGE,
    GRANDMOTHER,
    NEXT_VILLAGE,
    OLD,
    RATE,
    VILLAGE,
    YOUNG,
    active,
    agent,
    applied,
    asked,
    asking,
    confirmed,
    guardian,
    office,
    principal,
    quiet,
    seen,
)
from tests.support.town import settle_in

__all__ = ["agent", "office", "principal"]

ELSEWHERE = Officer("clerk-2", "clerk", "", "便民大厅", "130208109")


def today(office: Office) -> dt.date:
    return local_date(office.clock.now())


async def heard(office: Office, account: str) -> list[str]:
    return [one.type for one in await account_events.since(office.database, account, 0, 100)]


async def on_record(office: Office) -> list[str]:
    rows = await office.database.rows("SELECT action FROM audit WHERE object_kind = 'proxy' ORDER BY occurred_at, id")
    return [str(row["action"]) for row in rows]


async def test_it_waits_until_somebody_has_looked_at_it(office: Office, agent: str):
    waiting = await asked(office, agent)
    listed = await proxydesk.listing(office, CLERK, "asked", "", 10)
    whole = await proxydesk.show(office, CLERK, waiting.id)
    approved = await proxydesk.approve(office, CLERK, waiting.id)

    assert (waiting.state, waiting.role, waiting.principal_name, waiting.relation_name) == (
        "asked",
        "agent",
        GRANDMOTHER,
        "孙子女、外孙子女",
    )
    assert (waiting.principal_number, waiting.agent_name) == (OLD[:6] + "*" * 8 + OLD[-4:], "王小梅")
    assert [(one.id, one.principal_name, one.agent_name) for one in listed] == [(waiting.id, "赵**", "王**")]
    assert (whole.principal_number, whole.agent_number, whole.document) == (OLD, YOUNG, False)
    assert approved.state == "active"
    assert (await seen(office, agent, waiting.id)).state == "active"
    assert await heard(office, agent) == ["proxy.approved"]
    assert set(await on_record(office)) == {"proxy.asked", "proxy.seen", "proxy.approved"}


async def test_nothing_of_either_person_lies_readable_in_the_database(office: Office, agent: str, principal: str):
    await confirmed(office, agent, principal)

    tables = [await office.database.rows(f"SELECT * FROM {table}") for table in ("proxy", "audit", "account_event")]
    for row in (row for rows in tables for row in rows):
        text = " ".join(bytes(v).decode("latin-1") if isinstance(v, bytes | memoryview) else str(v) for v in row.values())
        for secret in (OLD, YOUNG, GRANDMOTHER, "王小梅"):
            assert secret not in text
            assert secret.encode().decode("latin-1") not in text


async def test_a_refusal_says_why(office: Office, agent: str):
    waiting = await asked(office, agent)
    with pytest.raises(Refused, match="reason_missing"):
        await proxydesk.refuse(office, CLERK, waiting.id, " ")

    await proxydesk.refuse(office, CLERK, waiting.id, "请带户口簿原件到窗口")

    now = await seen(office, agent, waiting.id)
    assert (now.state, now.reason, now.code) == ("refused", "请带户口簿原件到窗口", None)
    with pytest.raises(Refused, match="proxy_not_waiting"):
        await proxydesk.approve(office, CLERK, waiting.id)
    assert (await asked(office, agent)).state == "asked"  # after a refusal one may ask again


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"principal_name": " "}, {"/principal_name"}),
        ({"principal_number": OLD[:-1] + "0"}, {"/principal_number"}),
        ({"principal_number": "130208194113061234"}, {"/principal_number"}),
        ({"agent_name": "", "agent_number": "1"}, {"/agent_name", "/agent_number"}),
        ({"agent_number": CHILD}, {"/agent_number"}),
        ({"relation": ""}, {"/relation"}),
        ({"items": ("NO-01",)}, {"/items"}),
        ({"items": (RATE,)}, {"/items"}),
        ({"items": ("MZ-07",)}, {"/items"}),
        ({"kind": "mandate", "document": ""}, {"/document"}),
        ({"kind": "mandate", "document": "not-mine"}, {"/document"}),
        ({"kind": "company", "principal_name": "店", "document": "x"}, {"/principal_number"}),
        ({"kind": "village_clerk"}, {"/village"}),
        ({"kind": "village_clerk", "village": "1302081082AB"}, {"/village"}),
        ({"kind": "village_clerk", "village": FOREIGN_VILLAGE}, {"/village"}),
        ({"valid_to_on": dt.date(2026, 2, 12)}, {"/valid_to_on"}),
        ({"valid_to_on": dt.date(2029, 1, 1)}, {"/valid_to_on"}),
        ({"kind": "guardian", "principal_number": CHILD, "document": "x", "valid_to_on": dt.date(2036, 1, 1)}, {"/valid_to_on"}),
    ],
)
async def test_everything_wrong_is_said_at_its_place(office: Office, agent: str, changes: dict[str, Any], fields: set[str]):
    wish = asking(office, **changes)
    with pytest.raises(Refused, match="invalid_form") as refused:
        await proxies.ask(office, agent, wish, quiet)

    assert {error.pointer for error in refused.value.errors} == fields
    assert OLD not in str(refused.value.errors)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"agent_number": OLD}, "proxy_self"),
        ({"principal_number": CHILD}, "proxy_needs_guardian"),
        ({"kind": "guardian", "document": "x"}, "proxy_not_minor"),
    ],
)
async def test_what_cannot_be_asked_for(office: Office, agent: str, changes: dict[str, Any], code: str):
    with pytest.raises(Refused, match=code):
        await proxies.ask(office, agent, asking(office, **changes), quiet)


async def test_the_same_authority_is_not_asked_for_twice_but_another_kind_is(office: Office, agent: str):
    await asked(office, agent)

    with pytest.raises(Refused, match="proxy_exists"):
        await asked(office, agent)
    assert (await asked(office, agent, kind="mandate")).kind_name == "委托代办"
    assert (await asked(office, await settle_in(office.database, "brother"), relation="child")).state == "asked"


async def test_no_more_than_can_be_looked_at_may_wait(office: Office, agent: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(proxies, "MOST_WAITING", 1)
    await asked(office, agent)

    with pytest.raises(Refused, match="proxy_too_many"):
        await asked(office, agent, kind="mandate")


async def test_a_village_clerk_has_one_village(office: Office, agent: str):
    clerk = {"kind": "village_clerk", "relation": "", "village": VILLAGE}
    first = await active(office, agent, **clerk)

    with pytest.raises(Refused, match="proxy_village"):
        await asked(office, agent, **{**clerk, "village": NEXT_VILLAGE, "principal_number": YOUNG, "agent_number": OLD})
    assert (first.village, first.relation_name) == (VILLAGE, "")


async def test_firms_are_known_by_their_credit_code(office: Office, agent: str):
    one = await active(office, agent, kind="company", principal_name=FIRM[0], principal_number=FIRM[1], relation="")

    assert (one.principal_name, one.minor) == (FIRM[0], False)
    assert [line.principal_name for line in await proxydesk.listing(office, CLERK, "active", "", 10)] == [FIRM[0]]


async def test_a_minor_is_masked_even_for_the_guardian_and_known_to_the_officer(office: Office, agent: str):
    one = await guardian(office, agent)

    assert (one.principal_name, one.minor) == ("王**", True)
    assert (await proxydesk.show(office, CLERK, one.id)).principal_name == "王小宝"


async def test_an_adult_who_needs_a_guardian_has_one_by_a_paper(office: Office, agent: str):
    with pytest.raises(Refused, match="invalid_form"):
        await asked(office, agent, kind="guardian", incapable=True, document="")
    one = await active(office, agent, kind="guardian", incapable=True, relation="child")

    assert (await proxydesk.show(office, CLERK, one.id)).incapable
    assert not one.minor


async def test_the_principal_confirms_with_the_code_and_may_take_it_back(office: Office, agent: str, principal: str):
    one = await confirmed(office, agent, principal)

    assert (one.role, one.confirmed, one.code) == ("principal", True, None)
    assert (await seen(office, agent, one.id)).code is None
    await proxies.revoke(office, principal, one.id)
    assert (await seen(office, agent, one.id)).state == "revoked"
    assert await heard(office, agent) == ["proxy.approved", "proxy.confirmed", "proxy.revoked"]
    assert await heard(office, principal) == []


@pytest.mark.parametrize(("number", "code"), [(YOUNG, "right"), (OLD, "00000000"), (OLD, "八位"), ("", "")])
async def test_number_and_code_have_to_fit(office: Office, agent: str, principal: str, number: str, code: str):
    one = await active(office, agent)
    wish = proxies.Confirming(number, str(one.code) if code == "right" else code)

    with pytest.raises(Refused, match="proxy_code"):
        await proxies.confirm(office, principal, wish, quiet)


async def test_codes_are_not_to_be_guessed(office: Office, agent: str, principal: str):
    one = await active(office, agent)
    for _ in range(proxies.TRIES):
        with pytest.raises(Refused, match="proxy_code"):
            await proxies.confirm(office, principal, proxies.Confirming(OLD, "00000000"), quiet)

    with pytest.raises(Refused, match="too_many_requests"):
        await proxies.confirm(office, principal, proxies.Confirming(OLD, str(one.code)), quiet)
    with pytest.raises(Refused, match="too_many_requests"):
        await proxies.confirm(office, await settle_in(office.database, "other"), proxies.Confirming(OLD, str(one.code)), quiet)


async def test_the_agent_does_not_confirm_himself_and_nobody_confirms_twice(office: Office, agent: str, principal: str):
    one = await active(office, agent)
    with pytest.raises(Refused, match="proxy_self"):
        await proxies.confirm(office, agent, proxies.Confirming(OLD, str(one.code)), quiet)
    await proxies.confirm(office, principal, proxies.Confirming(f" {OLD.lower()} ", str(one.code)), quiet)

    with pytest.raises(Refused, match="proxy_code"):
        await proxies.confirm(office, await settle_in(office.database, "other"), proxies.Confirming(OLD, str(one.code)), quiet)


async def test_only_its_two_persons_take_it_back(office: Office, agent: str, principal: str):
    one = await active(office, agent)

    with pytest.raises(Refused, match="not_found"):
        await proxies.revoke(office, principal, one.id)
    with pytest.raises(Refused, match="not_found"):
        await proxies.revoke(office, agent, "nothing")
    await proxies.revoke(office, agent, one.id)
    with pytest.raises(Refused, match="proxy_not_waiting"):
        await proxies.revoke(office, agent, one.id)


async def test_an_officer_takes_back_what_should_not_hold(office: Office, agent: str, principal: str):
    one = await confirmed(office, agent, principal)

    gone = await proxydesk.revoke(office, CLERK, one.id, "被代办人已去世")

    assert (gone.state, gone.reason) == ("revoked", "被代办人已去世")
    assert await heard(office, principal) == ["proxy.revoked"]


@pytest.mark.parametrize("who", [officer("MZ"), ELSEWHERE, Officer("1", "supervisor", "", "", CLERK.area)])
async def test_authorities_are_the_business_of_the_halls_own_clerks(office: Office, agent: str, who: Officer):
    waiting = await asked(office, agent, kind="mandate")

    for act in (proxydesk.show, proxydesk.document, proxydesk.approve):
        with pytest.raises(Refused, match="not_found"):
            await act(office, who, waiting.id)
    if who is ELSEWHERE:
        assert await proxydesk.listing(office, who, "asked", "", 10) == []
        return
    with pytest.raises(Refused, match="forbidden"):
        await proxydesk.listing(office, who, "asked", "", 10)


async def test_it_ends_by_the_clock_and_both_are_told(office: Office, agent: str, principal: str):
    one = await confirmed(office, agent, principal, valid_to_on=today(office))
    assert await proxies.sweep(office) == 0
    clock_of(office).time += dt.timedelta(days=1)

    assert await proxies.sweep(office) == 1
    assert await proxies.sweep(office) == 0
    assert (await seen(office, agent, one.id)).state == "ended"
    assert (await heard(office, agent))[-1] == (await heard(office, principal))[-1] == "proxy.ended"
    assert (await on_record(office))[-1] == "proxy.ended"


async def test_what_held_when_it_was_asked_for_is_looked_at_again(office: Office, agent: str):
    waiting = await asked(office, agent, valid_to_on=today(office))
    clock_of(office).time += dt.timedelta(days=1)

    with pytest.raises(Refused, match="proxy_over"):
        await proxydesk.approve(office, CLERK, waiting.id)


async def test_the_paper_stays_while_the_authority_names_it(office: Office, agent: str):
    paper, loose = await ready_upload(office, agent), await ready_upload(office, agent)
    waiting = await asked(office, agent, kind="mandate", document=paper)
    clock_of(office).time += uploads.KEPT_UNUSED + dt.timedelta(days=1)

    await uploads.purge(office)

    kept = {row["id"] for row in await office.database.rows("SELECT id FROM upload")}
    assert (paper in kept, loose in kept) == (True, False)
    assert (await proxydesk.show(office, CLERK, waiting.id)).document


async def settled(office: Office, agent: str, how: str) -> tuple[str, str]:
    """An authority that is over, with a paper; its id and the paper's."""
    paper = await ready_upload(office, agent)
    until = today(office) if how == "ended" else today(office) + dt.timedelta(days=30)
    one = await asked(office, agent, kind="mandate", document=paper, valid_to_on=until)
    if how == "refused":
        await proxydesk.refuse(office, CLERK, one.id, "材料看不清")
        return one.id, paper
    await proxydesk.approve(office, CLERK, one.id)
    if how == "revoked":
        await proxies.revoke(office, agent, one.id)
    else:
        clock_of(office).time += dt.timedelta(days=1)
        await proxies.sweep(office)
    return one.id, paper


@pytest.mark.parametrize("how", ["refused", "revoked", "ended"])
async def test_what_is_over_is_forgotten_after_half_a_year_with_its_paper(office: Office, agent: str, how: str):
    one, paper = await settled(office, agent, how)
    clock_of(office).time += proxies.KEPT_SETTLED
    assert await proxies.forget(office) == 0
    assert (await seen(office, agent, one)).state == how

    clock_of(office).time += dt.timedelta(seconds=1)
    assert await proxies.forget(office) == 1
    await uploads.purge(office)
    assert await proxies.mine(office, agent) == []
    assert await office.database.rows("SELECT id FROM upload WHERE id = $1", paper) == []
    assert (await on_record(office))[-1] == "proxy.forgotten"
    assert await proxies.forget(office) == 0


async def test_what_waits_or_holds_and_what_a_case_was_made_by_is_not_forgotten(office: Office, agent: str):
    used = await active(office, agent, kind="relative")
    await applied(office, agent, used.id)
    await proxies.revoke(office, agent, used.id)
    waiting = await asked(office, agent, kind="mandate")
    holds = await guardian(office, agent, valid_to_on=today(office) + dt.timedelta(days=1000))
    clock_of(office).time += 2 * proxies.KEPT_SETTLED

    for _ in range(2):
        assert await proxies.forget(office) == 0
    assert {one.id for one in await proxies.mine(office, agent)} == {used.id, waiting.id, holds.id}


async def test_those_that_are_kept_keep_no_others(office: Office, agent: str, monkeypatch: pytest.MonkeyPatch):
    used = await active(office, agent, kind="relative")
    await applied(office, agent, used.id)
    await proxies.revoke(office, agent, used.id)
    clock_of(office).time += dt.timedelta(seconds=1)
    await settled(office, agent, "refused")
    clock_of(office).time += 2 * proxies.KEPT_SETTLED
    monkeypatch.setattr(proxies, "_BATCH", 1)

    assert await proxies.forget(office) == 1
    assert [one.id for one in await proxies.mine(office, agent)] == [used.id]


async def test_the_record_names_acts_and_no_persons(office: Office, agent: str):
    await active(office, agent)

    rows = await office.database.rows("SELECT data FROM audit WHERE object_kind = 'proxy'")
    assert all(json.loads(row["data"]).keys() == {"kind", "state"} for row in rows)
