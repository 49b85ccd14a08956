"""What every answer has in common: an id, headers, a log line, a figure."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from aiohttp import web

from mobile_api.web.frame import install
from mobile_api.web.operation import Answer, Route, Who, get, post, put
from mobile_api.web.server import serving
from mobile_api.web.trace import begin_trace, current_trace
from storage.errors import StoreUnavailable
from tests.support.web import Thing, as_, change, hello


async def test_an_answer_is_dressed_against_sniffing_framing_and_caching(client: aiohttp.ClientSession):
    for path in ("/api/v1/hello", "/api/v1/nothing", "/metrics"):
        headers = (await client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "aiohttp" not in headers["Server"].lower()
        assert "python" not in headers["Server"].lower()
        assert "Strict-Transport-Security" not in headers


async def test_behind_tls_browsers_are_told_to_stay_there(serve: Any):
    async with serve(tls=True) as client:
        for path in ("/api/v1/hello", "/api/v1/nothing"):
            assert "max-age" in (await client.get(path)).headers["Strict-Transport-Security"]


async def test_a_request_id_is_taken_from_the_caller_or_made(client: aiohttp.ClientSession):
    assert (await client.get("/api/v1/hello", headers={"X-Request-Id": "abc-123"})).headers["X-Request-Id"] == "abc-123"
    made = [(await client.get("/api/v1/hello", headers={"X-Request-Id": given})).headers["X-Request-Id"] for given in ("", "a b", "x" * 65)]
    assert len(set(made)) == 3
    assert all(len(identity) == 36 for identity in made)


async def test_a_trace_of_the_caller_is_carried_on_with_a_span_of_our_own():  # async: what it begins ends with its task
    given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    trace = begin_trace({"traceparent": given})
    version, carried, span, flags = trace.onward().split("-")
    assert (version, carried, flags) == ("00", given.split("-")[1], "00")
    assert span != given.split("-")[2]
    assert current_trace() is trace


@pytest.mark.parametrize(
    "given", ["", "nonsense", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"]
)
async def test_a_broken_trace_is_replaced_by_a_new_one(given: str):
    version, trace, span, flags = begin_trace({"traceparent": given}).onward().split("-")
    assert (version, len(trace), len(span), flags) == ("00", 32, 16, "01")
    assert trace != "0" * 32


async def test_a_request_is_logged_by_its_route_without_path_query_or_name(client: aiohttp.ClientSession, log: Any):
    await client.get("/api/v1/things/77?limit=5&tag=geheim", headers=as_("resident"))
    await client.get("/api/v1/secret-place?code=geheim")
    await client.request("PROPFIND", "/api/v1/hello")
    await client.request("BREW", "/api/v1/hello")
    first, second, third, fourth = (line for line in log() if "route" in line)
    assert (first["method"], first["route"], first["status"], first["level"]) == ("GET", "/api/v1/things/{n}", 200, "info")
    assert first["account"] == "0192f0c1-0000-7000-8000-000000000001"
    assert first["ms"] >= 0
    assert (second["route"], second["status"], second["account"]) == ("-", 404, "")
    assert (third["method"], third["status"]) == ("OTHER", 405)
    assert (fourth["method"], fourth["route"], fourth["status"]) == ("OTHER", "-", 400)
    assert not [line for line in log() if "geheim" in str(line) or "secret-place" in str(line) or "77?" in str(line)]


async def test_requests_are_counted_by_route_and_status(client: aiohttp.ClientSession):
    await client.get("/api/v1/nowhere")
    text = await _figures(client)
    assert 'mobile_api_requests_total{method="GET",route="-",status="404"}' in text
    before = _count(text, 'route="/api/v1/hello",status="200"')
    await client.get("/api/v1/hello")
    text = await _figures(client)
    assert _count(text, 'route="/api/v1/hello",status="200"') == before + 1
    assert 'mobile_api_request_seconds_bucket{le="0.001",method="GET",route="/api/v1/hello"}' in text


async def _figures(client: aiohttp.ClientSession) -> str:
    return await (await client.get("/metrics")).text()


def _count(text: str, labels: str) -> float:
    return sum(
        float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith("mobile_api_requests_total") and labels in line
    )


async def test_head_answers_like_get_without_a_body(client: aiohttp.ClientSession):
    answer = await client.head("/api/v1/things/3", headers=as_("resident"))
    assert (answer.status, answer.headers["ETag"], await answer.read()) == (200, '"v3"', b"")


async def test_a_view_without_an_answer_is_204(client: aiohttp.ClientSession):
    answer = await client.post("/api/v1/forget", headers=as_("resident"))
    assert (answer.status, await answer.read()) == (204, b"")
    assert "Content-Type" not in answer.headers


async def test_queries_are_read_as_numbers_booleans_and_lists(client: aiohttp.ClientSession):
    answer = await client.get("/api/v1/things/1?limit=5&urgent=true&tag=a&tag=b", headers=as_("clerk"))
    assert await answer.json() == {"name": "staff", "count": 5, "form": {"urgent": True, "tag": ["a", "b"]}}


@pytest.mark.parametrize("wanted", ['"v7"', 'W/"v7"', '"v1", "v7"', "*"])
async def test_who_holds_the_newest_version_is_told_so(client: aiohttp.ClientSession, wanted: str):
    answer = await client.get("/api/v1/things/7", headers=as_("resident", **{"If-None-Match": wanted}))
    assert (answer.status, await answer.read(), answer.headers["ETag"]) == (304, b"", '"v7"')


async def test_who_holds_an_older_version_gets_the_new_one(client: aiohttp.ClientSession):
    assert (await client.get("/api/v1/things/7", headers=as_("resident", **{"If-None-Match": '"v6"'}))).status == 200


@pytest.mark.parametrize(
    ("tag", "status"), [(None, 428), ('"v1"', 412), ("*", 412), ("v3", 412), ('"v3", "v4"', 412), ('W/"v3"', 412), ('"v3"', 200)]
)
async def test_a_change_names_the_version_it_changes(client: aiohttp.ClientSession, tag: str | None, status: int):
    answer = await client.put("/api/v1/things/3", json={}, headers={} if tag is None else {"If-Match": tag})
    assert answer.status == status
    assert answer.headers.get("ETag") == ('"v4"' if status == 200 else None)


def test_an_address_without_a_caller_cannot_be_built():
    with pytest.raises(TypeError, match="say who may call it"):
        get("/open", hello, None, summary="", tag="")  # type: ignore[arg-type]


async def _strange(place: bytearray) -> Thing:
    raise AssertionError(place)


async def _untyped(place) -> Thing:  # type: ignore[no-untyped-def]  # noqa: ANN001
    raise AssertionError(place)


def _not_async() -> Answer[Thing]:
    raise AssertionError


@pytest.mark.parametrize(
    ("route", "complaint"),
    [
        (get("/a", _strange, Who.ANYONE, summary="", tag=""), "does not give"),
        (get("/a", _untyped, Who.ANYONE, summary="", tag=""), "has no type"),
        (get("/a", _not_async, Who.ANYONE, summary="", tag=""), "async"),  # type: ignore[arg-type]
        (get("/a/{id}", hello, Who.ANYONE, summary="", tag=""), "takes id from the path"),
        (get("/a", hello, Who.ANYONE, summary="", tag="", if_match=True), "if_match"),
        (put("/things/{n}", change, Who.ANYONE, summary="", tag="", if_match="optional"), "if_match"),
        (post("/a", hello, Who.RESIDENT, summary="", tag="", idempotency="required"), "needs `once"),
        (post("/a", hello, Who.ANYONE, summary="", tag="", idempotency="accepted"), "needs a log-in"),
        (get("/a", hello, Who.RESIDENT, summary="", tag=""), "AUTHENTICATOR"),
    ],
)
async def test_a_route_that_cannot_work_stops_the_start(route: Route, complaint: str):
    async def start() -> None:
        app = web.Application()
        install(app, [route], {})
        async with serving(app):
            pass

    with pytest.raises(TypeError, match=complaint):
        await start()


def test_two_routes_for_one_address_are_refused():
    route = get("/a", hello, Who.ANYONE, summary="", tag="")
    with pytest.raises(ValueError, match="there twice"):
        install(web.Application(), [route, route], {})


async def store_away(_request: web.Request) -> web.Response:
    """A view whose store cannot be used now."""
    raise StoreUnavailable("DeadlockDetectedError: Process 4711 waits for ShareLock")


async def test_a_store_that_is_away_is_a_passing_thing_and_says_when_to_try_again():
    app = web.Application()
    install(app, (), {})
    app.router.add_get("/", store_away)
    async with serving(app) as url, aiohttp.ClientSession(url) as client:
        answer = await client.get("/")
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) >= 1
        text = await answer.text()
        assert '"code":"unavailable"' in text
        assert "4711" not in text
