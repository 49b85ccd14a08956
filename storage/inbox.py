"""Messages from departments: what came, how far each case line is, and what had to be set aside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from storage.database import Queries, Row, Transaction
from storage.ids import uuid7
from storage.sealing import Sealer, Tampered

_REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Line:
    """How far a case line is: the case's number, the last message taken in, and whether an officer must look at it first.

    `tries` is how often the next message broke off, `retry_at` when it may be tried again.
    """

    number: str
    received: int
    is_parked: bool
    tries: int = 0
    retry_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came; `body` is its exact bytes, sealed, for the evidence log, unless they are kept elsewhere."""

    source: str
    id: str
    case_id: str
    sequence: int
    body: bytes | None

    @property
    def key(self) -> tuple[str, str]:
        """What the same message has again, however often it is sent."""
        return self.source, self.id


class Overtaken(Exception):
    """Another carrier moved a line in the meantime: nothing of this transaction may take effect."""


_LINES = """
SELECT l.case_id, l.received, l.parked_at, l.tries, l.retry_at, c.number
FROM case_line l JOIN cases c ON c.id = l.case_id WHERE l.department = $1
"""


async def lines(db: Queries, department: str, case_ids: Iterable[str]) -> dict[str, Line]:
    """The lines of some cases with a department; a case that the department has no part in is missing."""
    wanted = sorted(set(case_ids))
    if not wanted:
        return {}
    places = ", ".join(f"${n}" for n in range(2, 2 + len(wanted)))
    rows = await db.rows(f"{_LINES} AND l.case_id IN ({places})", department, *wanted)
    return {
        row["case_id"]: Line(row["number"] or "", row["received"], row["parked_at"] is not None, row["tries"], row["retry_at"])
        for row in rows
    }


async def lock_cases(tx: Transaction, case_ids: Iterable[str]) -> None:
    """Lock cases before their lines, in the order of their ids: every act takes a case first, so nobody waits in a circle.

    SQLite has one writer at a time, which `transaction()` already is.
    """
    wanted = sorted(set(case_ids))
    if tx.dialect == "postgres" and wanted:
        places = ", ".join(f"${n}" for n in range(1, 1 + len(wanted)))
        await tx.execute(f"SELECT id FROM cases WHERE id IN ({places}) ORDER BY id FOR UPDATE", *wanted)  # noqa: S608 - placeholders only


async def advance(tx: Transaction, department: str, moves: Mapping[str, tuple[int, int]]) -> None:
    """Move lines on, case id -> (from, to), and lock them; raises Overtaken if one is not where it was read."""
    values = ", ".join(f"(${n}, CAST(${n + 1} AS INTEGER), CAST(${n + 2} AS INTEGER))" for n in range(2, 2 + 3 * len(moves), 3))
    moved = await tx.rows(
        f"UPDATE case_line SET received = v.column3, tries = 0, retry_at = NULL FROM (VALUES {values}) AS v "  # noqa: S608 - placeholders only
        "WHERE case_line.case_id = v.column1 AND case_line.department = $1 AND case_line.received = v.column2 RETURNING case_line.case_id",
        department,
        *(value for case_id, (start, end) in sorted(moves.items()) for value in (case_id, start, end)),
    )
    if len(moved) != len(moves):
        raise Overtaken


async def put_off(db: Queries, department: str, case_id: str, line: Line, until: dt.datetime) -> None:
    """The next message of a line broke off: it may be tried again at a moment. Nothing happens if the line has moved on."""
    await db.execute(
        "UPDATE case_line SET tries = $1, retry_at = $2 WHERE case_id = $3 AND department = $4 AND received = $5",
        line.tries + 1,
        until,
        case_id,
        department,
        line.received,
    )


async def remember(tx: Transaction, department: str, arrivals: Sequence[Arrival], now: dt.datetime) -> set[tuple[str, str]]:
    """Note messages with their bytes; the keys of those that are new, the others came before under another number."""
    places = ", ".join(f"(${n}, ${n + 1}, ${n + 2}, ${n + 3}, ${n + 4}, $1, $2)" for n in range(3, 3 + 5 * len(arrivals), 5))
    rows = await tx.rows(
        f"INSERT INTO inbox (source, message_id, case_id, sequence, body, department, received_at) VALUES {places} "  # noqa: S608
        "ON CONFLICT (source, message_id) DO NOTHING RETURNING source, message_id",
        department,
        now,
        *(value for one in arrivals for value in (one.source, one.id, one.case_id, one.sequence, one.body)),
    )
    return {(row["source"], row["message_id"]) for row in rows}


async def known(db: Queries, messages: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, int]]:
    """Those of the messages (source, id) that were taken in before, and where: (case id, sequence)."""
    if not messages:
        return {}
    values = ", ".join(f"(${n}, ${n + 1})" for n in range(1, 2 * len(messages), 2))
    rows = await db.rows(
        f"SELECT source, message_id, case_id, sequence FROM inbox WHERE (source, message_id) IN (VALUES {values})",  # noqa: S608 - placeholders only
        *(value for message in messages for value in message),
    )
    return {(row["source"], row["message_id"]): (row["case_id"], row["sequence"]) for row in rows}


def sealed(body: bytes, sealer: Sealer | None, department: str, message_id: str) -> bytes:
    """The bytes of a message as `set_aside` keeps them: what departments say is personal as well."""
    return sealer.seal(body, _place(department, message_id)) if sealer else body


def unsealed(body: bytes, sealer: Sealer | None, department: str, message_id: str | None) -> bytes:
    """The bytes as they came; what was changed since, or never sealed, as it lies."""
    try:
        return sealer.unseal(body, _place(department, message_id or "")) if sealer else body
    except Tampered:
        return body


def _place(department: str, message_id: str) -> str:
    return f"set_aside.body:{department}:{message_id}"


async def set_aside(
    tx: Queries,
    *,
    department: str,
    kind: Literal["poison", "parked"],
    message_id: str,
    reason: str,
    body: bytes,
    now: dt.datetime,
    case_id: str | None = None,
    sequence: int | None = None,
) -> bool:
    """Keep a message that cannot take effect, readable for an officer; False if it lies there already.

    `message_id` is the message's own id, or the digest of its bytes where no id could be read (at most 64 characters).
    """
    row = await tx.one(
        "INSERT INTO set_aside (id, department, case_id, sequence, message_id, kind, reason, body, received_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
        "ON CONFLICT (department, message_id) WHERE message_id IS NOT NULL DO NOTHING RETURNING id",
        uuid7(),
        department,
        case_id,
        sequence,
        message_id,
        kind,
        reason[:_REASON_LENGTH],
        body,
        now,
    )
    return row is not None


async def is_flooded(db: Queries, department: str, most: int) -> bool:
    """Whether so many messages of a department wait for an officer already."""
    sql = "SELECT 1 AS found FROM set_aside WHERE department = $1 AND settled_at IS NULL LIMIT 1 OFFSET $2"
    return await db.one(sql, department, most - 1) is not None


async def settle_unread(tx: Transaction, department: str, by: str, now: dt.datetime) -> int:
    """Settle without effect whatever of a department could not be read; how many there were."""
    rows = await tx.rows(
        "UPDATE set_aside SET settled_at = $1, settled_how = 'skipped', settled_by = $2 "
        "WHERE department = $3 AND kind = 'poison' AND sequence IS NULL AND settled_at IS NULL RETURNING id",
        now,
        by,
        department,
    )
    return len(rows)


async def park(tx: Transaction, department: str, case_id: str, now: dt.datetime) -> None:
    """From here on the line's messages are set aside in their order, until an officer has decided."""
    await tx.execute(
        "UPDATE case_line SET parked_at = $1 WHERE case_id = $2 AND department = $3 AND parked_at IS NULL", now, case_id, department
    )


async def unpark(tx: Transaction, department: str, case_id: str) -> None:
    """The line goes on, if nothing of it waits for an officer any more."""
    await tx.execute(
        "UPDATE case_line SET parked_at = NULL WHERE case_id = $1 AND department = $2 AND NOT EXISTS (SELECT 1 FROM set_aside s "
        "WHERE s.department = $2 AND s.case_id = $1 AND s.kind = 'parked' AND s.settled_at IS NULL)",
        case_id,
        department,
    )


async def parked_of(tx: Transaction, department: str, case_id: str) -> list[Row]:
    """The open messages of a parked line, in their order."""
    return await tx.rows(
        "SELECT id, department, message_id, sequence, body FROM set_aside "
        "WHERE department = $1 AND case_id = $2 AND kind = 'parked' AND settled_at IS NULL "
        "ORDER BY sequence",
        department,
        case_id,
    )


async def open_one(db: Queries, set_aside_id: str) -> Row | None:
    """One message that waits for an officer, with its bytes."""
    return await db.one(
        "SELECT id, department, message_id, case_id, sequence, kind, reason, body, received_at FROM set_aside "
        "WHERE id = $1 AND settled_at IS NULL",
        set_aside_id,
    )


async def waiting(db: Queries, departments: Sequence[str], after: str | None, limit: int) -> list[Row]:
    """What waits for an officer at some departments, oldest first, without the bytes; `after` is the id of the last one seen."""
    if not departments:
        return []
    places = ", ".join(f"${n}" for n in range(3, 3 + len(departments)))
    return await db.rows(f"{_WAITING} AND s.department IN ({places}) ORDER BY s.id LIMIT $2", after or "", limit, *departments)


_WAITING = """
SELECT s.id, s.department, s.case_id, s.sequence, s.kind, s.reason, s.received_at, c.number
FROM set_aside s LEFT JOIN cases c ON c.id = s.case_id WHERE s.settled_at IS NULL AND s.id > $1
"""


async def settle(tx: Transaction, ids: Sequence[str], how: Literal["replayed", "skipped"], by: str, now: dt.datetime) -> None:
    """Note what was decided about messages that were set aside, and by whom."""
    await tx.execute_many(
        "UPDATE set_aside SET settled_at = $1, settled_how = $2, settled_by = $3 WHERE id = $4 AND settled_at IS NULL",
        [(now, how, by, one) for one in ids],
    )


_SET_ASIDE = """
SELECT id, case_id, sequence, message_id, kind, reason, body, received_at FROM set_aside
WHERE department = $1 AND settled_at IS NULL AND (received_at, COALESCE(sequence, 0), id) > ($2, $3, $4)
ORDER BY received_at, COALESCE(sequence, 0), id LIMIT $5
"""
_BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


async def set_aside_of(db: Queries, department: str, after: Row | None = None, limit: int = 100) -> list[Row]:
    """What waits for an officer, oldest first and each line in order; `after` is the last row of the page before."""
    start = (after["received_at"], after["sequence"] or 0, after["id"]) if after else (_BEGINNING, 0, "")
    return await db.rows(_SET_ASIDE, department, *start, limit)


async def stats(db: Queries) -> list[Row]:
    """For watching, per department: open poison and parked messages and since when the oldest waits."""
    return await db.rows(
        "SELECT department, count(*) FILTER (WHERE kind = 'poison') AS poison, count(*) FILTER (WHERE kind = 'parked') AS parked, "
        "min(received_at) AS oldest_at FROM set_aside WHERE settled_at IS NULL GROUP BY department ORDER BY department"
    )


async def forget(db: Queries, before: dt.datetime) -> int:
    """Drop the ids of messages taken in before a moment, longer ago than any department repeats itself; how many went.

    What is not in the evidence log yet still has its bytes, and stays.
    """
    return len(await db.rows("DELETE FROM inbox WHERE received_at < $1 AND body IS NULL RETURNING message_id", before))
