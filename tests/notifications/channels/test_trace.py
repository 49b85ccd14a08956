from __future__ import annotations

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from notifications.channels.wechat import Account, WechatPlatform
from storage.clock import SystemClock
from storage.trace import carried

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


async def test_calls_of_the_platform_carry_the_trace_of_what_caused_them() -> None:
    heard: list[str] = []

    async def listen(request: web.Request) -> web.Response:
        heard.append(request.headers["traceparent"])
        return web.json_response({"access_token": "t", "expires_in": 7200, "data": []})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", listen)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        platform = WechatPlatform(session, Account(str(server.make_url("")), "wx-1", "secret"), SystemClock())
        with carried(f"00-{TRACE_ID}-b7ad6b7169203331-01"):
            await platform.templates()

    assert [one.split("-")[1] for one in heard] == [TRACE_ID, TRACE_ID]
    assert len({one.split("-")[2] for one in heard}) == len(heard)
