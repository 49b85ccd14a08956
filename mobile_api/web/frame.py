"""The frame around every view: one middleware gives a request its id, turns refusals into problems, logs and counts.

    app = web.Application()
    app[AUTHENTICATOR], app[REPEATS] = identity, Repeats(database, clock, AnswerBook(sealer))
    install(app, ROUTES, {Office: office, Identity: identity})

Addresses added to the router by other means (pages, static files) get the same frame; who may see them is theirs to ask.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from time import perf_counter

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from handlers.errors import Refused
from mobile_api.web.binding import Given, complain_of_missing
from mobile_api.web.bodies import BODY_LIMITS, BodyLimits
from mobile_api.web.caller import AUTHENTICATOR
from mobile_api.web.endpoint import OVERRIDE, Endpoint
from mobile_api.web.headers import Dresser
from mobile_api.web.idempotency import REPEATS
from mobile_api.web.keys import ROUTES
from mobile_api.web.observations import note, settle
from mobile_api.web.operation import Route
from mobile_api.web.pace import PACES, Addresses, MemoryPace, Pace, PaceKeeper, PacePolicy
from mobile_api.web.problems import language_of, problem_response, refusal_of
from mobile_api.web.signature import read_signature
from mobile_api.web.trace import begin_trace
from storage.errors import StoreUnavailable

_LOGGER = logging.getLogger(__name__)
_CLIENT_GONE = 499
_STORE_SECONDS = 2  # a lost deadlock passes at once, a failover takes a few tries
_OPERATION_LENGTH = 80  # of idempotency.operation


@dataclass(frozen=True, slots=True)
class FrameOptions:
    """What of the frame may be tuned; `tls`: only reached by HTTPS, `trusted_proxies`: networks whose X-Forwarded-For counts."""

    paces: Mapping[str, Pace] = field(default_factory=lambda: PACES)
    pace_keeper: PaceKeeper = field(default_factory=MemoryPace)
    trusted_proxies: tuple[str, ...] = ()
    tls: bool = False
    bodies: BodyLimits = field(default_factory=BodyLimits)


def install(app: web.Application, routes: Iterable[Route], given: Given, options: FrameOptions | None = None) -> None:
    """Serve a table of routes. `given`: values that views ask for by type; raises TypeError or ValueError for a route that cannot work."""
    options = options or FrameOptions()
    table = tuple(routes)
    _check_table(table)
    app[ROUTES], app[BODY_LIMITS] = table, options.bodies
    paces = PacePolicy(options.paces, options.pace_keeper, Addresses(options.trusted_proxies))
    dress = Dresser(tls=options.tls)
    own_heads = {route.address for route in table if route.method == hdrs.METH_HEAD}
    for route in table:
        endpoint = Endpoint(route, read_signature(route), given, paces, dress.json, app)
        app.router.add_route(route.method, route.address, endpoint.serve, expect_handler=endpoint.expect)
        if route.method == hdrs.METH_GET and route.address not in own_heads and not route.token_in_query:
            app.router.add_route(hdrs.METH_HEAD, route.address, endpoint.serve, expect_handler=endpoint.expect)
    app.middlewares.append(frame)
    app.on_response_prepare.append(dress)

    async def check(started: web.Application) -> None:
        _check_given(started, table, given)

    async def last(_app: web.Application) -> None:
        settle()

    app.on_startup.append(check)
    app.on_cleanup.append(last)


@web.middleware
async def frame(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give a request its id, answer it whatever happens, then log and count it."""
    started = perf_counter()
    headers = request.headers
    trace = begin_trace(headers)
    status = _CLIENT_GONE
    try:
        if OVERRIDE in headers or hdrs.CONTENT_ENCODING in headers:
            _refuse_tricks(request)
        response = await handler(request)
        status = response.status
    except Exception as error:  # noqa: BLE001 - sorted out in one place
        response = _answer_to(error, request, trace.trace_id)
        status = response.status
    finally:
        if not trace.route:
            resource = request.match_info.route.resource
            trace.route = resource.canonical if resource is not None else "-"
        note(trace, request.method, status, perf_counter() - started)
    return response


def _answer_to(error: Exception, request: web.Request, trace_id: str) -> web.StreamResponse:
    """The answer to an error; raises again where the caller is gone, has half an answer already, or is sent elsewhere."""
    if isinstance(error, web.HTTPException) and error.status < web.HTTPBadRequest.status_code:
        raise error
    refused = _refusal(error, request)
    if request.writer.output_size > 0:
        raise ConnectionResetError("the answer had begun") from error
    return problem_response(refused, language_of(request.headers), trace_id)


def _refusal(error: Exception, request: web.Request) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, web.HTTPException):
        return refusal_of(error)
    if isinstance(error, web.RequestPayloadError):
        return Refused("bad_request")
    if isinstance(error, ConnectionError) and (request.transport is None or request.transport.is_closing()):
        raise error
    if isinstance(error, StoreUnavailable):
        _LOGGER.warning("a store is not available: %s", error)
        return Refused("unavailable", {"retry_after": _STORE_SECONDS})
    _LOGGER.error("unexpected error", exc_info=error)
    return Refused("unavailable" if isinstance(error, ConnectionError) else "internal")


def _refuse_tricks(request: web.Request) -> None:
    """Compressed bodies may be bombs; a method may be overridden only where the route says so (contract.md: tus uploads)."""
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise Refused("unsupported_media_type", {"expected": "identity"})
    endpoint = getattr(request.match_info.handler, "__self__", None)
    if OVERRIDE in request.headers and not (isinstance(endpoint, Endpoint) and endpoint.route.override):
        raise Refused("method_not_allowed", {"allowed": request.method})


def _check_table(table: tuple[Route, ...]) -> None:
    seen: set[str] = set()
    for route in table:
        address = f"{route.method} {route.address}"
        if address in seen:
            raise ValueError(f"{address} is there twice")
        seen.add(address)
        if len(f"{route.method} {route.path}") > _OPERATION_LENGTH:
            raise ValueError(f"{route.address} is too long")


def _check_given(app: web.Application, table: tuple[Route, ...], given: Given) -> None:
    for route in table:
        complain_of_missing(read_signature(route), route.name, given)
        if route.who.logs_in and AUTHENTICATOR not in app:
            raise TypeError(f"{route.name} needs app[AUTHENTICATOR]")
        if route.idempotency != "none" and REPEATS not in app:
            raise TypeError(f"{route.name} needs app[REPEATS]")
