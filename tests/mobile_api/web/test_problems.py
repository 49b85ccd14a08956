"""Every refusal is a problem: in the caller's language, with an id to quote, and nothing of what was handed in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from handlers.errors import Refusal, Refused
from handlers.refusals import REFUSALS
from mobile_api.web import problems
from mobile_api.web.problems import language_of, problem_of
from tests.support.web import as_

SECRET = "110101199001011234"


async def problem(answer: aiohttp.ClientResponse, status: int, code: str) -> dict[str, Any]:
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    body: dict[str, Any] = await answer.json(content_type=None)
    assert (body["status"], body["code"], body["type"]) == (status, code, f"/docs/errors#{code}")
    assert re.fullmatch("[0-9a-f]{32}", body["trace_id"])
    return body


async def test_an_unknown_address_is_not_found(client: aiohttp.ClientSession):
    await problem(await client.get("/api/v1/nothing/here"), 404, "not_found")


async def test_a_wrong_method_names_the_right_ones(client: aiohttp.ClientSession):
    answer = await client.delete("/api/v1/hello")
    await problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "CONNECT"])
async def test_strange_methods_are_refused(client: aiohttp.ClientSession, method: str):
    answer = await client.request(method, "/api/v1/hello")
    assert answer.status in {400, 404, 405}
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "GET"])
async def test_a_method_cannot_be_overridden_where_the_route_does_not_say_so(client: aiohttp.ClientSession, method: str):
    answer = await client.post("/api/v1/echo", json={}, headers={"X-HTTP-Method-Override": method})
    await problem(answer, 405, "method_not_allowed")


async def test_who_is_not_logged_in_is_told_so(client: aiohttp.ClientSession):
    for headers in ({}, as_("nobody"), {"Authorization": "Basic abc"}, {"Authorization": "Bearer "}):
        answer = await client.get("/api/v1/things/1", headers=headers)
        await problem(answer, 401, "not_logged_in")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_clerk_is_no_resident_and_a_resident_no_clerk(client: aiohttp.ClientSession):
    await problem(await client.post("/api/v1/things", json={}, headers=as_("clerk")), 403, "forbidden")
    await problem(await client.get("/api/v1/fail", headers=as_("resident")), 403, "forbidden")
    assert (await client.get("/api/v1/things/1", headers=as_("clerk"))).status == 200


async def test_an_unexpected_error_tells_nothing_and_is_logged_with_its_trace(client: aiohttp.ClientSession, log: Any):
    answer = await client.get("/api/v1/fail", headers=as_("clerk"))
    body = await problem(answer, 500, "internal")
    text = await answer.text()
    assert SECRET not in text
    assert "ValueError" not in text
    told = next(line for line in log() if "traceback" in line)
    assert (told["trace_id"], told["request_id"]) == (body["trace_id"], answer.headers["X-Request-Id"])
    assert "ValueError" in told["traceback"]


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.4,zh;q=0.8", "zh"),
        ("fr, en;q=0.5", "en"),
        ("fr", "zh"),
        ("en;q=0", "zh"),
        (";;;,q=,en;q=x", "en"),
    ],
)
def test_the_language_is_the_one_the_caller_likes_best(wanted: str, language: str):
    assert language_of({"Accept-Language": wanted}) == language


async def test_problems_are_chinese_unless_english_is_asked_for(client: aiohttp.ClientSession):
    chinese = await problem(await client.get("/api/v1/nothing"), 404, "not_found")
    english = await problem(await client.get("/api/v1/nothing", headers={"Accept-Language": "en"}), 404, "not_found")
    assert (chinese["title"], english["title"]) == ("没有找到", "Not found")


async def test_a_wrong_body_is_answered_with_the_place_and_the_rule_but_never_the_value(client: aiohttp.ClientSession):
    cases = [
        ({"count": SECRET}, "/count", "type"),
        ({"name": SECRET * 2}, "/name", "length"),
        ({"count": -1}, "/count", "range"),
        ({"surname": SECRET}, "/surname", "unknown"),
        ({"form": [SECRET]}, "/form", "type"),
    ]
    for body, pointer, code in cases:
        answer = await client.post("/api/v1/echo", json=body)
        told = await problem(answer, 422, "wrong_shape")
        assert [(error["pointer"], error["code"]) for error in told["errors"]] == [(pointer, code)]
        assert SECRET not in await answer.text()


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("limit=0", "?limit", "range"),
        ("limit=many", "?limit", "type"),
        ("limit=1&limit=1", "?limit", "repeated"),
        ("nothing=1", "?nothing", "unknown"),
        ("%00=1", "?", "unknown"),
        ("tag=%00", "?tag", "pattern"),
    ],
)
async def test_a_wrong_query_is_answered_like_a_wrong_body(client: aiohttp.ClientSession, query: str, pointer: str, code: str):
    told = await problem(await client.get(f"/api/v1/things/1?{query}", headers=as_("resident")), 422, "wrong_shape")
    assert [(error["pointer"], error["code"]) for error in told["errors"]] == [(pointer, code)]


@pytest.mark.parametrize("name", ["x", "-1x", "9" * 30, "%00", "1%00", "1.5"])
async def test_a_path_that_cannot_be_an_id_names_nothing(client: aiohttp.ClientSession, name: str):
    await problem(await client.get(f"/api/v1/things/{name}", headers=as_("resident")), 404, "not_found")


async def test_json_must_say_that_it_is_json(client: aiohttp.ClientSession):
    answer = await client.post("/api/v1/echo", data=b"{}", headers={"Content-Type": "text/plain"})
    await problem(answer, 415, "unsupported_media_type")


async def test_a_compressed_body_is_not_opened(client: aiohttp.ClientSession):
    answer = await client.post("/api/v1/echo", data=b"x", headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})
    await problem(answer, 415, "unsupported_media_type")


async def test_too_much_is_refused_with_the_time_to_wait(client: aiohttp.ClientSession):
    assert [(await client.get("/api/v1/costly")).status for _ in range(20)] == [200] * 20
    answer = await client.get("/api/v1/costly")
    await problem(answer, 429, "too_many_requests")
    assert 0 < int(answer.headers["Retry-After"]) <= 1000


def test_a_code_that_is_not_listed_is_a_mistake_of_ours():
    assert problem_of(Refused("no_such_code"), "en", "1").code == "internal"


def test_a_gap_without_a_value_stays_a_gap():
    assert "…" in problem_of(Refused("too_many_requests"), "zh", "1").detail


@pytest.mark.parametrize(("code", "refusal"), REFUSALS.items())
def test_every_refusal_has_words_in_both_languages_and_a_status(code: str, refusal: Refusal):
    assert code.isidentifier()
    assert 400 <= refusal.status < 600
    assert all((refusal.title, refusal.detail, refusal.title_en, refusal.detail_en))


def test_every_code_that_the_frame_refuses_with_is_listed():
    sources = [path.read_text(encoding="utf-8") for path in Path(problems.__file__).parent.glob("*.py")]
    codes = {code for source in sources for code in re.findall(r'Refused\(\s*"(\w+)"', source)}
    assert len(codes) > 10
    assert codes <= set(REFUSALS)
