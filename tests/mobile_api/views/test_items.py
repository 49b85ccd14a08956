"""Anyone looks for what he needs and reads the guide."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from handlers.items import publish
from handlers.office import Office
from mobile_api.tables import load_catalogue
from mobile_api.views import items
from mobile_api.web.frame import install
from mobile_api.web.operation import Who, get
from tests.support.offers import TOWN_TABLES
from tests.support.town import small_office

__all__ = ["small_office"]

ROUTES = [
    get("/items", items.list_items, Who.ANYONE, summary="查找事项", tag="items"),
    get("/items/{code}", items.show_item, Who.ANYONE, summary="办事指南", tag="items", errors=("item_not_found",)),
    get("/bundles", items.list_bundles, Who.ANYONE, summary="一件事", tag="items"),
    get("/bundles/{code}", items.show_bundle, Who.ANYONE, summary="一件事详情", tag="items", errors=("bundle_not_found", "part_unknown")),
    get("/departments", items.list_departments, Who.ANYONE, summary="部门", tag="items"),
    get("/events", items.list_events, Who.ANYONE, summary="人生事件", tag="items"),
]
Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def anyone(small_office: Office) -> AsyncIterator[Client]:
    """A client of the shipped town, not logged in."""
    catalogue = await publish(small_office.database, small_office.clock, load_catalogue(TOWN_TABLES))
    app = web.Application()
    install(app, ROUTES, {Office: dataclasses.replace(small_office, catalogue=catalogue)})
    async with TestClient(TestServer(app)) as client:
        yield client


async def read(client: Client, path: str, status: int = 200, **query: str) -> Any:
    async with client.get(f"/api/v1{path}", params=query) as response:
        assert response.status == status, await response.text()
        return await response.json()


async def test_a_word_finds_the_service(anyone: Client) -> None:
    found = await read(anyone, "/items", q="kaifandian")
    assert found["items"][0] == {
        "code": "SJ-03", "name": "小餐饮登记", "type": "行政许可", "handling": "承诺件",
        "department": {"code": "SJ", "name": "市场监管"}, "audience": ["org"],
        "promised": {"days": 5, "unit": "working"}, "legal": {"days": 10, "unit": "working"},
        "visits": 1, "online": True, "fee": None, "events": ["创业"],
    }  # fmt: skip


async def test_pages_lead_to_every_item_once(anyone: Client) -> None:
    codes: list[str] = []
    query = {"limit": "25"}
    while True:
        page = await read(anyone, "/items", **query)
        codes += [item["code"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(codes) == len(set(codes)) == 69


async def test_filters_go_together(anyone: Client) -> None:
    found = await read(anyone, "/items", department="GA", event="身后", audience="person")
    assert [item["code"] for item in found["items"]] == ["GA-02", "GA-07"]


@pytest.mark.parametrize("query", [{"audience": "robot"}, {"limit": "0"}, {"limit": "x"}, {"colour": "red"}, {"cursor": "好"}])
async def test_a_question_that_makes_no_sense_is_refused(anyone: Client, query: dict[str, str]) -> None:
    problem = await read(anyone, "/items", status=422, **query)
    assert problem["code"] in {"wrong_shape", "invalid_cursor"}


async def test_the_guide_says_everything_a_phone_needs(anyone: Client) -> None:
    guide = await read(anyone, "/items/MZ-01")
    assert (guide["code"], guide["version"], guide["department"]["name"]) == ("MZ-01", 1, "民政")
    assert guide["form"]["fields"][0] == {
        "name": "applicant_name", "label": "申请人姓名", "type": "text", "required": True, "max_length": 50, "help": "与身份证一致",
    }  # fmt: skip
    assert guide["materials"][1] == {
        "code": "id_card", "name": "居民身份证", "required": True, "certificate_type": "ID_CARD", "certificate_name": "居民身份证",
        "condition": None, "tolerable": False, "commitment": False, "may_be_owed": False, "source": "upload",
    }  # fmt: skip
    assert guide["departments"][0] == {
        "department": {"code": "GA", "name": "公安"}, "action": "户籍、车辆信息核对", "days": 2, "mode": "parallel",
        "after": [], "silent_basis": None,
    }  # fmt: skip
    assert guide["special_procedures"] == [{"name": "入户调查/民主评议", "days": None, "unit": "working"}]
    assert guide["announcement"]["unit"] == "natural"
    assert guide["basis"]["kind"] == "mixed"
    assert guide["extension"] == {"to": 45, "approver": "分管负责人"}


async def test_every_item_and_bundle_can_be_shown(anyone: Client) -> None:
    for item in (await read(anyone, "/items", limit="100"))["items"]:
        assert (await read(anyone, f"/items/{item['code']}"))["name"] == item["name"]
    for bundle in (await read(anyone, "/bundles"))["items"]:
        assert (await read(anyone, f"/bundles/{bundle['code']}"))["name"] == bundle["name"]


async def test_a_guide_that_the_phone_already_has_is_not_sent_again(anyone: Client) -> None:
    async with anyone.get("/api/v1/items/MZ-01") as first:
        tag = first.headers["ETag"]
    async with anyone.get("/api/v1/items/MZ-01", headers={"If-None-Match": tag}) as second:
        assert (second.status, await second.read()) == (304, b"")


async def test_what_is_not_on_offer_is_not_found(anyone: Client) -> None:
    assert (await read(anyone, "/items/XX-99", status=404))["code"] == "item_not_found"
    assert (await read(anyone, "/bundles/XX-99", status=404))["code"] == "bundle_not_found"


async def test_a_bundle_shows_its_items_stage_by_stage(anyone: Client) -> None:
    bundle = await read(anyone, "/bundles/YJS-03")
    assert [(item["code"], item["required"], item["stage"]) for item in bundle["items"]][:3] == [
        ("MZ-08", True, 1),
        ("GA-02", True, 2),
        ("RS-03", True, 3),
    ]
    assert {"code": "DEATH_MED", "name": "居民死亡医学证明(推断)书"} in bundle["shared_materials"]


async def test_departments_can_be_called_and_their_links_stay_inside(anyone: Client) -> None:
    departments = (await read(anyone, "/departments"))["items"]
    assert len(departments) == 21
    assert set(departments[0]) == {"code", "name", "unit", "consult_phone", "complaint_phone"}


async def test_life_events_say_how_much_they_lead_to(anyone: Client) -> None:
    events = (await read(anyone, "/events"))["items"]
    for event in events:
        assert len((await read(anyone, "/items", event=event["name"], limit="100"))["items"]) == event["items"] > 0
