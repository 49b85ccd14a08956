"""One route at work: who calls, how often, with what; then the view; then its answer."""

from __future__ import annotations

import msgspec
from aiohttp import hdrs, web
from multidict import CIMultiDict, istr

from handlers.errors import Refused
from mobile_api.web.answers import encode, is_unchanged, ready, response_of, wanted_version
from mobile_api.web.binding import Call, Given, bind
from mobile_api.web.bodies import BODY_LIMITS, read_json, read_whole
from mobile_api.web.caller import AUTHENTICATOR, Caller
from mobile_api.web.idempotency import REPEATS, AlreadyDone, idempotency_key
from mobile_api.web.operation import JSON, Route
from mobile_api.web.pace import PacePolicy
from mobile_api.web.problems import language_of, problem_response
from mobile_api.web.signature import Signature
from mobile_api.web.trace import REQUEST_ID, begin_trace, current_trace
from storage.idempotency import Act, KeptAnswer

OVERRIDE = istr("X-HTTP-Method-Override")
REPLAYED = "Idempotency-Replayed"


class Endpoint:
    """A route ready to be served: everything that can be known before the first request is known here."""

    def __init__(
        self, route: Route, signature: Signature, given: Given, paces: PacePolicy, json: CIMultiDict[str], app: web.Application
    ) -> None:
        self.route = route
        self._view = route.view
        self._app = app
        self._fetches = bind(signature, given)
        self._reads_json = signature.of("body") is not None
        self._who = route.who.value
        self._logs_in = route.who.logs_in
        self._once = route.idempotency != "none"
        self._keeps_itself = signature.of("once") is not None
        self._operation = f"{route.method} {route.path}"
        self._pace = paces.of(route)
        self._address = route.address
        self._status = route.status
        self._headers = json

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; refusals are raised and become problems in the frame."""
        trace = current_trace() or begin_trace(request.headers)
        trace.route = self._address
        call = Call(request, trace)
        if self.route.override and request.headers.get(OVERRIDE) != self.route.override:
            raise Refused("method_not_allowed", {"allowed": self.route.override})
        if self._logs_in:
            call.caller = await self._caller(request)
            trace.account = call.caller.account_id
        if self._pace is not None and (waiting := self._pace.check(request, call.caller)) is not None:
            await waiting
        if self._reads_json:
            call.raw = await read_json(request, self._app[BODY_LIMITS])
        if self._once:
            return await self._serve_once(call)
        return self._answer(call, await self._view(*[fetch(call) for fetch in self._fetches]))

    async def expect(self, request: web.Request) -> web.StreamResponse | None:
        """Answer `Expect: 100-continue` only to a body that may come; what is too large is refused unasked (RFC 9110, 10.1.1)."""
        if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
            return problem_response(Refused("expectation_failed"), language_of(request.headers), begin_trace(request.headers).trace_id)
        if self.route.takes != JSON or (request.content_length or 0) <= self._app[BODY_LIMITS].json_bytes:
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # nothing of the answer itself is sent yet
        return None

    async def _caller(self, request: web.Request) -> Caller:
        header = request.headers.get(hdrs.AUTHORIZATION, "")
        token = header[7:].strip() if header[:7].lower() == "bearer " else ""
        if self.route.token_in_query and not token:
            token = request.query.get("token", "")
        if not token:
            raise Refused("not_logged_in")
        caller = await self._app[AUTHENTICATOR].authenticate(token)
        if self._who not in {caller.kind, "account"}:
            raise Refused("forbidden")
        return caller

    async def _serve_once(self, call: Call) -> web.StreamResponse:
        """Serve an act that must not happen twice: give the earlier answer, or do it and keep the answer with it."""
        request, repeats = call.request, self._app[REPEATS]
        if self.route.if_match is True:
            wanted_version(request)  # who has not looked is told that first, with a key or without
        key = idempotency_key(request, required=self.route.idempotency == "required")
        if key is not None and not self._reads_json:
            call.raw = await read_whole(request, self._app[BODY_LIMITS])
        act = Act(call.caller.account_id, self._operation, key) if key is not None else None
        once = call.once = repeats.once(act, (request.path_qs.encode(), call.raw), self.route.status)
        repeats.begin(once)
        try:
            earlier = await repeats.earlier(once)
            if earlier is not None:
                return self._replayed(call, earlier)
            given = await self._view(*[fetch(call) for fetch in self._fetches])
            if not self._keeps_itself:
                await repeats.keep_afterwards(once, given)
            return self._answer(call, given)
        except AlreadyDone:
            earlier = await repeats.earlier(once)
            if earlier is None:
                raise Refused("idempotency_in_flight", {"retry_after": 1}) from None
            return self._replayed(call, earlier)
        finally:
            repeats.end(once)

    def _answer(self, call: Call, given: object) -> web.StreamResponse:
        if isinstance(given, msgspec.Struct) and call.once is None:
            response = web.Response(body=encode(given), status=self._status, headers=self._headers)
            response.headers[REQUEST_ID] = call.trace.id
            return response
        if isinstance(given, web.StreamResponse):
            return given
        answer = ready(given, self._status)
        if call.once is not None and call.once.act is not None:
            if call.once.kept is None:
                raise RuntimeError(f"{self.route.name} did not keep its answer in the transaction of its effect")
            answer = call.once.kept
        elif hdrs.ETAG in answer.headers and is_unchanged(call.request, answer):
            answer = KeptAnswer(web.HTTPNotModified.status_code, {hdrs.ETAG: answer.headers[hdrs.ETAG]}, b"")
        return self._finished(call, answer)

    def _finished(self, call: Call, answer: KeptAnswer) -> web.Response:
        response = response_of(answer, self._headers)
        response.headers[REQUEST_ID] = call.trace.id
        return response

    def _replayed(self, call: Call, answer: KeptAnswer) -> web.Response:
        response = self._finished(call, answer)
        response.headers[REPLAYED] = "true"
        return response
