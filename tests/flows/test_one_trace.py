"""One trace from the phone through every department and back: whoever looks for it finds the whole story in the logs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from mobile_api.web.logs import log_to, stop_log
from mobile_api.web.observations import settle
from tests.support.wholetown import Town, application_for

LOW_INCOME_AID, SMALL_RESTAURANT = "MZ-01", "SJ-03"
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HANDED_IN = {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01"}


@pytest.fixture
def log() -> Iterator[Any]:
    """The lines logged, each as a dict; call it to read them."""
    stream = io.StringIO()
    handler = log_to(stream)

    def lines() -> list[dict[str, Any]]:
        settle()
        handler.flush()
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    yield lines
    stop_log(handler)


async def test_a_submission_its_departments_and_the_news_of_its_decision_share_one_trace(town: Town, log: Any):
    await town.consent("zhang")
    resident = await town.resident("zhang")
    application = await application_for(resident, LOW_INCOME_AID)

    await resident.call("POST", "/cases", json=application, key="first", headers=HANDED_IN, expect=(201,))

    async def told() -> list[dict[str, Any]]:
        lines = [line for line in log() if line.get("trace_id") == TRACE_ID]
        return lines if any(line.get("message", "").endswith("of case.completed is sent") for line in lines) else []

    story = await town.until(told, "the log line of the message about the decision")
    handed_in = [line["status"] for line in story if line.get("route") == "/api/v1/cases"]
    effects = {line["message"] for line in story if line.get("logger") == "handlers.reviews"}
    assert handed_in == [201]
    assert "task.accepted of MZ takes effect" in effects
    assert {f"task.decided of {department} takes effect" for department in ("GA", "RS", "ZR", "SJ", "SW", "MZ")} <= effects


async def test_every_message_to_a_department_belongs_to_the_trace_of_what_caused_it(town: Town):
    await town.departments.pause()
    resident = await town.resident("zhang")
    application = await application_for(resident, SMALL_RESTAURANT)
    await resident.call("POST", "/cases", json=application, key="first", headers=HANDED_IN, expect=(201,))

    await town.until(town.something_in_redis, "a message in a stream")
    redis = town.stores.redis.commands
    keys = [key async for key in redis.scan_iter("q:*")]
    entries = [fields[b"e"] for key in keys for _, fields in await redis.xrange(key)]
    carried = [json.loads(body)["traceparent"].split("-") for body in entries]
    assert {trace_id for _, trace_id, _, _ in carried} == {TRACE_ID}
    assert SPAN_ID not in {span for _, _, span, _ in carried}


async def test_a_problem_names_the_trace_that_the_log_knows(town: Town, log: Any):
    resident = await town.resident("zhang")

    _, problem = await resident.raw("GET", "/cases/nothing", headers=HANDED_IN)

    assert problem["trace_id"] == TRACE_ID
    assert [line["status"] for line in log() if line.get("trace_id") == TRACE_ID] == [404]
