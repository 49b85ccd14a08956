"""Cases that are late, made by moving their beginning into the past; whatever supervision then does is its own."""

from __future__ import annotations

import datetime as dt

from handlers import supervision
from handlers.office import Office


async def make_late(office: Office, case_id: str, days: int = 60) -> int:
    """Let an accepted case have begun so many days ago, and sweep; how many cards were issued."""
    began = office.clock.now() - dt.timedelta(days=days)
    await office.database.execute("UPDATE cases SET accepted_at = $2 WHERE id = $1", case_id, began)
    await office.database.execute("UPDATE supervision_due SET look_at = $2 WHERE case_id = $1", case_id, began)
    return await supervision.sweep(office)
