"""How often one caller may ask: the generic cell rate algorithm (GCRA), one bucket per caller and class of addresses."""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from handlers.errors import Refused
from mobile_api.web.caller import Caller
from mobile_api.web.operation import Route

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_MANY = 50_000


@dataclass(frozen=True, slots=True)
class Pace:
    """So many requests a minute on average, `burst` of them at once."""

    per_minute: float
    burst: int


PACES: Mapping[str, Pace] = {
    "read": Pace(600, 120),
    "write": Pace(120, 40),
    "login": Pace(30, 20),
    "costly": Pace(60, 30),
}
"""Per account. Callers without a log-in get `ANONYMOUS_SHARE` times as much per network address: a whole village may stand behind one."""

ANONYMOUS_SHARE = 20


class PaceKeeper(Protocol):
    """Counts requests; a shared store can take the place of the one in memory."""

    def take(self, who: str, pace: Pace) -> float | Awaitable[float]:
        """Take one request: 0 if it may go on, else the seconds to wait; at once, or later from a store elsewhere."""
        ...


class MemoryPace:
    """Counts in this process only: with n processes a caller gets up to n times the pace, and a restart forgets."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._arrivals: dict[str, float] = {}

    def take(self, who: str, pace: Pace) -> float:
        """Take one request: 0 if it may go on, else the seconds to wait."""
        now = self._now()
        interval = 60 / pace.per_minute
        due = self._arrivals.get(who, now)
        wait = due - now - interval * (pace.burst - 1)
        if wait > 1e-9:  # noqa: PLR2004 - rounding of clock differences
            return wait
        if len(self._arrivals) >= _MANY:
            self._forget(now)
        self._arrivals[who] = max(due, now) + interval
        return 0.0

    def _forget(self, now: float) -> None:
        """Drop full buckets; if hostile callers filled all others, drop those too rather than the memory."""
        self._arrivals = {who: due for who, due in self._arrivals.items() if due > now}
        if len(self._arrivals) >= _MANY:
            self._arrivals.clear()


class Addresses:
    """The caller's network address; X-Forwarded-For counts only as far as trusted proxies vouch for it."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._trusted: tuple[Network, ...] = tuple(ipaddress.ip_network(network) for network in trusted)

    def of(self, request: web.Request) -> str:
        """The last address that no trusted proxy owns; an IPv6 caller is its /64, which one household owns whole."""
        address = request.remote or ""
        if self._trusted:
            for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
                if not self._vouches(address) or not hop.strip():
                    break
                address = hop.strip()
        return _grouped(address)

    def _vouches(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


def _grouped(address: str) -> str:
    if ":" not in address:
        return address[:40]
    try:
        return str(ipaddress.ip_network(f"{address.partition('%')[0]}/64", strict=False))
    except ValueError:
        return address[:40]


class RoutePace:
    """The pace of one route's class, for callers with and without a log-in."""

    def __init__(self, name: str, pace: Pace, keeper: PaceKeeper, addresses: Addresses) -> None:
        self._name = name
        self._pace = pace
        self._shared = Pace(pace.per_minute * ANONYMOUS_SHARE, pace.burst * ANONYMOUS_SHARE)
        self._keeper = keeper
        self._addresses = addresses

    def check(self, request: web.Request, caller: Caller) -> Awaitable[None] | None:
        """Let a request pass, or raise Refused "too_many_requests"; to be awaited if the keeper does not answer at once."""
        if caller.account_id:
            wait = self._keeper.take(f"{self._name}:{caller.account_id}", self._pace)
        else:
            wait = self._keeper.take(f"{self._name}:{self._addresses.of(request)}", self._shared)
        if isinstance(wait, float):
            _refuse_if(wait)
            return None
        return self._later(wait)

    async def _later(self, wait: Awaitable[float]) -> None:
        _refuse_if(await wait)


def _refuse_if(wait: float) -> None:
    if wait > 0:
        raise Refused("too_many_requests", {"retry_after": math.ceil(wait)})


class PacePolicy:
    """Which class of pace a route belongs to; a class without a pace is not limited."""

    def __init__(self, paces: Mapping[str, Pace], keeper: PaceKeeper, addresses: Addresses) -> None:
        self._paces = paces
        self._keeper = keeper
        self._addresses = addresses

    def of(self, route: Route) -> RoutePace | None:
        """The route's own class, else `read` or `write` by its method; addresses at the root have one only if they say so."""
        name = route.pace or ("none" if route.root else "read" if route.method in {"GET", "HEAD"} else "write")
        if name not in self._paces:
            return None
        return RoutePace(name, self._paces[name], self._keeper, self._addresses)
