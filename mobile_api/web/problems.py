"""Refusals as answers: RFC 9457 problems in the caller's language, with nothing of what was handed in."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from aiohttp import hdrs, web

from handlers.errors import FieldError, Refusal, Refused
from handlers.refusals import REFUSALS
from mobile_api.web.operation import Language

PROBLEM_JSON = "application/problem+json"
ERROR_PAGE = "/docs/errors"

_ENCODER = msgspec.json.Encoder()
_WEIGHT = re.compile(r";\s*q\s*=\s*([01](?:\.\d{0,3})?)")


class ProblemError(msgspec.Struct, frozen=True):
    """One thing wrong: a JSON pointer into the body (`?name` for a query parameter), the rule, and what to do."""

    pointer: str
    code: str
    message: str


class Problem(msgspec.Struct, frozen=True):
    """Why a request was refused (RFC 9457); `code` is listed under /docs/errors, `trace_id` is in every log line about it."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    trace_id: str
    errors: list[ProblemError] = []


class _Gaps(dict[str, object]):
    def __missing__(self, _name: str) -> str:
        return "…"


def language_of(headers: Mapping[str, str]) -> Language:
    """English if `Accept-Language` wants it more than Chinese, else Chinese (RFC 9110, 12.5.4)."""
    best, chosen = 0.0, "zh"
    for part in headers.get(hdrs.ACCEPT_LANGUAGE, "").split(",")[:20]:
        tag = part.strip()[:2].lower()
        weight = _WEIGHT.search(part)
        value = float(weight[1]) if weight else 1.0
        if tag in {"zh", "en"} and value > best:
            best, chosen = value, tag
    return "en" if chosen == "en" else "zh"


def problem_of(refused: Refused, language: Language, trace_id: str) -> Problem:
    """What a refusal says to this caller; an unlisted code is a mistake of ours and becomes `internal`."""
    code = refused.code if refused.code in REFUSALS else "internal"
    refusal = REFUSALS[code]
    title, detail = _words(refusal, language)
    return Problem(
        type=f"{ERROR_PAGE}#{code}",
        title=title,
        status=refusal.status,
        code=code,
        detail=detail.format_map(_Gaps(refused.values)),
        trace_id=trace_id,
        errors=[ProblemError(error.pointer, error.code, _said(error, language)) for error in refused.errors],
    )


def problem_response(refused: Refused, language: Language, trace_id: str) -> web.Response:
    """The same as an aiohttp response, with the headers that belong to its status."""
    problem = problem_of(refused, language, trace_id)
    headers = {hdrs.CONTENT_TYPE: PROBLEM_JSON, hdrs.CONTENT_LANGUAGE: language}
    if problem.status == web.HTTPUnauthorized.status_code:
        headers[hdrs.WWW_AUTHENTICATE] = "Bearer"  # RFC 6750, 3
    if "retry_after" in refused.values:
        headers[hdrs.RETRY_AFTER] = str(refused.values["retry_after"])
    if "allowed" in refused.values and problem.status == web.HTTPMethodNotAllowed.status_code:
        headers[hdrs.ALLOW] = str(refused.values["allowed"])
    return web.Response(status=problem.status, body=_ENCODER.encode(problem), headers=headers)


def refusal_of(error: web.HTTPException) -> Refused:
    """Errors of aiohttp in our words; what we have no word for is a bad request."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        return Refused("method_not_allowed", {"allowed": ", ".join(sorted(error.allowed_methods))})
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return Refused("too_large", {"limit": _after(error.text, "exceeded")})
    codes = {401: "not_logged_in", 403: "forbidden", 404: "not_found", 408: "too_slow", 417: "expectation_failed", 503: "unavailable"}
    return Refused(codes.get(error.status, "bad_request" if error.status < web.HTTPInternalServerError.status_code else "internal"))


def field_refusal(pointer: str, code: str) -> Refused:
    """A `wrong_shape` with one field error, worded from `RULES`."""
    return Refused("wrong_shape", errors=[FieldError(pointer, code, *RULES[code])])


RULES: dict[str, tuple[str, str]] = {
    "missing": ("必填，请补充。", "Required; add it."),
    "unknown": ("没有这一项，请删除。", "No such field; remove it."),
    "type": ("类型不符，请核对。", "Wrong type; see the API reference."),
    "range": ("超出允许的范围。", "Out of the allowed range."),
    "length": ("长度不符合要求。", "Wrong length."),
    "pattern": ("格式不符合要求。", "Wrong format."),
    "choice": ("不在可选的值之中。", "Not one of the possible values."),
    "repeated": ("只能出现一次。", "May be given only once."),
}


def _said(error: FieldError, language: Language) -> str:
    return error.message_en if language == "en" and error.message_en else error.message


def _words(refusal: Refusal, language: Language) -> tuple[str, str]:
    return (refusal.title_en, refusal.detail_en) if language == "en" else (refusal.title, refusal.detail)


def _after(text: str | None, word: str) -> str:
    found = re.search(word + r"\D*(\d+)", text or "")
    return found[1] if found else "…"
