"""The arguments of a view, fetched from a request by small functions that are chosen once, at start-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin

import msgspec
from aiohttp import hdrs, web

from handlers.errors import Refused
from mobile_api.web.answers import wanted_version
from mobile_api.web.caller import ANONYMOUS, Caller
from mobile_api.web.idempotency import Once
from mobile_api.web.operation import Language
from mobile_api.web.problems import field_refusal, language_of
from mobile_api.web.signature import Parameter, Signature, is_struct
from mobile_api.web.strictness import decode_strictly, shape_refusal
from mobile_api.web.trace import Trace

Given = Mapping[type, object]
"""Values that views may ask for by type, e.g. `{Office: office}`; may be filled until the application starts."""


class Call:
    """One request on its way to its view."""

    __slots__ = ("caller", "once", "raw", "request", "trace")

    def __init__(self, request: web.Request, trace: Trace) -> None:
        self.request = request
        self.trace = trace
        self.caller: Caller = ANONYMOUS
        self.raw = b""
        self.once: Once | None = None

    @property
    def language(self) -> Language:
        """What the caller reads."""
        return language_of(self.request.headers)


Fetch = Callable[[Call], Any]


def bind(signature: Signature, given: Given) -> tuple[Fetch, ...]:
    """One function for each parameter of a view, in their order."""
    return tuple(_fetch(parameter, given) for parameter in signature.parameters)


def _fetch(parameter: Parameter, given: Given) -> Fetch:
    if parameter.kind == "given":
        wanted = parameter.type
        return lambda _call: given[wanted]
    if parameter.kind == "path":
        return _path(parameter.name, parameter.type)
    if parameter.kind == "query":
        return _query(parameter.type)
    if parameter.kind == "body":
        return _body(parameter.type)
    if parameter.kind == "if_match" and parameter.type is not int:
        return lambda call: wanted_version(call.request) if hdrs.IF_MATCH in call.request.headers else None
    return _PLAIN[parameter.kind]


_PLAIN: dict[str, Fetch] = {
    "caller": lambda call: call.caller,
    "request": lambda call: call.request,
    "once": lambda call: call.once,
    "language": lambda call: call.language,
    "if_match": lambda call: wanted_version(call.request),
}


def _path(name: str, kind: Any) -> Fetch:
    """A path parameter; what cannot be one names nothing we have."""

    def fetch(call: Call) -> Any:
        text = call.request.match_info[name]
        if "\0" in text or (kind is int and len(text) > 18):  # noqa: PLR2004 - the digits a BIGINT holds
            raise Refused("not_found")
        try:
            return text if kind is str else msgspec.convert(text, kind, strict=False)
        except msgspec.ValidationError:
            raise Refused("not_found") from None

    return fetch


def _body(kind: Any) -> Fetch:
    decoder = msgspec.json.Decoder(kind)
    return lambda call: decode_strictly(call.raw, decoder)


def _query(kind: type[msgspec.Struct]) -> Fetch:
    """A query string as a Struct: texts are read as numbers and booleans, unknown and repeated names are refused."""
    lists = {info.encode_name: _is_list(info.type) for info in msgspec.structs.fields(kind)}
    empty = not any(info.required for info in msgspec.structs.fields(kind))

    def fetch(call: Call) -> Any:
        if empty and not call.request.query_string:
            return kind()
        values = _gathered(call, lists)
        try:
            return msgspec.convert(values, kind, strict=False)
        except msgspec.ValidationError as error:
            raise shape_refusal(error, "?") from None

    return fetch


def _gathered(call: Call, lists: dict[str, bool]) -> dict[str, Any]:
    """The names and texts of a query string; a name that is no list comes once."""
    values: dict[str, Any] = {}
    for name, text in call.request.query.items():
        if name not in lists:
            raise field_refusal("?" + (name if name.isidentifier() else ""), "unknown")
        if "\0" in text:
            raise field_refusal("?" + name, "pattern")
        if lists[name]:
            values.setdefault(name, []).append(text)
        elif name in values:
            raise field_refusal("?" + name, "repeated")
        else:
            values[name] = text
    return values


def _is_list(hint: Any) -> bool:
    parts = (hint, *get_args(hint))
    return any(get_origin(part) in {list, tuple, set, frozenset} for part in parts)


def complain_of_missing(signature: Signature, name: str, given: Given) -> None:
    """Raise TypeError for a type that the application does not give: at its start, not at the first request."""
    for parameter in signature.parameters:
        if parameter.kind == "given" and parameter.type not in given:
            raise TypeError(f"{name} asks for {parameter.name}: {parameter.type}, which the application does not give")
        if parameter.kind == "body" and not is_struct(parameter.type):
            raise TypeError(f"{name}: body must be a msgspec Struct")
