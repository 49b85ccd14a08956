"""A day of two officers, their clerk and their approver: what waits, who takes it, what is passed on, what many cases cost."""

from __future__ import annotations

from typing import Any

import pytest

from handlers import staff
from mobile_api.journey.client import Client
from tests.support.wholetown import PASSWORD, Town, application_for


@pytest.fixture(autouse=True)
async def _nobody_answers(town: Town) -> None:
    await town.departments.pause()


async def hired(town: Town, username: str, name: str, role: str, department: str) -> tuple[Client, str]:
    """Somebody with a name of his own, logged in, and his id."""
    await staff.add(town.stores.office, username=username, name=name, role=role, password=PASSWORD, department=department)  # type: ignore[arg-type]
    client = town.anyone()
    await client.log_in_staff(username, PASSWORD)
    [row] = await town.stores.office.database.rows("SELECT id FROM staff WHERE username = $1", username)
    return client, str(row["id"])


async def submitted(town: Town, user: str, item: str = "MZ-03") -> dict[str, Any]:
    resident = await town.resident(user)
    case: dict[str, Any] = await resident.call("POST", "/cases", json=await application_for(resident, item), key="first", expect=(201,))
    return case


async def waiting(who: Client, **query: str) -> list[str]:
    return [task["case_id"] for task in (await who.call("GET", "/desk/tasks", params=query))["items"]]


async def test_two_officers_share_the_morning(town: Town):
    zhang, _ = await hired(town, "zhang1", "张伟", "officer", "MZ")
    li, li_id = await hired(town, "li1", "李娜", "officer", "MZ")
    first, second = await submitted(town, "a"), await submitted(town, "b")

    assert await waiting(zhang) == await waiting(li) == [first["id"], second["id"]]
    await zhang.call("POST", f"/desk/cases/{first['id']}/claim", json={})
    status, told = await li.raw("POST", f"/desk/cases/{first['id']}/claim", json={})
    assert (status, told["code"]) == (409, "claimed")
    assert "张*" in told["detail"]

    assert await waiting(li, show="free") == [second["id"]]
    await li.call("POST", f"/desk/cases/{second['id']}/claim", json={})
    await zhang.call("POST", f"/desk/cases/{first['id']}/hand-over", json={"staff_id": li_id, "note": "我去开会"})

    assert await waiting(li, show="mine") == [first["id"], second["id"]]
    [note] = (await li.call("GET", f"/desk/cases/{first['id']}/notes"))["items"]
    assert (note["author"], note["text"]) == ("张伟", "我去开会")
    refused, problem = await zhang.raw("POST", f"/desk/cases/{first['id']}/accept", headers={"If-Match": f'"v{first["version"] + 1}"'})
    assert (refused, problem["code"]) == (409, "claimed")


async def test_an_approver_gives_work_to_who_is_there_and_decides_what_is_ready(town: Town):
    chief, _ = await hired(town, "chief1", "赵敏", "approver", "MZ")
    zhang, zhang_id = await hired(town, "zhang1", "张伟", "officer", "MZ")
    older, given = await submitted(town, "a"), await submitted(town, "b")

    await chief.call("POST", f"/desk/cases/{given['id']}/assign", json={"staff_id": zhang_id})
    assert await waiting(zhang) == [given["id"], older["id"]]

    accepted = await zhang.call("POST", f"/desk/cases/{given['id']}/accept", headers={"If-Match": f'"v{given["version"] + 1}"'})
    assert given["id"] not in await waiting(zhang)
    assert given["id"] in await waiting(chief)
    status, problem = await zhang.raw(
        "POST", f"/desk/cases/{given['id']}/decide", json={"result": "granted"}, headers={"If-Match": f'"v{accepted["version"]}"'}
    )
    assert (status, problem["code"]) == (403, "forbidden")  # who prepares does not decide
    decided = await chief.call(
        "POST", f"/desk/cases/{given['id']}/decide", json={"result": "granted"}, headers={"If-Match": f'"v{accepted["version"]}"'}
    )
    assert decided["decision"] == "granted"


async def test_ten_cases_are_accepted_with_one_press_and_their_residents_are_told(town: Town):
    clerk = await town.staff("clerk")
    cases = [await submitted(town, f"person-{n}") for n in range(10)]
    chosen = [{"id": case["id"], "version": case["version"]} for case in cases]

    results = await clerk.call("POST", "/desk/batch", json={"act": "accept", "cases": chosen}, key="morning")

    assert [one["done"] for one in results["items"]] == [True] * 10
    assert await waiting(clerk) == []
    for n in (0, 9):
        await town.follow(await town.resident(f"person-{n}"), cases[n]["id"], until="case.accepted")


async def test_what_officers_say_among_themselves_stays_among_them(town: Town):
    case, clerk = await submitted(town, "a"), await town.staff("clerk")
    await clerk.call("POST", f"/desk/cases/{case['id']}/notes", json={"text": "像是重复申请"}, expect=(201,))
    await clerk.call("POST", f"/desk/cases/{case['id']}/claim", json={})
    resident = await town.resident("a")

    seen = [await resident.call("GET", path) for path in (f"/cases/{case['id']}", f"/cases/{case['id']}/events", "/inbox", "/sync")]

    assert "重复" not in str(seen)
    assert "李" not in str(seen[1])
