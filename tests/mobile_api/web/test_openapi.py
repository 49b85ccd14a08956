"""The reference says what is served, no more and no less."""

from __future__ import annotations

import re
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from openapi_spec_validator import validate

from handlers.refusals import REFUSALS
from mobile_api.views import documentation
from mobile_api.web.frame import install
from mobile_api.web.openapi import describe, refusal_codes
from mobile_api.web.operation import Who, get
from mobile_api.web.server import serving
from tests.support.web import Door, table

ROUTES = table()
DOCUMENT = describe(ROUTES)


def operation(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for methods in DOCUMENT["paths"].values() for one in methods.values() if one["operationId"] == name)
    return found


def test_the_document_is_valid_openapi():
    validate(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.1.0"


def test_it_lists_exactly_the_addresses_of_the_api():
    listed = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert listed == {(route.method, route.address) for route in ROUTES if not route.root}


def test_an_operation_says_what_it_takes_and_gives():
    show, change, create = operation("web_show"), operation("web_change"), operation("web_create")
    assert {(one["name"], one["in"], one["required"]) for one in show["parameters"]} == {
        ("n", "path", True),
        ("limit", "query", False),
        ("urgent", "query", False),
        ("tag", "query", False),
    }
    assert show["security"] == [{"token": []}]
    assert "security" not in operation("web_hello")
    assert [one["name"] for one in change["parameters"]] == ["n", "If-Match"]
    assert [one["name"] for one in create["parameters"]] == ["Idempotency-Key"]
    assert create["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Thing"}
    assert set(create["responses"]) >= {"201", "400", "401", "403", "409", "413", "415", "422", "429", "500"}
    assert set(operation("web_forget")["responses"]) >= {"204"}
    assert "file" in operation("web_receive")["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]


def test_every_refusal_of_every_operation_is_listed_by_its_code():
    for route in ROUTES:
        assert set(refusal_codes(route)) <= set(REFUSALS)
    schema = operation("web_change")["responses"]["412"]["content"]["application/problem+json"]["schema"]
    assert schema["allOf"][1]["properties"]["code"]["enum"] == ["precondition_failed"]


@pytest.fixture
async def pages() -> Any:
    app = web.Application()
    anyone = Who.ANYONE
    reference = [
        get("/openapi.json", documentation.openapi, anyone, summary="描述", tag="reference"),
        get("/docs", documentation.docs, anyone, summary="文档", tag="reference", root=True, gives="text/html"),
        get("/docs/errors", documentation.errors, anyone, summary="错误", tag="reference", root=True, gives="text/html"),
        *[route for route in ROUTES if route.path == "/hello"],
    ]
    install(app, reference, {Door: Door()})
    async with serving(app) as url, aiohttp.ClientSession(url) as client:
        yield client


async def test_the_served_document_describes_the_server_that_serves_it(pages: aiohttp.ClientSession):
    document = await (await pages.get("/api/v1/openapi.json")).json()
    assert set(document["paths"]) == {"/api/v1/openapi.json", "/api/v1/hello"}


async def test_the_pages_need_nothing_from_elsewhere(pages: aiohttp.ClientSession):
    for path in ("/docs", "/docs/errors"):
        answer = await pages.get(path)
        text = await answer.text()
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", text)
        assert "<script" not in text
        assert "style-src 'sha256-" in answer.headers["Content-Security-Policy"]


async def test_every_code_has_a_place_in_both_languages(pages: aiohttp.ClientSession):
    text = await (await pages.get("/docs/errors")).text()
    for code, refusal in REFUSALS.items():
        assert f'id="{code}"' in text
        assert refusal.title in text
        assert refusal.title_en.replace("'", "&#39;") in text


async def test_every_link_inside_the_pages_leads_somewhere(pages: aiohttp.ClientSession):
    texts = {path: await (await pages.get(path)).text() for path in ("/docs", "/docs/errors")}
    for here, text in texts.items():
        for link in re.findall(r'href="([^"]*#[^"]+)"', text):
            path, _, anchor = link.partition("#")
            assert f'id="{anchor}"' in texts[path or here], link
