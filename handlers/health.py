"""Whether the office can work."""

from __future__ import annotations

from handlers.errors import Refused
from handlers.office import Office
from storage.errors import StoreUnavailable


async def check(office: Office) -> bool:
    """Ask the database, refused without it; whether the pipe answers too."""
    try:
        await office.database.one("SELECT 1 AS ready")
    except Exception as error:
        raise Refused("unavailable", {"retry_after": 5}) from error
    try:
        await office.fleeting.get("health")
    except StoreUnavailable:
        return False
    return True
