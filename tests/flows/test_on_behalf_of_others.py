"""A granddaughter applies for her grandmother, over HTTP: the authority, its check, the case, both who hear of it, and the end of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from mobile_api.journey.client import Client
from tests.flows.test_what_is_kept import everything
from tests.support.proxies import CHILD, FIRM, GRANDMOTHER, OLD, YOUNG
from tests.support.wholetown import Town, application_for, photograph

RELIEF = "MZ-03"


@pytest.fixture(autouse=True)
async def _nobody_answers(town: Town) -> None:
    await town.departments.pause()


def wish(**changes: Any) -> dict[str, Any]:
    """What the granddaughter asks for."""
    usual = {
        "kind": "relative", "principal_name": GRANDMOTHER, "principal_number": OLD, "agent_name": "王小梅", "agent_number": YOUNG,
        "relation": "grandchild", "valid_to_on": str(dt.datetime.now(dt.UTC).date() + dt.timedelta(days=300)),
    }  # fmt: skip
    return {**usual, **changes}


async def asked(agent: Client, key: str = "ask", **changes: Any) -> dict[str, Any]:
    """An authority that waits."""
    return dict(await agent.call("POST", "/me/proxies", json=wish(**changes), key=key, expect=(201,)))


async def approved(agent: Client, clerk: Client, key: str = "ask", **changes: Any) -> dict[str, Any]:
    """An authority that was looked at."""
    waiting = await asked(agent, key, **changes)
    await clerk.call("POST", f"/desk/proxies/{waiting['id']}/approve")
    return waiting


async def applied(agent: Client, proxy: str, item: str = RELIEF, key: str = "apply") -> dict[str, Any]:
    """A case made for the principal, whose name and number the office knows."""
    body = await application_for(agent, item)
    form = {name: value for name, value in body["form"].items() if name not in {"applicant_name", "id_number"}}
    return dict(await agent.call("POST", "/cases", json={**body, "form": form, "on_behalf_of": proxy}, key=key, expect=(201,)))


async def types(client: Client) -> list[str]:
    """What an account has been told so far."""
    return [event["type"] for event in (await client.call("GET", "/sync?since=0&timeout=0"))["events"]]


async def test_the_whole_way_for_a_grandmother(town: Town):
    agent, principal, clerk = await town.resident("wang"), await town.resident("zhao"), await town.staff("clerk")
    waiting = await asked(agent)
    too_early, problem = await agent.raw(
        "POST", "/cases", json={"item": RELIEF, "on_behalf_of": waiting["id"], "submit": False}, key="early"
    )
    listed = await clerk.call("GET", "/desk/proxies?state=asked")
    whole = await clerk.call("GET", f"/desk/proxies/{waiting['id']}")
    await clerk.call("POST", f"/desk/proxies/{waiting['id']}/approve")
    case = await applied(agent, waiting["id"])

    given = await principal.call("POST", "/me/proxies/confirm", json={"number": OLD, "code": waiting["code"]}, key="confirm")
    seen = await principal.call("GET", f"/cases/{case['id']}")
    current = await clerk.call("GET", f"/desk/cases/{case['id']}")
    await clerk.call("POST", f"/desk/cases/{case['id']}/accept", headers={"If-Match": f'"v{current["version"]}"'})

    assert (too_early, problem["code"]) == (409, "proxy_not_active")
    assert [(one["principal_name"], one["agent_name"]) for one in listed["items"]] == [("赵**", "王**")]
    assert (whole["principal_number"], whole["agent_number"]) == (OLD, YOUNG)
    assert (given["role"], given["principal_name"], given["code"]) == ("principal", GRANDMOTHER, None)
    assert (seen["form"]["applicant_name"], seen["on_behalf_of"]["agent_name"]) == (GRANDMOTHER, "王小梅")
    for client in (agent, principal):
        rows = (await client.call("GET", "/cases"))["items"]
        assert [(one["id"], one["on_behalf_of"]["principal_name"]) for one in rows] == [(case["id"], "赵**")]
        lines = (await client.call("GET", f"/cases/{case['id']}/events"))["items"]
        assert lines[0]["actor"]["name"] == "由王**代办"
        assert "case.accepted" in await types(client)


async def test_the_principal_takes_it_back_and_goes_on_alone(town: Town):
    agent, principal, clerk = await town.resident("wang"), await town.resident("zhao"), await town.staff("clerk")
    one = await approved(agent, clerk)
    case = await applied(agent, one["id"])
    await principal.call("POST", "/me/proxies/confirm", json={"number": OLD, "code": one["code"]}, key="confirm")

    await principal.call("DELETE", f"/me/proxies/{one['id']}", expect=(204,))

    assert [mine["state"] for mine in (await agent.call("GET", "/me/proxies"))["items"]] == ["revoked"]
    for method, path, body in (
        ("GET", f"/cases/{case['id']}", None),
        ("GET", f"/cases/{case['id']}/events", None),
        ("POST", f"/cases/{case['id']}/withdraw", {}),
    ):
        status, problem = await agent.raw(method, path, json=body, key="late" if body is not None else "")
        assert (status, problem["code"]) == (403, "proxy_over"), path
    withdrawn = await principal.call("POST", f"/cases/{case['id']}/withdraw", json={}, key="withdraw")
    assert withdrawn["state"] == "withdrawn"
    assert "case.withdrawn" not in await types(agent)
    assert "case.withdrawn" in await types(principal)


async def test_a_mandate_is_refused_until_its_paper_is_right(town: Town):
    agent, clerk = await town.resident("wang"), await town.staff("clerk")
    paper = await photograph(agent, "mandate")
    first = await asked(agent, kind="mandate", relation="", document=paper)
    picture = await clerk.call("GET", f"/desk/proxies/{first['id']}/document")
    await clerk.call("POST", f"/desk/proxies/{first['id']}/refuse", json={"reason": "委托书没有签名"})

    again = await approved(agent, clerk, "again", kind="mandate", relation="", document=paper)
    await clerk.call("POST", f"/desk/proxies/{again['id']}/revoke", json={"reason": "被代办人已去世"})

    assert picture[:3] == b"\xff\xd8\xff"
    states = {one["id"]: (one["state"], one["reason"]) for one in (await agent.call("GET", "/me/proxies"))["items"]}
    assert states == {first["id"]: ("refused", "委托书没有签名"), again["id"]: ("revoked", "被代办人已去世")}
    assert (await types(agent)) == ["proxy.refused", "proxy.approved", "proxy.revoked"]


async def test_a_child_is_nobodys_business_but_the_offices(town: Town):
    agent, clerk, anyone = await town.resident("wang"), await town.staff("clerk"), town.anyone()
    paper = await photograph(agent, "birth")
    child = {"kind": "guardian", "relation": "parent", "principal_name": "王小宝", "principal_number": CHILD, "document": paper}
    one = await approved(agent, clerk, **child)
    case = await applied(agent, one["id"])

    public = await anyone.call("GET", f"/r/{case['receipt_code']}")
    rows = (await clerk.call("GET", "/desk/cases"))["items"]
    cells = await everything(town)

    assert "王" not in str(public)
    assert rows[0]["on_behalf_of"]["principal_name"] == "王**"
    assert (await agent.call("GET", "/me/proxies"))["items"][0]["principal_name"] == "王**"
    for secret in (CHILD, YOUNG, "王小宝", "王小梅"):
        assert secret not in cells
        assert secret.encode().decode("latin-1") not in cells


async def test_a_firm_is_acted_for_by_its_clerk(town: Town):
    agent, clerk = await town.resident("wang"), await town.staff("clerk")
    paper = await photograph(agent, "letter")
    firm = {"kind": "company", "relation": "", "principal_name": FIRM[0], "principal_number": FIRM[1], "document": paper}
    one = await approved(agent, clerk, items=["SJ-03"], **firm)

    body = await application_for(agent, "SJ-03")
    form = {name: value for name, value in body["form"].items() if name not in {"applicant_name", "credit_code"}}
    case = await agent.call("POST", "/cases", json={**body, "form": form, "on_behalf_of": one["id"]}, key="apply", expect=(201,))

    assert (case["form"]["applicant_name"], case["form"]["credit_code"]) == FIRM
