"""A phone's patience: it repeats what may be repeated, logs in again when its token has ended, and complains of the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sandbox.phones import Displeased, Phone


class Gate:
    """A server that answers what it is told to, in order, then 200."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.seen: list[tuple[str, str, str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append((request.path, request.headers.get("Idempotency-Key", ""), request.headers.get("Authorization", "")))
        if request.path.endswith("/auth/wechat"):
            return web.json_response({"access_token": f"token-{len(self.seen)}"})
        status = self.answers.pop(0) if self.answers else 200
        if status == 0 and request.transport is not None:
            request.transport.abort()
        return web.json_response({"code": "as_told"}, status=status or 500, headers={"Retry-After": "0"})


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def phone(gate: Gate) -> AsyncIterator[Phone]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", gate.answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        yield Phone("zhang", http, str(server.make_url("")).rstrip("/"))


@pytest.mark.parametrize("trouble", [503, 429, 0], ids=["not available", "too many", "cut"])
async def test_an_act_is_repeated_with_its_own_key(gate: Gate, phone: Phone, trouble: int) -> None:
    gate.answers = [trouble]
    await phone.call("POST", "/cases", {"item": "MZ-01"})
    await phone.call("POST", "/cases", {"item": "MZ-01"})
    first, repeat, other = (key for _, key, _ in gate.seen)
    assert first == repeat != other


async def test_an_ended_token_is_replaced(gate: Gate, phone: Phone) -> None:
    await phone.log_in()
    gate.answers = [401]
    await phone.call("GET", "/cases")
    assert [path for path, _, _ in gate.seen] == ["/api/v1/auth/wechat", "/api/v1/cases", "/api/v1/auth/wechat", "/api/v1/cases"]
    assert gate.seen[1][2] != gate.seen[3][2]


async def test_a_refusal_is_told_at_once(gate: Gate, phone: Phone) -> None:
    gate.answers = [422]
    with pytest.raises(Displeased, match=r"POST /cases: 422 .*as_told"):
        await phone.call("POST", "/cases", {})
    assert len(gate.seen) == 1
