"""Whether this server lives, and whether it can work."""

from __future__ import annotations

import msgspec

from handlers import health
from handlers.office import Office


class Health(msgspec.Struct, frozen=True):
    """`database` must be there; without Redis submissions are taken and wait."""

    status: str
    database: bool = True
    redis: bool = True


async def alive() -> Health:
    """The process answers."""
    return Health("ok")


async def ready(office: Office) -> Health:
    """The stores answer; refused as "unavailable" without a database."""
    redis = await health.check(office)
    return Health("ok" if redis else "redis_away", redis=redis)
