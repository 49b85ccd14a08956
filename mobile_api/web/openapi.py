"""The API reference as OpenAPI 3.1, made from the table of routes and the views' own types."""

from __future__ import annotations

import inspect
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from handlers.refusals import REFUSALS
from mobile_api.web.operation import JSON, MULTIPART, Route, Who
from mobile_api.web.problems import PROBLEM_JSON, Problem
from mobile_api.web.signature import Signature, plain_path, read_signature

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_PROBLEM = "Problem"
_WHO = {
    Who.ANYONE: "任何人",
    Who.RESIDENT: "居民",
    Who.STAFF: "工作人员",
    Who.ACCOUNT: "已登录的任何账号",
    Who.SYSTEM: "微信平台（由签名证明）",
}


def describe(routes: Iterable[Route], title: str = "乡镇政务服务移动端接口", version: str = "1") -> Json:
    """The OpenAPI document of the routes below /api/v1."""
    served = [(route, read_signature(route)) for route in routes if not route.root]
    schemas, components = _schemas(signature for _, signature in served)
    names: Counter[str] = Counter()
    paths: dict[str, Json] = defaultdict(dict)
    for route, signature in served:
        operation = _operation(route, signature, schemas, components)
        names[route.name] += 1
        if names[route.name] > 1:  # a view that serves two addresses
            operation["operationId"] += f"_{names[route.name]}"
        paths[plain_path(route)][route.method.lower()] = operation
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "license": {"name": "MIT", "identifier": "MIT"},
            "description": "错误均为 application/problem+json（RFC 9457），代码见 /docs/errors。",
        },
        "servers": [{"url": "/"}],
        "paths": dict(paths),
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }
    # tuples become arrays, as the defaults of schemas may be tuples
    return msgspec.json.decode(msgspec.json.encode(document), type=Json)


def refusal_codes(route: Route, signature: Signature | None = None) -> list[str]:
    """Every code a route may answer with: its own and those that its door adds, by status."""
    signature = signature or read_signature(route)
    codes = {"too_many_requests", "internal", *route.errors}
    if route.who.logs_in:
        codes |= {"not_logged_in", "forbidden"}
    if signature.of("body"):
        codes |= {"not_json", "wrong_shape", "too_large", "too_slow", "unsupported_media_type"}
    if signature.of("query"):
        codes |= {"wrong_shape"}
    if signature.path:
        codes |= {"not_found"}
    if route.takes == MULTIPART:
        codes |= {"bad_upload", "too_large", "too_slow", "unsupported_media_type"}
    if route.idempotency != "none":
        codes |= {"idempotency_key_missing", "idempotency_key_reused", "idempotency_in_flight"}
    if route.if_match:
        codes |= {"precondition_failed"} | ({"precondition_required"} if route.if_match is True else set())
    return sorted(codes, key=lambda code: (REFUSALS[code].status, code))


def _schemas(signatures: Iterable[Signature]) -> tuple[dict[Any, Json], Json]:
    """The JSON Schema of every type that views take or answer; and all named ones, for the components."""
    types: list[Any] = [Problem]
    for signature in signatures:
        types += [part.type for part in signature.parameters if part.kind in {"path", "body", "query"}]
        types += [] if signature.answer is None else [signature.answer]
    made, components = msgspec.json.schema_components(types, ref_template=_REF)
    return dict(zip(types, made, strict=True)), dict(components)


def _operation(route: Route, signature: Signature, schemas: Mapping[Any, Json], components: Json) -> Json:
    operation: Json = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "description": f"{inspect.getdoc(route.view) or ''}\n\n可调用者：{_WHO[route.who]}".strip(),
        "parameters": [*_path_and_query(signature, schemas, components), *_headers(route)],
        "responses": {**_success(route, signature, schemas), **_refusals(route, signature)},
    }
    if route.who.logs_in:
        operation["security"] = [{"token": []}]
    if body := _body(route, signature, schemas):
        operation["requestBody"] = body
    return operation


def _path_and_query(signature: Signature, schemas: Mapping[Any, Json], components: Json) -> list[Json]:
    found: list[Json] = [{"name": part.name, "in": "path", "required": True, "schema": schemas[part.type]} for part in signature.path]
    if query := signature.of("query"):
        shape = components[query.type.__name__]
        required = shape.get("required", [])
        found += [
            {"name": name, "in": "query", "required": name in required, "schema": schema}
            for name, schema in shape.get("properties", {}).items()
        ]
    return found


def _headers(route: Route) -> list[Json]:
    found: list[Json] = []
    if route.idempotency != "none":
        required = route.idempotency == "required"
        schema = {"type": "string", "pattern": "^[!-~]{1,128}$"}
        found.append({"name": "Idempotency-Key", "in": "header", "required": required, "schema": schema})
    if route.if_match:
        schema = {"type": "string", "pattern": '^"v[0-9]+"$'}
        found.append({"name": "If-Match", "in": "header", "required": route.if_match is True, "schema": schema})
    if route.override:
        schema = {"type": "string", "const": route.override}
        found.append({"name": "X-HTTP-Method-Override", "in": "header", "required": True, "schema": schema})
    return found


def _body(route: Route, signature: Signature, schemas: Mapping[Any, Json]) -> Json | None:
    if body := signature.of("body"):
        return {"required": True, "content": {JSON: {"schema": schemas[body.type]}}}
    if route.takes == MULTIPART:
        binary = {"type": "string", "contentMediaType": "application/octet-stream"}
        parts = {"type": "object", "properties": {"file": binary, "name": {"type": "string"}}, "required": ["file"]}
        return {"required": True, "content": {MULTIPART: {"schema": parts}}}
    if route.takes and route.takes != JSON:
        return {"required": True, "content": {route.takes: {}}}
    return None


def _success(route: Route, signature: Signature, schemas: Mapping[Any, Json]) -> Json:
    if route.token_in_query:
        return {"101": {"description": "WebSocket"}}
    if signature.answer is not None:
        answer: Json = {"description": route.summary, "content": {JSON: {"schema": schemas[signature.answer]}}}
        return {str(route.status): answer}
    if route.gives != JSON:
        return {str(route.status): {"description": route.summary, "content": {route.gives: {}}}}
    if inspect.signature(route.view).return_annotation in {None, "None"}:
        return {"204": {"description": route.summary}}
    return {str(route.status): {"description": route.summary, "content": {JSON: {}}}}


def _refusals(route: Route, signature: Signature) -> Json:
    """One response per status; its codes in words, and as the enumeration that a program can rely on."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in refusal_codes(route, signature):
        by_status[REFUSALS[code].status].append(code)
    return {str(status): _problem(codes) for status, codes in by_status.items()}


def _problem(codes: list[str]) -> Json:
    schema = {"allOf": [{"$ref": _REF.format(name=_PROBLEM)}, {"properties": {"code": {"enum": codes}}}]}
    return {"description": "；".join(REFUSALS[code].title for code in codes), "content": {PROBLEM_JSON: {"schema": schema}}}
