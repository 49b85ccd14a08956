"""The stand-in platform as an aiohttp application: routes, the request log, faults and error answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.wechat import calls, messages, page
from sandbox.wechat.answers import Refusal
from sandbox.wechat.faults import suffer
from sandbox.wechat.pusher import Pusher
from sandbox.wechat.world import WORLD, World

_SECRET = {"secret", "access_token"}
_OWN = ("/sandbox/", "/favicon")

ROUTES = [
    web.get("/", page.phones),
    web.get("/sns/jscode2session", calls.code2session),
    web.get("/cgi-bin/token", calls.plain_token),
    web.post("/cgi-bin/stable_token", calls.stable_token),
    web.post("/cgi-bin/message/subscribe/send", messages.send),
    web.get("/wxaapi/newtmpl/gettemplate", messages.list_templates),
    web.post("/wxa/business/getuserphonenumber", calls.phone_number),
    web.post("/wxa/getwxacodeunlimit", calls.unlimited_code),
    web.post("/wxa/msg_sec_check", calls.check_text),
    web.post("/sandbox/codes", calls.issue_code),
    web.post("/sandbox/taps", messages.tap),
    web.post("/sandbox/turn-off", messages.turn_off),
    web.get("/sandbox/messages", messages.on_phones),
    web.get("/sandbox/log", calls.show_log),
    web.post("/sandbox/faults", calls.add_fault),
    web.delete("/sandbox/faults", calls.clear_faults),
    web.post("/sandbox/tokens/expire", calls.expire_tokens),
    web.post("/sandbox/clock", calls.advance_clock),
    web.post("/sandbox/pusher", calls.set_pusher),
    web.post("/sandbox/pusher/check", calls.check_pusher),
]


def make_app(world: World | None = None) -> web.Application:
    """The application around a world (a fresh one, if left out)."""
    app = web.Application(middlewares=[_manners])
    app[WORLD] = world or World()
    app.add_routes(ROUTES)
    app.cleanup_ctx.append(_pusher)
    return app


async def _pusher(app: web.Application) -> AsyncIterator[None]:
    world = app[WORLD]
    async with aiohttp.ClientSession() as session:
        world.pusher = Pusher(world.target, session)
        yield
        await world.pusher.close()
    world.store.close()


@web.middleware
async def _manners(request: web.Request, handler: Handler) -> web.StreamResponse:
    world = request.app[WORLD]
    if request.path == "/" or request.path.startswith(_OWN):
        return await _own(request, handler)
    entry = {"path": request.path, "method": request.method, "at": world.clock()}
    entry["query"] = {name: "..." if name in _SECRET else value for name, value in request.query.items()}
    world.log.append(entry)
    fault = world.faults.strike(request.path)
    try:
        response = await (suffer(fault, request, handler) if fault else handler(request))
    except Refusal as refusal:
        entry["errcode"] = refusal.errcode
        response = refusal.response()
    if fault:
        entry["fault"] = fault.kind
    return response


async def _own(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The sandbox's own addresses: a page of the demo at another origin may call them, and errors are plain."""
    if request.method == "OPTIONS":
        response: web.StreamResponse = web.Response()
    else:
        try:
            response = await handler(request)
        except (KeyError, TypeError, ValueError, Refusal) as error:
            response = web.json_response({"error": f"{type(error).__name__}: {error}"}, status=422)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "Content-Type"
    response.headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE"
    return response
