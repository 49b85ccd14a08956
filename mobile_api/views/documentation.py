"""The API reference: OpenAPI for programs, two pages for people that need nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from aiohttp import hdrs, web

from handlers.refusals import REFUSALS
from mobile_api.web.keys import ROUTES
from mobile_api.web.openapi import describe, refusal_codes
from mobile_api.web.operation import Route

_PAGES = Path(__file__).resolve().parent.parent / "pages"
_STYLE = (_PAGES / "static" / "docs" / "docs.css").read_text(encoding="utf-8")
_TAGS = {
    "auth": "登录",
    "me": "我的",
    "items": "事项",
    "uploads": "附件",
    "cases": "办件",
    "codes": "码",
    "sync": "消息",
    "subscriptions": "订阅",
    "wechat": "微信",
    "desk": "办理",
    "exchange": "部门交换",
    "supervision": "监察",
    "reference": "文档",
}
_CACHED = {hdrs.CACHE_CONTROL: "no-cache"}
# The style stands in the page, so that the page needs nothing else; its digest is all that the policy lets through.
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_CACHED_PAGE = {hdrs.CACHE_CONTROL: "no-cache", "Content-Security-Policy": _POLICY}


async def openapi(request: web.Request) -> web.Response:
    """The OpenAPI 3.1 document of this server."""
    return web.Response(body=_document(request.app[ROUTES]), content_type="application/json", headers=_CACHED)


async def docs(request: web.Request) -> web.Response:
    """The reference as a page."""
    return _page(_reference(request.app[ROUTES]))


async def errors(request: web.Request) -> web.Response:
    """Every refusal code, in Chinese and English, with what to do and where it occurs."""
    return _page(_catalogue(request.app[ROUTES]))


def _page(html: str) -> web.Response:
    return web.Response(text=html, content_type="text/html", headers=_CACHED_PAGE)


@lru_cache(maxsize=2)
def _document(routes: tuple[Route, ...]) -> bytes:
    return msgspec.json.encode(describe(routes))


@lru_cache(maxsize=2)
def _reference(routes: tuple[Route, ...]) -> str:
    document = msgspec.json.decode(_document(routes))
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            entry = {"method": method.upper(), "path": path, "operation": operation, "codes": _codes(operation)}
            groups.setdefault(operation["tags"][0], []).append(entry)
    return _template()(style=_STYLE, groups=groups, tags=_TAGS, schemas=document["components"]["schemas"], type_of=type_of)


@lru_cache(maxsize=2)
def _catalogue(routes: tuple[Route, ...]) -> str:
    used: dict[str, list[Route]] = {}
    for route in routes:
        for code in refusal_codes(route):
            used.setdefault(code, []).append(route)
    refusals = sorted(REFUSALS.items(), key=lambda entry: (entry[1].status, entry[0]))
    return _template()(style=_STYLE, refusals=refusals, used=used)


def _codes(operation: dict[str, Any]) -> list[tuple[str, list[str]]]:
    found = []
    for status, response in operation["responses"].items():
        problem = response.get("content", {}).get("application/problem+json")
        if problem:
            found.append((status, problem["schema"]["allOf"][1]["properties"]["code"]["enum"]))
    return found


def type_of(schema: dict[str, Any]) -> list[tuple[str, bool]]:
    """A JSON Schema in a few words, as pieces of text; True marks the name of another schema."""
    if "$ref" in schema:
        return [(schema["$ref"].rpartition("/")[2], True)]
    if schema.get("type") == "array":
        return [*type_of(schema.get("items", {})), ("[]", False)]
    if choices := schema.get("enum"):
        return [(" | ".join(map(str, choices)), False)]
    if parts := schema.get("anyOf") or schema.get("oneOf"):
        pieces = [piece for part in parts for piece in [(" | ", False), *type_of(part)]]
        return pieces[1:]
    limits = [f"{sign} {schema[name]}" for name, sign in _LIMITS if name in schema]
    words = [str(schema.get("type", "any")), *([f"({schema['format']})"] if "format" in schema else []), *limits]
    return [(" ".join(words), False)]


_LIMITS = (("minimum", "≥"), ("maximum", "≤"), ("minLength", "长 ≥"), ("maxLength", "长 ≤"), ("minItems", "数 ≥"), ("maxItems", "数 ≤"))


@lru_cache(maxsize=1)
def _template() -> Callable[..., str]:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_PAGES / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("docs.html").render
