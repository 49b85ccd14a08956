"""A case made for somebody else: whose it is, what the form says, what lists and papers show, and that either may go on with it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from handlers import bundles, cases, codes, desk, papers, particulars, proxies
from handlers.bundleguides import bundle_view
from handlers.bundleviews import PartView
from handlers.casecards import card_of
from handlers.caseviews import summary
from handlers.corrections import Correction, MaterialNote
from handlers.debts import Signing
from handlers.errors import Refused
from handlers.materials import HandedIn
from handlers.office import Office
from mobile_api.journey.sample import fill_form
from tests.support.lives import history, no_answer, officer, row_of
from tests.support.office import CLERK, ready_upload
from tests.support.papers import supply
from tests.support.proxies import (
    CHILD,
    FIRM,
    GRANDMOTHER,
    OLD,
    RATE,
    RELIEF,
    TAX,
    VILLAGE,
    YOUNG,
    active,
    agent,
    application,
    applied,
    asked,
    confirmed,
    guardian,
    id_number,
    office,
    principal,
)

__all__ = ["agent", "office", "principal"]

NEWBORN = "YJS-01"


async def test_the_form_is_the_principals_and_both_persons_are_on_the_case(office: Office, agent: str):
    case = await applied(office, agent, (await active(office, agent)).id)

    assert (case.form["applicant_name"], case.form["id_number"]) == (GRANDMOTHER, OLD)
    assert case.on_behalf_of is not None
    assert (case.on_behalf_of.kind, case.on_behalf_of.agent_name, case.on_behalf_of.principal_name) == ("relative", "王小梅", GRANDMOTHER)
    kept = await office.database.one("SELECT * FROM case_agent WHERE case_id = $1", case.id)
    assert kept is not None
    assert (kept["kind"], kept["agent_id"], kept["principal_id"], kept["is_minor"]) == ("relative", agent, None, False)
    assert case.priority is not None  # she is over 65: it is her number that counts


async def test_lists_and_papers_at_the_counter_are_masked(office: Office, agent: str):
    case = await applied(office, agent, (await active(office, agent)).id)
    row = await row_of(office, case)

    short, card = summary(office, row), await card_of(office, row)

    assert short.on_behalf_of is not None
    assert (short.on_behalf_of.principal_name, short.on_behalf_of.agent_name) == ("赵**", "王**")
    assert (card.applicant, card.agent) == ("赵**", "王**")


async def test_the_history_says_who_acted_and_keeps_no_name(office: Office, agent: str):
    case = await applied(office, agent, (await active(office, agent)).id)
    await desk.accept(office, CLERK, case.id, case.version)

    lines = {line.type: line for line in await history(office, case)}
    kept = await office.database.rows("SELECT actor_id, data FROM case_event WHERE case_id = $1", case.id)

    assert lines["submitted"].actor.name == "由王**代办"
    assert lines["accepted"].actor.name != "由王**代办"
    assert all("王" not in str(row["data"]) and "赵" not in str(row["data"]) for row in kept)
    assert [json.loads(row["data"])["behalf"] for row in kept if row["actor_id"] == agent] == ["relative"]


async def test_officers_of_the_case_see_both_numbers_and_the_paper(office: Office, agent: str):
    paper = await ready_upload(office, agent)
    one = await active(office, agent, kind="mandate", document=paper)
    case = await applied(office, agent, one.id)

    more = await particulars.of_case(office, officer("MZ"), case.id)

    assert more.agent is not None
    assert (more.agent.principal_number, more.agent.agent_number, more.agent.document) == (OLD, YOUNG, paper)


async def test_departments_are_told_who_acts(office: Office, agent: str):
    told: list[dict[str, Any]] = []
    office = dataclasses.replace(office, department_form=lambda _d, _k, facts: told.append(dict(facts)))
    await applied(office, agent, (await active(office, agent)).id)

    assert told[0]["applicant"]["agent"] == {"kind": "relative", "name": "王小梅", "id_number": YOUNG, "relation": "grandchild"}


@pytest.mark.parametrize("form", [{"applicant_name": "王小梅"}, {"id_number": YOUNG}, {"id_number": CHILD, "applicant_name": GRANDMOTHER}])
async def test_a_form_that_names_somebody_else_is_refused(office: Office, agent: str, form: dict[str, str]):
    wish = await application(office, agent, (await active(office, agent)).id, form=form)

    with pytest.raises(Refused, match="applicant_differs"):
        await cases.apply(office, agent, wish, no_answer)


async def test_somebody_elses_authority_and_one_that_waits_carry_nothing(office: Office, agent: str, principal: str):
    one, waiting = await active(office, agent), await asked(office, agent, kind="mandate")

    for account, proxy, code in (
        (principal, one.id, "proxy_unknown"),
        (agent, "no", "proxy_unknown"),
        (agent, waiting.id, "proxy_not_active"),
    ):
        with pytest.raises(Refused, match=code):
            await applied(office, account, proxy)


@pytest.mark.parametrize(
    ("changes", "item", "code"),
    [
        ({"items": (TAX,)}, RELIEF, "proxy_scope"),
        ({}, RATE, "proxy_kind"),
        ({}, "MZ-07", "proxy_not_allowed"),
        ({"kind": "company", "principal_name": FIRM[0], "principal_number": FIRM[1]}, RELIEF, "proxy_kind"),
        ({}, "SJ-03", "proxy_kind"),
    ],
)
async def test_only_what_the_authority_and_the_item_allow(office: Office, agent: str, changes: dict[str, Any], item: str, code: str):
    one = await active(office, agent, **changes)

    with pytest.raises(Refused, match=code):
        await applied(office, agent, one.id, item)


@pytest.mark.parametrize(
    ("changes", "item"),
    [
        ({"kind": "mandate", "items": (RATE,)}, RATE),
        ({"kind": "village_clerk", "village": VILLAGE}, RELIEF),
        ({"kind": "company", "principal_name": FIRM[0], "principal_number": FIRM[1]}, "SJ-03"),
    ],
)
async def test_other_kinds_apply_too(office: Office, agent: str, changes: dict[str, Any], item: str):
    case = await applied(office, agent, (await active(office, agent, **changes)).id, item)

    assert case.state == "submitted"


async def test_a_guardian_applies_for_a_child_until_it_comes_of_age(office: Office, agent: str):
    one = await guardian(office, agent)
    case = await applied(office, agent, one.id)

    assert case.on_behalf_of is not None
    assert case.on_behalf_of.minor
    shown = summary(office, await row_of(office, case)).on_behalf_of
    assert shown is not None
    assert shown.principal_name == "王**"


async def test_the_printed_receipt_is_anonymous_for_a_minor_too(office: Office, agent: str):
    case = await applied(office, agent, (await guardian(office, agent)).id)

    public = await codes.read_public(office, str(case.receipt_code))

    assert "王" not in str(public)
    assert CHILD not in str(public)


async def test_a_correction_stays_the_principals_and_takes_files_of_either(office: Office, agent: str, principal: str):
    one = await confirmed(office, agent, principal)
    case = await applied(office, agent, one.id)
    notice = Correction("看不清", materials=(MaterialNote("id_card", "重拍"),))
    await desk.request_correction(office, CLERK, case.id, case.version, notice)

    with pytest.raises(Refused, match="applicant_differs"):
        await cases.correct(office, agent, case.id, cases.Change(form={"applicant_name": "王小梅"}), no_answer)
    new = (HandedIn("id_card", (await ready_upload(office, principal),)),)
    mended = await cases.correct(office, principal, case.id, cases.Change(materials=new), no_answer)

    assert mended.state == "submitted"
    assert {line.type: line.actor.name for line in await history(office, mended)}["corrected"] == "申请人"


async def test_a_commitment_is_signed_by_the_agent_or_the_principal(office: Office, agent: str):
    one = await active(office, agent)
    wish = await application(office, agent, one.id)
    papers_left = tuple(paper for paper in wish.materials if paper.material != "hardship_proof")

    for name, code in (("李四", "signature_differs"), ("王小梅", ""), (GRANDMOTHER, "")):
        signed = msgspec.structs.replace(wish, materials=papers_left, commitments=(Signing("tolerated-1", name),))
        if code:
            with pytest.raises(Refused, match=code):
                await cases.apply(office, agent, signed, no_answer)
        else:
            assert (await cases.apply(office, agent, signed, no_answer)).state == "submitted"


async def test_the_principal_supplies_what_the_agent_promised(office: Office, agent: str, principal: str):
    one = await confirmed(office, agent, principal)
    wish = await application(office, agent, one.id, commitments=(Signing("tolerated-1", "王小梅"),))
    wish = msgspec.structs.replace(wish, materials=tuple(p for p in wish.materials if p.material != "hardship_proof"))
    case = await cases.apply(office, agent, wish, no_answer)

    done = await supply(office, principal, case, "hardship_proof")

    assert done.debts[0].state == "supplied"
    with pytest.raises(Refused, match="not_found"):
        await papers.supply(office, "stranger", case.id, papers.Supply((HandedIn("hardship_proof", ("x",)),)), no_answer)


async def test_the_clerk_greets_who_stands_there(office: Office, agent: str, principal: str):
    one = await confirmed(office, agent, principal)
    case = await applied(office, agent, one.id)

    by_paper = await codes.scan(office, CLERK, str(case.receipt_code), "hall")
    own = await codes._open(office, CLERK, "token", principal, (), None)

    assert (by_paper.holder.name_masked, by_paper.cases[0].applicant) == ("王**", "赵**")
    assert (own.holder.name_masked, [card.id for card in own.cases]) == ("赵**", [case.id])


async def bundle_for(office: Office, account: str, proxy_id: str, **form: str) -> bundles.UmbrellaView:
    """The newborn bundle by an authority, the mother's name and number left out."""
    guide = bundle_view(office.catalogue, office.catalogue.bundle(NEWBORN), ())
    files = tuple([HandedIn(one.code, (await ready_upload(office, account),)) for one in guide.materials if one.required])
    answers = fill_form(msgspec.to_builtins(guide.form.fields), office.clock.now().date())
    known = {"applicant_name", "id_number"}
    whole = {name: value for name, value in answers.items() if name not in known} | form
    wish = cases.Application(bundle=NEWBORN, form=whole, materials=files, on_behalf_of=proxy_id)
    return await bundles.apply(office, account, wish, no_answer)  # type: ignore[arg-type]  # nobody waits for either answer


async def test_a_bundle_is_applied_for_as_one_and_every_part_is_the_principals(office: Office, agent: str, principal: str):
    mother = {"kind": "mandate", "relation": "", "principal_name": "王小梅", "principal_number": YOUNG, "agent_number": OLD}
    one = await confirmed(office, agent, principal, **mother)
    with pytest.raises(Refused, match="applicant_differs"):
        await bundle_for(office, agent, one.id, id_number=OLD)
    umbrella = await bundle_for(office, agent, one.id)

    parts = [await cases.show(office, principal, part.case_id) for part in umbrella.parts]

    assert {part.form["applicant_name"] for part in parts if "applicant_name" in part.form} == {"王小梅"}
    assert all(part.on_behalf_of is not None for part in parts)
    assert [found.id for found in (await bundles.mine(office, principal, None, 10))[0]] == [umbrella.id]
    await proxies.revoke(office, principal, one.id)
    with pytest.raises(Refused, match="proxy_over"):
        await bundles.show(office, agent, umbrella.id)
    assert await bundles.mine(office, agent, None, 10) == ([], None)
    assert (await bundles.withdraw(office, principal, umbrella.id, "", no_answer)).parts[0].state == "withdrawn"  # type: ignore[arg-type]


@pytest.mark.parametrize("which", [min, max])
async def test_a_new_authority_for_one_part_does_not_open_the_others_of_a_bundle(
    office: Office, agent: str, principal: str, which: Callable[..., PartView]
):
    mother = {"kind": "mandate", "relation": "", "principal_name": "王小梅", "principal_number": YOUNG, "agent_number": OLD}
    one = await confirmed(office, agent, principal, **mother)
    umbrella = await bundle_for(office, agent, one.id)
    await proxies.revoke(office, principal, one.id)
    part = which(umbrella.parts, key=lambda part: part.case_id)
    await active(office, agent, items=(part.code,), **mother)

    assert (await cases.show(office, agent, part.case_id)).id == part.case_id
    for act in (
        bundles.show(office, agent, umbrella.id),
        bundles.withdraw(office, agent, umbrella.id, "", no_answer),  # type: ignore[arg-type]  # nobody waits for the answer
    ):
        with pytest.raises(Refused, match="proxy_over"):
            await act
    assert (await bundles.mine(office, agent, None, 10))[0] == []
    assert {part.state for part in (await bundles.show(office, principal, umbrella.id)).parts} & {"withdrawn"} == set()


async def test_bundles_that_are_no_longer_ones_to_see_do_not_end_the_list(office: Office, agent: str, principal: str):
    mother = {"kind": "mandate", "relation": "", "principal_name": "王小梅", "principal_number": YOUNG, "agent_number": OLD}
    firm = await active(office, agent, **mother)
    first = await bundle_for(office, agent, firm.id)
    await proxies.revoke(office, agent, firm.id)
    second = await active(office, agent, **{**mother, "principal_number": id_number("1990-01-01"), "principal_name": "王小妹"})
    lost = await bundle_for(office, agent, second.id)
    await active(office, agent, **mother)
    await proxies.revoke(office, agent, second.id)

    page, more = await bundles.mine(office, agent, None, 1)
    rest, _ = await bundles.mine(office, agent, more, 1)

    assert (page, more) == ([], lost.id)
    assert [found.id for found in rest] == [first.id]


async def test_a_bundle_needs_an_authority_for_every_part(office: Office, agent: str):
    mother = {"relation": "child", "principal_name": "王小梅", "principal_number": YOUNG, "agent_number": OLD}

    with pytest.raises(Refused, match="proxy_scope"):
        await bundle_for(office, agent, (await active(office, agent, kind="mandate", items=("GA-01",), **mother)).id)
