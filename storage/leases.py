"""Leases as rows: at most one holder of a name at a time, and a fence that rises with every change of holder.

A fence lets a late writer be told from the present holder: a statement that must only be the holder's asks for
name, holder, fence and `expires_at > now` in its own WHERE. Times come from the callers' clocks; across machines a
holder stops earlier than its expiry, by the difference their clocks may have.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from storage.database import Queries

_ACQUIRE = """
INSERT INTO lease AS l (name, holder, fence, expires_at) VALUES {}
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at,
    fence = CASE WHEN l.holder = excluded.holder THEN l.fence ELSE l.fence + 1 END
WHERE l.holder = excluded.holder OR l.expires_at <= $3
RETURNING name, fence
"""
_RENEW = """
UPDATE lease SET expires_at = $4 WHERE name = $1 AND holder = $2 AND fence = $3 AND expires_at > $5 RETURNING fence
"""
_INHERIT = """
UPDATE lease SET holder = $2, fence = fence + 1, expires_at = $3 WHERE name = $1 AND holder = $4 AND expires_at = $5 RETURNING fence
"""
_RELEASE = "UPDATE lease SET holder = '', expires_at = $4 WHERE name = $1 AND holder = $2 AND fence = $3"
_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


async def acquire(db: Queries, name: str, holder: str, now: dt.datetime, seconds: float) -> int | None:
    """Take or keep the lease until `now` + `seconds`; its fence, or None while another holds it. `holder` is unique to one worker."""
    return (await acquire_all(db, [name], holder, now, seconds)).get(name)


async def acquire_all(db: Queries, names: Iterable[str], holder: str, now: dt.datetime, seconds: float) -> dict[str, int]:
    """`acquire` for many names in one statement: name -> fence of those that are ours now; what another holds is left out."""
    wanted = sorted(set(names))  # one order for everybody: the rows are locked as they come, so nobody waits in a circle
    if not wanted:
        return {}
    values = ", ".join(f"(${n}, $1, 1, $2)" for n in range(4, 4 + len(wanted)))
    rows = await db.rows(_ACQUIRE.format(values), holder, now + dt.timedelta(seconds=seconds), now, *wanted)
    return {row["name"]: int(row["fence"]) for row in rows}


Term = tuple[str, dt.datetime]
"""Who holds a lease, and until when by his own clock; every renewal makes another one."""


async def beyond(db: Queries, moment: dt.datetime) -> dict[str, Term]:
    """Leases that run beyond a moment: one taken by a clock that was ahead may do so for ever."""
    return {
        row["name"]: (row["holder"], row["expires_at"])
        for row in await db.rows("SELECT name, holder, expires_at FROM lease WHERE expires_at > $1", moment)
    }


async def inherit(db: Queries, name: str, holder: str, term: Term, now: dt.datetime, seconds: float) -> int | None:
    """Take a lease from a holder that is known to be dead, whatever it says of its end; None if it is not as it was known."""
    row = await db.one(_INHERIT, name, holder, now + dt.timedelta(seconds=seconds), *term)
    return int(row["fence"]) if row else None


async def renew(db: Queries, name: str, holder: str, fence: int, now: dt.datetime, seconds: float) -> bool:
    """Hold on to a lease that has not run out; False means that it is lost."""
    return bool(await db.rows(_RENEW, name, holder, fence, now + dt.timedelta(seconds=seconds), now))


async def release(db: Queries, name: str, holder: str, fence: int) -> None:
    """Give the lease back, so that nobody waits for its expiry; nothing happens if it was lost before."""
    await db.execute(_RELEASE, name, holder, fence, _LONG_AGO)


async def release_all(db: Queries, held: Mapping[str, int], holder: str) -> None:
    """`release` for many, name -> fence: in the order in which `acquire_all` locks, so nobody waits in a circle."""
    await db.execute_many(_RELEASE, [(name, holder, fence, _LONG_AGO) for name, fence in sorted(held.items())])
