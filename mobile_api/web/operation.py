"""What an address of the API promises: a table of `Route`s is the whole API, its reference and its guard.

    ROUTES = [
        get("/cases/{id}", cases.show, Who.RESIDENT, summary="办件详情", tag="cases", errors=("not_found",)),
        post("/cases", cases.create, Who.RESIDENT, summary="提交申请", tag="cases", status=201, idempotency="required"),
    ]

A view is an async function whose parameters say what it needs, in any order:

- a name from the path (`id: str`, `n: int`); `query: SomeStruct`; `body: SomeStruct`;
- `caller: Caller`, `language: Language`, `once: Once`, `request: web.Request`;
- `if_match: int` on routes with `if_match=True`, `if_match: int | None` on those with `if_match="optional"`;
- any type the application gives, e.g. `office: Office` (see `frame.install`).

It returns a Struct, an `Answer`, None (204) or an aiohttp response of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, Literal, TypeVar

API = "/api/v1"
JSON = "application/json"
MULTIPART = "multipart/form-data"

T = TypeVar("T")
View = Callable[..., Awaitable[object]]
Language = Literal["zh", "en"]
Idempotency = Literal["none", "accepted", "required"]


class Who(Enum):
    """Who may call an address; nothing is served without one."""

    ANYONE = "anyone"
    RESIDENT = "resident"
    STAFF = "staff"
    ACCOUNT = "account"
    SYSTEM = "system"

    @property
    def logs_in(self) -> bool:
        """True where an access token is needed (a SYSTEM proves itself by the signature its view checks)."""
        return self in {Who.RESIDENT, Who.STAFF, Who.ACCOUNT}


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A view's answer with more than a body: `status` 0 means the route's own, `etag` is the version of what is shown."""

    body: T
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One address: method, path below `/api/v1` (or from the root), view, who may call it, and what callers must know."""

    method: str
    path: str
    view: View
    who: Who
    summary: str
    tag: str
    status: int = 200
    idempotency: Idempotency = "none"
    if_match: bool | Literal["optional"] = False
    errors: tuple[str, ...] = ()
    root: bool = False
    takes: str = JSON
    gives: str = JSON
    pace: str = ""
    override: str = ""
    token_in_query: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.who, Who):
            raise TypeError(f"{self.method} {self.path}: say who may call it (operation.Who)")
        if not self.path.startswith("/"):
            raise ValueError(f"{self.method} {self.path}: a path begins with /")

    @property
    def address(self) -> str:
        """The path as it is served, e.g. `/api/v1/cases/{id}`."""
        return self.path if self.root else API + self.path

    @property
    def name(self) -> str:
        """The view's name with its noun, e.g. `cases_show`; the operationId of the API reference."""
        return f"{self.view.__module__.rpartition('.')[2]}_{self.view.__name__}"


def _method(method: str) -> Callable[..., Route]:
    def route(path: str, view: View, who: Who, *, summary: str, tag: str, **options: Any) -> Route:
        return Route(method, path, view, who, summary, tag, **options)

    route.__name__ = route.__qualname__ = method.lower()
    route.__doc__ = f"An address called by {method}; the keywords are the fields of `Route`."
    return route


get = _method("GET")
head = _method("HEAD")
post = _method("POST")
put = _method("PUT")
patch = _method("PATCH")
delete = _method("DELETE")
