"""Messages to departments: written in the act's own transaction, picked by state, never by position.

The order that is promised is the order within a case line (one case, one department). Its numbers come from the line's own
counter row, whose lock makes number n + 1 impossible before n is committed.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from storage.database import Database, Queries, Row, Transaction
from storage.envelopes import Outgoing, encode
from storage.ids import uuid7
from storage.sealing import Sealer

BELL = "outbox"
"""The bell topic that wakes the relay."""

Lane = tuple[str, int]
"""A department and one of its partitions: the unit that one carrier at a time works on."""

HELD = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
"""The `next_at` of a message that does not go before an officer decides, nor does what follows it in its line."""

_Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Letter:
    """One row of the outbox on its way: `stream_id` is None until it was sent once, `is_next` what the department waits for first."""

    id: str
    case_id: str
    sequence: int
    body: bytes
    sent_at: dt.datetime | None
    stream_id: str | None
    is_next: bool = False


def partition_of(case_id: str, partitions: int) -> int:
    """The partition of a case at a department that has `partitions` streams; stored with the line, so the count may grow."""
    return zlib.crc32(case_id.encode()) % partitions


async def append(tx: Transaction, *messages: Outgoing, now: dt.datetime, sealer: Sealer | None = None) -> list[str]:
    """Keep messages for their departments, numbered in the order given; their ids. Two statements, however many there are.

    With a `sealer` they lie sealed in the database, for they carry forms; `opened` gives the exact bytes back.
    """
    if not messages:
        return []
    last = await _reserve(tx, messages)
    ids, rows = [], []
    for message, (sequence, partition) in zip(messages, _numbers(messages, last), strict=True):
        ids.append(uuid7())
        body = encode(message, id=ids[-1], sequence=sequence, now=now)
        kept = sealer.seal(body, _context(ids[-1])) if sealer else body
        rows.append((ids[-1], message.case_id, message.department, partition, sequence, kept, now))
    columns = "id, case_id, department, partition, sequence, body, created_at"
    await tx.execute(f"INSERT INTO outbox ({columns}) VALUES {_places(rows)}", *_flat(rows))  # noqa: S608 - placeholders only
    tx.ring(BELL)
    return ids


def opened(letter: Letter, sealer: Sealer | None) -> bytes:
    """The envelope's exact bytes, as they were written."""
    return sealer.unseal(letter.body, _context(letter.id)) if sealer else letter.body


def _context(letter_id: str) -> str:
    return f"outbox.body:{letter_id}"


async def _reserve(tx: Transaction, messages: Sequence[Outgoing]) -> dict[_Line, tuple[int, int]]:
    wanted = Counter((message.case_id, message.department) for message in messages)
    partitions = {(message.case_id, message.department): message.partitions for message in messages}
    # In one order whoever writes, so that two transactions with the same cases never wait for each other.
    lines = sorted(wanted.items())
    rows = [(case_id, department, partition_of(case_id, partitions[case_id, department]), n) for (case_id, department), n in lines]
    taken = await tx.rows(
        f"INSERT INTO case_line AS l (case_id, department, partition, sent) VALUES {_places(rows)} "  # noqa: S608
        "ON CONFLICT (case_id, department) DO UPDATE SET sent = l.sent + excluded.sent RETURNING case_id, department, partition, sent",
        *_flat(rows),
    )
    found = [((row["case_id"], row["department"]), row) for row in taken]
    return {line: (row["sent"] - wanted[line], row["partition"]) for line, row in found}


def _numbers(messages: Sequence[Outgoing], last: dict[_Line, tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for message in messages:
        line = (message.case_id, message.department)
        sequence, partition = last[line][0] + 1, last[line][1]
        last[line] = (sequence, partition)
        yield sequence, partition


_IS_FREE = """
NOT EXISTS (SELECT 1 FROM outbox h WHERE h.department = o.department AND h.case_id = o.case_id AND h.sequence <= o.sequence
  AND h.confirmed_at IS NULL AND h.next_at = $1)
"""
"""Neither held itself nor behind one of its line that is."""


async def waiting(db: Queries, lanes: Sequence[Lane]) -> list[Lane]:
    """Those of the lanes that have something unsent which may go: one look for all of them."""
    if not lanes:
        return []
    values = ", ".join(f"(${n}, CAST(${n + 1} AS INTEGER))" for n in range(2, 2 + 2 * len(lanes), 2))
    rows = await db.rows(
        f"SELECT l.column1 AS department, l.column2 AS partition FROM (VALUES {values}) AS l WHERE EXISTS "  # noqa: S608
        f"(SELECT 1 FROM outbox o WHERE o.department = l.column1 AND o.partition = l.column2 AND o.sent_at IS NULL AND {_IS_FREE})",
        HELD,
        *_flat(lanes),
    )
    return [(row["department"], row["partition"]) for row in rows]


_UNSENT = f"""
SELECT o.id, o.case_id, o.sequence, o.body, o.sent_at, o.stream_id,
  CASE WHEN o.sequence > 1 THEN (SELECT e.sent_at IS NULL FROM outbox e
    WHERE e.case_id = o.case_id AND e.department = o.department AND e.sequence = o.sequence - 1) END AS is_behind
FROM outbox o WHERE o.department = $2 AND o.partition = $3 AND o.sent_at IS NULL AND {_IS_FREE} ORDER BY o.id LIMIT $4
"""  # noqa: S608 - our own words
_UNSENT_OF_LINE = """
SELECT id, case_id, sequence, body, sent_at, stream_id FROM outbox
WHERE case_id = $1 AND department = $2 AND sequence <= $3 AND sent_at IS NULL ORDER BY sequence
"""


async def unsent(db: Queries, lane: Lane, limit: int) -> list[Letter]:
    """The oldest `limit` unsent rows of a lane that may go, and whatever precedes them in their lines.

    Ids carry the clocks of the processes that wrote them, which may differ; numbers within a line do not.
    """
    lines: dict[str, list[Row]] = {}
    for row in await db.rows(_UNSENT, HELD, *lane, limit):
        lines.setdefault(row["case_id"], []).append(row)
    letters: list[Letter] = []
    for case_id, rows in lines.items():
        rows.sort(key=lambda row: int(row["sequence"]))
        if not _is_whole(rows):
            rows = await db.rows(_UNSENT_OF_LINE, case_id, lane[0], rows[-1]["sequence"])  # noqa: PLW2901 - the same line, whole
        letters.extend(_letter(row) for row in rows)
    return letters


def _is_whole(rows: Sequence[Row]) -> bool:
    """Whether no unsent predecessor of these rows of one line is missing among them."""
    numbers = {row["sequence"] for row in rows}
    return all(not row["is_behind"] or row["sequence"] - 1 in numbers for row in rows)


_UNCONFIRMED = f"""
SELECT id, case_id, sequence, body, sent_at, stream_id, NOT EXISTS (SELECT 1 FROM outbox e WHERE e.case_id = o.case_id
  AND e.department = o.department AND e.sequence < o.sequence AND e.confirmed_at IS NULL) AS is_next FROM outbox o
WHERE department = $2 AND partition = $3 AND confirmed_at IS NULL AND sent_at IS NOT NULL AND (sent_at < $4 OR sent_at > $5)
  AND (sent_at, sequence, id) > ($6, $7, $8) AND {_IS_FREE}
ORDER BY sent_at, sequence, id LIMIT $9
"""  # noqa: S608 - our own words
_BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_END = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


async def unconfirmed(
    db: Queries, lane: Lane, before: dt.datetime, after: Letter | None, limit: int, beyond: dt.datetime = _END
) -> list[Letter]:
    """A page of what was sent before a moment, is still unconfirmed and may go, from behind the letter `after`, oldest first.

    What seems to be sent `beyond` a moment still to come was sent by a clock that was ahead: nobody knows when, so it is among them.
    """
    start = (after.sent_at, after.sequence, after.id) if after else (_BEGINNING, 0, "")
    return [_letter(row) for row in await db.rows(_UNCONFIRMED, HELD, *lane, before, beyond, *start, limit)]


# A note that a crash of the database undoes only sends its message again, so its commit need not wait for the disk. What builds on it
# (a confirmation, say) is a later commit that does wait, and the log is written in order.
_NO_WAIT = {"postgres": " AND set_config('synchronous_commit', 'off', TRUE) = 'off'", "sqlite": ""}


async def mark_sent(db: Database, sent: Sequence[tuple[str, str]], lease: tuple[str, str, int], now: dt.datetime) -> int:
    """Note (outbox id, stream id) of what was sent, if the lease (name, holder, fence) is still ours; how many were noted."""
    values = ", ".join(f"(${n}, ${n + 1})" for n in range(5, 5 + 2 * len(sent), 2))
    rows = await db.rows(
        f"UPDATE outbox SET sent_at = $4, stream_id = v.column2, sends = outbox.sends + 1 FROM (VALUES {values}) AS v "  # noqa: S608
        "WHERE outbox.id = v.column1 AND EXISTS "
        f"(SELECT 1 FROM lease WHERE name = $1 AND holder = $2 AND fence = $3 AND expires_at > $4{_NO_WAIT[db.dialect]}) "
        "RETURNING outbox.id",
        *lease,
        now,
        *_flat(sent),
    )
    return len(rows)


async def hold(db: Queries, letter: Letter, detail: str) -> None:
    """A message cannot go: it and what follows it in its line wait for an officer."""
    await db.execute("UPDATE outbox SET next_at = $1, detail = $2 WHERE id = $3 AND confirmed_at IS NULL", HELD, detail[:300], letter.id)


async def confirm(db: Queries, department: str, taken: Mapping[str, int], now: dt.datetime) -> None:
    """The department has taken in everything of each case up to a number; what was confirmed before stays as it is."""
    if not taken:
        return
    values = ", ".join(f"(${n}, CAST(${n + 1} AS INTEGER))" for n in range(3, 3 + 2 * len(taken), 2))
    await db.execute(
        f"UPDATE outbox SET confirmed_at = $1 FROM (VALUES {values}) AS v WHERE outbox.department = $2 AND outbox.case_id = v.column1 "  # noqa: S608
        "AND outbox.sequence <= v.column2 AND outbox.confirmed_at IS NULL AND outbox.sent_at IS NOT NULL",
        now,
        department,
        *_flat(sorted(taken.items())),
    )


async def send_again(db: Queries, department: str, since: dt.datetime) -> int:
    """Let what the department confirmed since a moment go into its stream once more, as far as it is still kept; how many."""
    rows = await db.rows(
        "UPDATE outbox SET confirmed_at = NULL, sent_at = NULL, stream_id = NULL, next_at = NULL, detail = NULL "
        "WHERE department = $1 AND confirmed_at >= $2 AND position IS NULL RETURNING id",
        department,
        since,
    )
    return len(rows)


async def stats(db: Queries) -> dict[str, Row]:
    """For watching, by department: `unsent` and `oldest_unsent_at`, `unconfirmed` and `oldest_unconfirmed_at`; quiet ones are left out."""
    found: dict[str, Row] = {}
    for sql in (_COUNT_UNSENT, _COUNT_UNCONFIRMED):  # two looks, so that each has its small index
        for row in await db.rows(sql):
            found.setdefault(row.pop("department"), {}).update(row)
    nothing = {"unsent": 0, "oldest_unsent_at": None, "unconfirmed": 0, "oldest_unconfirmed_at": None}
    return {department: {**nothing, **row} for department, row in found.items()}


_COUNT_UNSENT = """
SELECT department, count(*) AS unsent, min(created_at) AS oldest_unsent_at FROM outbox WHERE sent_at IS NULL GROUP BY department
"""
_COUNT_UNCONFIRMED = """
SELECT department, count(*) AS unconfirmed, min(sent_at) AS oldest_unconfirmed_at FROM outbox
WHERE confirmed_at IS NULL AND sent_at IS NOT NULL GROUP BY department
"""


async def forget(db: Queries, before: dt.datetime) -> int:
    """Drop rows that were confirmed before a moment and are in the evidence log; how many went. The lines keep their numbers for ever."""
    return len(await db.rows("DELETE FROM outbox WHERE confirmed_at < $1 AND evidence_n IS NOT NULL RETURNING id", before))


def _letter(row: Row) -> Letter:
    body = bytes(row["body"])
    return Letter(row["id"], row["case_id"], row["sequence"], body, row["sent_at"], row["stream_id"], row.get("is_next", False))


def _places(rows: Sequence[Sequence[object]]) -> str:
    width = len(rows[0])
    return ", ".join(f"({', '.join(f'${n}' for n in range(start, start + width))})" for start in range(1, width * len(rows) + 1, width))


def _flat(rows: Iterable[Iterable[object]]) -> list[object]:
    return [value for row in rows for value in row]
