"""From what a view returns to what goes over the wire, and back again for a repeated request."""

from __future__ import annotations

import re

import msgspec
from aiohttp import hdrs, web
from multidict import CIMultiDict

from handlers.errors import Refused
from mobile_api.web.operation import Answer
from storage.idempotency import KeptAnswer

_ENCODER = msgspec.json.Encoder()
_VERSION = re.compile(r'"v(\d{1,18})"')


def ready(given: object, status: int) -> KeptAnswer:
    """A view's answer as status, headers and body; `status` is the route's own, None becomes 204 without a body."""
    if isinstance(given, Answer):
        headers = dict(given.headers)
        if given.etag is not None:
            headers[hdrs.ETAG] = version_tag(given.etag)
        return _encoded(given.body, given.status or status, headers)
    return _encoded(given, status, {})


def response_of(answer: KeptAnswer, base: CIMultiDict[str]) -> web.Response:
    """The aiohttp response of an answer that is ready, with the headers that all answers share."""
    has_body = answer.status not in {web.HTTPNoContent.status_code, web.HTTPNotModified.status_code}
    response = web.Response(status=answer.status, body=answer.body if has_body else None, headers=base)
    if not has_body:
        del response.headers[hdrs.CONTENT_TYPE]
    response.headers.update(answer.headers)
    return response


def encode(body: object) -> bytes:
    """A view's Struct as JSON."""
    return _ENCODER.encode(body)


def version_tag(version: int) -> str:
    """The strong ETag of a version, `"v3"` for 3 (RFC 9110, 8.8.3)."""
    return f'"v{version}"'


def wanted_version(request: web.Request) -> int:
    """The version that If-Match names; Refused "precondition_required" without one, "precondition_failed" if it is none of ours."""
    header = request.headers.get(hdrs.IF_MATCH)
    if header is None:
        raise Refused("precondition_required")
    found = _VERSION.fullmatch(header.strip())
    if found is None:
        raise Refused("precondition_failed")
    return int(found[1])


def is_unchanged(request: web.Request, answer: KeptAnswer) -> bool:
    """Whether the caller of a GET already holds what would be answered (RFC 9110, 13.1.2)."""
    wanted = request.headers.get(hdrs.IF_NONE_MATCH)
    if wanted is None or hdrs.ETAG not in answer.headers or request.method not in {"GET", "HEAD"}:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in wanted.split(",")}
    return answer.headers[hdrs.ETAG] in tags or "*" in tags


def _encoded(body: object, status: int, headers: dict[str, str]) -> KeptAnswer:
    if body is None:
        return KeptAnswer(web.HTTPNoContent.status_code if status == web.HTTPOk.status_code else status, headers, b"")
    return KeptAnswer(status, headers, _ENCODER.encode(body))
