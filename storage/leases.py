"""Leases as rows: at most one holder of a name at a time, and a fence that rises with every change of holder.

A fence lets a late writer be told from the present holder: a statement that must only be the holder's asks for
name, holder, fence and `expires_at > now` in its own WHERE. Times come from the callers' clocks; across machines a
holder stops earlier than its expiry, by the difference their clocks may have.
"""

from __future__ import annotations

import datetime as dt

from storage.database import Queries

_ACQUIRE = """
INSERT INTO lease AS l (name, holder, fence, expires_at) VALUES ($1, $2, 1, $3)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at,
    fence = CASE WHEN l.holder = excluded.holder THEN l.fence ELSE l.fence + 1 END
WHERE l.holder = excluded.holder OR l.expires_at <= $4
RETURNING fence
"""
_RENEW = """
UPDATE lease SET expires_at = $4 WHERE name = $1 AND holder = $2 AND fence = $3 AND expires_at > $5 RETURNING fence
"""
_RELEASE = "UPDATE lease SET holder = '', expires_at = $4 WHERE name = $1 AND holder = $2 AND fence = $3"
_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


async def acquire(db: Queries, name: str, holder: str, now: dt.datetime, seconds: float) -> int | None:
    """Take or keep the lease until `now` + `seconds`; its fence, or None while another holds it. `holder` is unique to one worker."""
    row = await db.one(_ACQUIRE, name, holder, now + dt.timedelta(seconds=seconds), now)
    return None if row is None else int(row["fence"])


async def renew(db: Queries, name: str, holder: str, fence: int, now: dt.datetime, seconds: float) -> bool:
    """Hold on to a lease that has not run out; False means that it is lost."""
    return bool(await db.rows(_RENEW, name, holder, fence, now + dt.timedelta(seconds=seconds), now))


async def release(db: Queries, name: str, holder: str, fence: int) -> None:
    """Give the lease back, so that nobody waits for its expiry; nothing happens if it was lost before."""
    await db.execute(_RELEASE, name, holder, fence, _LONG_AGO)
