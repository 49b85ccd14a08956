"""A department's journal: its messages under rising positions, for those who read by position instead of from a stream.

Ids in the outbox say nothing about what is visible when, so nobody reads "id greater than the last": positions are given to
unsent rows under the lock of the department's link row, in the order of their lines. A position, once given, stays; only what
turns out not to open loses it, and nobody else gets it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from storage.database import Database, Queries, Row, Transaction
from storage.outbox import Lane, Letter, hold, unsent


@dataclass(frozen=True, slots=True)
class Posted:
    """A letter at its place in the journal; `next_at` is when a delivery that failed is tried again."""

    position: int
    letter: Letter
    is_confirmed: bool
    next_at: dt.datetime | None
    tries: int


_LOCK = """
INSERT INTO exchange_link AS l (department, changed_at) VALUES ($1, $2)
ON CONFLICT (department) DO UPDATE SET department = excluded.department RETURNING position, taken
"""


async def post(database: Database, lanes: Sequence[Lane], limit: int, now: dt.datetime) -> int:
    """Give positions to what is unsent in the lanes of one department, at most `limit` of each (and their predecessors); how many."""
    department = lanes[0][0]
    async with database.transaction() as tx:
        last = int((await link(tx, department, now))["position"])
        letters = [letter for lane in lanes for letter in await unsent(tx, lane, limit)]
        await tx.execute_many(
            "UPDATE outbox SET position = $1, sent_at = $2 WHERE id = $3 AND sent_at IS NULL",
            [(position, now, letter.id) for position, letter in enumerate(letters, start=last + 1)],
        )
        if letters:
            await tx.execute("UPDATE exchange_link SET position = $1 WHERE department = $2", last + len(letters), department)
    return len(letters)


async def link(tx: Transaction, department: str, now: dt.datetime) -> Row:
    """The department's `position` and `taken`, locked until the end of the transaction."""
    row = await tx.one(_LOCK, department, now)
    assert row  # noqa: S101 - an upsert answers always
    return row


async def adopt(database: Database, department: str) -> None:
    """After a change of link: what was sent by stream and is not confirmed is to be posted like the rest."""
    await database.execute(
        "UPDATE outbox SET sent_at = NULL WHERE department = $1 AND confirmed_at IS NULL AND sent_at IS NOT NULL AND position IS NULL",
        department,
    )


_UNPOST = """
UPDATE outbox SET position = NULL, sent_at = NULL, stream_id = NULL, confirmed_at = NULL, next_at = NULL, detail = NULL
WHERE case_id = $1 AND department = $2 AND sequence >= $3 AND position IS NOT NULL
"""


async def withdraw(database: Database, department: str, letters: Sequence[tuple[Letter, str]], now: dt.datetime) -> None:
    """Take messages that cannot go, with the reason, out of the journal and hold them; what follows them in their lines waits unposted.

    Their positions stay empty, or whoever confirms up to a later one would confirm what it never got. Also what was confirmed before
    goes back, for its department asked for it once more: it skips what it knows.
    """
    async with database.transaction() as tx:
        await link(tx, department, now)
        for letter, detail in letters:
            await tx.execute(_UNPOST, letter.case_id, department, letter.sequence)
            await hold(tx, letter, detail)


_PAGE = """
SELECT id, case_id, sequence, body, sent_at, stream_id, position, confirmed_at, next_at, sends FROM outbox
WHERE department = $1 AND position > $2 ORDER BY position LIMIT $3
"""


async def page(db: Queries, department: str, after: int, limit: int) -> list[Posted]:
    """What stands in the journal behind a position, in order; rows are kept for a week after they were confirmed."""
    return [_posted(row) for row in await db.rows(_PAGE, department, after, limit)]


async def confirm(database: Database, department: str, position: int, now: dt.datetime) -> int:
    """The department has taken in everything up to a position (at most what was given); the position that holds now."""
    async with database.transaction() as tx:
        row = await link(tx, department, now)
        taken = max(int(row["taken"]), min(position, int(row["position"])))
        await tx.execute(
            "UPDATE outbox SET confirmed_at = $1 WHERE department = $2 AND position > $3 AND position <= $4 AND confirmed_at IS NULL",
            now,
            department,
            row["taken"],
            taken,
        )
        await tx.execute("UPDATE exchange_link SET taken = $1 WHERE department = $2", taken, department)
    return taken


async def confirm_one(db: Queries, posted: Posted, now: dt.datetime) -> None:
    """One message was taken in, whatever stands before it in the journal."""
    await db.execute(
        "UPDATE outbox SET confirmed_at = $1, detail = NULL, next_at = NULL, sends = sends + 1 WHERE id = $2 AND confirmed_at IS NULL",
        now,
        posted.letter.id,
    )


async def put_off(db: Queries, posted: Posted, detail: str, until: dt.datetime) -> None:
    """A delivery failed: why, and when it is tried again."""
    await db.execute(
        "UPDATE outbox SET sends = sends + 1, detail = $1, next_at = $2 WHERE id = $3 AND confirmed_at IS NULL",
        detail[:300],
        until,
        posted.letter.id,
    )


_OPEN = """
SELECT id, case_id, sequence, body, sent_at, stream_id, position, confirmed_at, next_at, sends FROM outbox
WHERE department = $1 AND confirmed_at IS NULL AND sent_at IS NOT NULL AND position > $2 ORDER BY position LIMIT $3
"""


async def undelivered(db: Queries, department: str, after: int, limit: int) -> list[Posted]:
    """What is posted and not confirmed, behind a position, in order."""
    return [_posted(row) for row in await db.rows(_OPEN, department, after, limit)]


async def confirmed_since(db: Queries, department: str, since: dt.datetime) -> int | None:
    """The first position that was confirmed since a moment; None if none was."""
    row = await db.one("SELECT min(position) AS first FROM outbox WHERE department = $1 AND confirmed_at >= $2", department, since)
    return row["first"] if row else None


async def replay(database: Database, department: str, position: int, now: dt.datetime) -> int:
    """Let everything from a position on be delivered again, as far as it is still kept; how many. The receiver skips what it knows."""
    async with database.transaction() as tx:
        row = await link(tx, department, now)
        again = await tx.rows(
            "UPDATE outbox SET confirmed_at = NULL, next_at = NULL, detail = NULL WHERE department = $1 AND position >= $2 RETURNING id",
            department,
            position,
        )
        taken = max(0, min(position - 1, int(row["taken"])))
        await tx.execute("UPDATE exchange_link SET taken = $1 WHERE department = $2", taken, department)
    return len(again)


def _posted(row: Row) -> Posted:
    letter = Letter(row["id"], row["case_id"], row["sequence"], bytes(row["body"]), row["sent_at"], row["stream_id"])
    return Posted(row["position"], letter, row["confirmed_at"] is not None, row["next_at"], row["sends"])
