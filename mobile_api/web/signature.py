"""What a view asks for and answers, read once from its type hints: the binder and the API reference both use it."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from aiohttp import web

from mobile_api.web.caller import Caller
from mobile_api.web.idempotency import Once
from mobile_api.web.operation import Answer, Language, Route

_GAP = re.compile(r"\{(\w+)(?::[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}")

Kind = Literal["path", "query", "body", "if_match", "caller", "request", "once", "language", "given"]
_BY_NAME: dict[str, Kind] = {"query": "query", "body": "body", "if_match": "if_match"}
_BY_TYPE: dict[Any, Kind] = {Caller: "caller", web.Request: "request", Once: "once", Language: "language"}

_HOW: dict[Any, bool | str] = {int: True, int | None: "optional"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a view, and where its value comes from."""

    name: str
    kind: Kind
    type: Any


@dataclass(frozen=True, slots=True)
class Signature:
    """A route's view as the frame sees it; `answer` is the Struct it returns, None where it returns none."""

    parameters: tuple[Parameter, ...]
    answer: Any

    def of(self, kind: Kind) -> Parameter | None:
        """The parameter of this kind, or None; for path parameters see `path`."""
        return next((parameter for parameter in self.parameters if parameter.kind == kind), None)

    @property
    def path(self) -> tuple[Parameter, ...]:
        """The parameters filled from the path."""
        return tuple(parameter for parameter in self.parameters if parameter.kind == "path")


def path_names(route: Route) -> list[str]:
    """The names in braces of a route's path."""
    return _GAP.findall(route.path)


def plain_path(route: Route) -> str:
    """The address without the patterns of its gaps, as OpenAPI writes it."""
    return _GAP.sub(r"{\1}", route.address)


@lru_cache(maxsize=1024)  # the frame, its check and the API reference ask for the same ones
def read_signature(route: Route) -> Signature:
    """Read a route's view; raises TypeError that names the view and the parameter that does not fit."""
    if not inspect.iscoroutinefunction(route.view):
        raise TypeError(f"{route.name} must be an async function")
    hints = get_type_hints(route.view, include_extras=True)
    names = path_names(route)
    parameters = tuple(_parameter(route, name, hints, names) for name in inspect.signature(route.view).parameters)
    for complaint in _complaints(route, parameters, names):
        raise TypeError(f"{route.name}: {complaint}")
    return Signature(parameters, _answer(hints.get("return")))


def _parameter(route: Route, name: str, hints: dict[str, Any], path: list[str]) -> Parameter:
    if name not in hints:
        raise TypeError(f"{route.name}: parameter {name} has no type")
    hint = hints[name]
    if name in path:
        return Parameter(name, "path", hint)
    if name in _BY_NAME:
        return Parameter(name, _BY_NAME[name], hint)
    return Parameter(name, _BY_TYPE.get(hint, "given"), hint)


def _complaints(route: Route, parameters: tuple[Parameter, ...], names: list[str]) -> Iterator[str]:
    kinds = {parameter.kind for parameter in parameters}
    given = {parameter.name for parameter in parameters if parameter.kind == "path"}
    if route.if_match != _HOW.get(next((parameter.type for parameter in parameters if parameter.kind == "if_match"), None), False):
        yield '`if_match: int` and the route\'s if_match=True belong together, and so do `int | None` and "optional"'
    if route.idempotency == "required" and "once" not in kinds and route.if_match is not True:
        yield "the route requires an Idempotency-Key, so the view needs `once: Once`, or `if_match: int` that refuses a repeat"
    if route.idempotency == "none" and "once" in kinds:
        yield "the view takes `once`, so the route must accept or require an Idempotency-Key"
    if route.idempotency != "none" and not route.who.logs_in:
        yield "Idempotency-Key needs a log-in: the keys of strangers are not told apart"
    if missing := [name for name in names if name not in given and "request" not in kinds]:
        yield f"nothing takes {', '.join(missing)} from the path"
    for parameter in parameters:
        if parameter.kind == "query" and not is_struct(parameter.type):
            yield "query must be a msgspec Struct"


def is_struct(hint: Any) -> bool:
    """Whether a type hint is a msgspec Struct class."""
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


def _answer(hint: Any) -> Any:
    """The JSON type behind a return annotation: Answer[T] and T | StreamResponse are both T."""
    if get_origin(hint) is Answer:
        return _answer(get_args(hint)[0])
    if get_origin(hint) in {Union, types.UnionType}:
        kept = [part for part in map(_answer, get_args(hint)) if part is not None]
        return kept[0] if kept else None
    if hint is None or hint is type(None) or (isinstance(hint, type) and issubclass(hint, web.StreamResponse)):
        return None
    return hint
