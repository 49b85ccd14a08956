"""Messages on their way to a webhook: each case line is delivered in order, different lines at the same time.

The head of a line is its first message that is not confirmed. What is held waits for an officer, and its line with it.
"""

from __future__ import annotations

import datetime as dt

from storage import journal
from storage.database import Queries, Row
from storage.journal import Posted
from storage.outbox import HELD, Letter

_HEADS = """
SELECT o.id, o.case_id, o.sequence, o.body, o.sent_at, o.stream_id, o.position, o.confirmed_at, o.next_at, o.sends FROM outbox o
WHERE o.department = $1 AND o.confirmed_at IS NULL AND o.sent_at IS NOT NULL AND o.position IS NOT NULL
  AND (o.next_at IS NULL OR o.next_at <= $2)
  AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.case_id = o.case_id AND e.department = o.department
    AND e.sequence < o.sequence AND e.confirmed_at IS NULL)
"""
# By the time of posting, not by position: it is the same order, and the small index of what is unconfirmed serves it.
_OLDEST_FIRST = f"{_HEADS} ORDER BY o.sent_at, o.position LIMIT $3"
_LONGEST_WAITING_FIRST = f"{_HEADS} AND o.next_at IS NOT NULL ORDER BY o.next_at, o.position LIMIT 1"


async def due(db: Queries, department: str, now: dt.datetime, limit: int) -> list[Posted]:
    """The heads of lines whose time has come, at most one of a line, oldest first."""
    return [_posted(row) for row in await db.rows(_OLDEST_FIRST, department, now, limit)]


async def probe(db: Queries, department: str) -> Posted | None:
    """What to try a resting link with: each head in turn, so that one bad message does not keep the link resting."""
    never_held = HELD - dt.timedelta(days=1)
    fresh = await db.one(_OLDEST_FIRST, department, dt.datetime(1970, 1, 1, tzinfo=dt.UTC), 1)
    row = fresh or await db.one(_LONGEST_WAITING_FIRST, department, never_held)
    return _posted(row) if row else None


_NEXT = """
SELECT id, case_id, sequence, body, sent_at, stream_id, position, confirmed_at, next_at, sends FROM outbox
WHERE case_id = $1 AND department = $2 AND sequence = $3 AND confirmed_at IS NULL AND position IS NOT NULL AND next_at IS NULL
"""


async def following(db: Queries, department: str, posted: Posted) -> Posted | None:
    """What comes after a confirmed message in its line, if it may be delivered at once."""
    row = await db.one(_NEXT, posted.letter.case_id, department, posted.letter.sequence + 1)
    return _posted(row) if row else None


async def wait_for_link(db: Queries, posted: Posted, detail: str, until: dt.datetime) -> None:
    """A delivery failed for no fault of the message: later again, and it does not count as a try."""
    await db.execute(
        "UPDATE outbox SET detail = $1, next_at = $2 WHERE id = $3 AND confirmed_at IS NULL", detail[:300], until, posted.letter.id
    )


async def hold(db: Queries, posted: Posted, detail: str) -> None:
    """The department does not want this message: it and its line wait for an officer."""
    await journal.put_off(db, posted, detail, HELD)


async def held(db: Queries, department: str) -> list[Row]:
    """What waits for an officer, by whatever link: `id`, `case_id`, the case's `number`, `sequence`, `position`, `detail`, `sent_at`."""
    return await db.rows(
        "SELECT o.id, o.case_id, c.number, o.sequence, o.position, o.detail, o.sent_at FROM outbox o LEFT JOIN cases c ON c.id = o.case_id "
        "WHERE o.department = $1 AND o.confirmed_at IS NULL AND o.next_at = $2 ORDER BY o.created_at, o.id",
        department,
        HELD,
    )


async def held_counts(db: Queries) -> dict[str, int]:
    """For watching: how many messages of each department wait for an officer; departments without any are left out."""
    rows = await db.rows(
        "SELECT department, count(*) AS held FROM outbox WHERE confirmed_at IS NULL AND next_at = $1 GROUP BY department",
        HELD,
    )
    return {row["department"]: int(row["held"]) for row in rows}


# What went by stream and was held was no longer in it: it goes again at once, like what never went.
_ANEW = "sent_at = CASE WHEN position IS NULL THEN NULL ELSE sent_at END, stream_id = NULL"


async def release(db: Queries, department: str) -> int:
    """Let everything that waits be tried at once and count its tries anew, what was held as well; how many."""
    rows = await db.rows(
        f"UPDATE outbox SET next_at = NULL, detail = NULL, sends = 0, {_ANEW} "  # noqa: S608 - our own words
        "WHERE department = $1 AND confirmed_at IS NULL AND next_at IS NOT NULL RETURNING id",
        department,
    )
    return len(rows)


async def release_unopened(db: Queries) -> int:
    """Let what was held because it did not open be tried again, by every link; how many. What a department refused has a position."""
    rows = await db.rows(
        f"UPDATE outbox SET next_at = NULL, detail = NULL, {_ANEW} "  # noqa: S608 - our own words
        "WHERE confirmed_at IS NULL AND next_at = $1 AND position IS NULL RETURNING id",
        HELD,
    )
    return len(rows)


async def pass_over(db: Queries, letter_id: str, reason: str, now: dt.datetime) -> Row | None:
    """Give up one held message, so that its line goes on behind it; its `department`, `case_id` and `sequence`, or None.

    One that never left has no line in the evidence log: 0 stands for that.
    """
    return await db.one(
        "UPDATE outbox SET confirmed_at = $1, next_at = NULL, detail = $2, sent_at = COALESCE(sent_at, $1), "
        "evidence_n = CASE WHEN sent_at IS NULL THEN COALESCE(evidence_n, 0) ELSE evidence_n END "
        "WHERE id = $3 AND confirmed_at IS NULL AND next_at = $4 RETURNING department, case_id, sequence",
        now,
        reason[:300],
        letter_id,
        HELD,
    )


def _posted(row: Row) -> Posted:
    letter = Letter(row["id"], row["case_id"], row["sequence"], bytes(row["body"]), row["sent_at"], row["stream_id"])
    return Posted(row["position"], letter, row["confirmed_at"] is not None, row["next_at"], row["sends"])
