"""Whether this server lives, and whether it can work."""

from __future__ import annotations

import msgspec

from handlers import health
from handlers.office import Office


class Alive(msgspec.Struct, frozen=True):
    """Says nothing about the stores: a supervisor must not end a process because a database is away."""

    status: str


class Health(msgspec.Struct, frozen=True):
    """`database` must be there; without Redis submissions are taken and wait."""

    status: str
    database: bool
    redis: bool


async def alive() -> Alive:
    """The process answers."""
    return Alive("ok")


async def ready(office: Office) -> Health:
    """The stores answer; refused as "unavailable" without a database."""
    redis = await health.check(office)
    return Health("ok" if redis else "redis_away", database=True, redis=redis)
